"""DynamoDB's client: the one module that knows aioboto3, and what its failures mean."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any

import aioboto3
from aiobotocore.config import AioConfig
from botocore.exceptions import BotoCoreError, ClientError

from infra.unavailable import Unavailable

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb.client import DynamoDBClient

OVERLOADED = frozenset(
    {
        "InternalServerError",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "ServiceUnavailable",
        "ThrottlingException",
    }
)
ANSWER_WITHIN = 2  # s
LOCAL = {"region_name": "local", "aws_access_key_id": "local", "aws_secret_access_key": "local"}


class Missing(Unavailable):
    """There is no such table, or no more: whoever owns it has to make it."""


@asynccontextmanager
async def connect(
    endpoint: str | None, within: int = ANSWER_WITHIN
) -> AsyncIterator["DynamoDBClient"]:
    """Returns a client. endpoint: of a DynamoDB that checks no credentials; None: AWS, found as AWS's tools do; within:
    s that an answer may take.
    """
    config = AioConfig(
        connect_timeout=1,
        read_timeout=within,
        max_pool_connections=50,
        parameter_validation=False,  # mypy does that once; here it is a third of a call's cost
        retries={"mode": "standard", "total_max_attempts": 2},
    )
    session = aioboto3.Session(**(LOCAL if endpoint else {}))
    async with session.client("dynamodb", endpoint_url=endpoint, config=config) as client:
        yield client


@contextmanager
def answering() -> Iterator[None]:
    """Raises: Unavailable if a call inside got no answer; Missing. Other refusals (conditions, bad requests) go
    through.
    """
    try:
        yield
    except BotoCoreError as failure:
        raise Unavailable("dynamodb") from failure
    except ClientError as refusal:
        if code(refusal) in OVERLOADED:
            raise Unavailable("dynamodb") from refusal
        if code(refusal) == "ResourceNotFoundException":
            raise Missing("dynamodb") from refusal
        raise


def code(refusal: ClientError) -> str:
    """Returns the name of the exception as DynamoDB's API spells it."""
    return refusal.response.get("Error", {}).get("Code", "")


def cancellations(refusal: ClientError) -> list[str]:
    """Returns why each item of a canceled transaction failed, in its order: "None" if it didn't."""
    response: dict[str, Any] = dict(refusal.response)
    return [reason.get("Code", "None") for reason in response.get("CancellationReasons", [])]


async def ensure_table(client: "DynamoDBClient", table: str) -> bool:
    """Returns whether the table had to be made. Its key is two strings, `pk` and `sk`."""
    try:
        await client.create_table(
            TableName=table,
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
            KeySchema=[
                {"AttributeName": "pk", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
            BillingMode="PAY_PER_REQUEST",
        )
        made = True
    except client.exceptions.ResourceInUseException:
        made = False
    await client.get_waiter("table_exists").wait(TableName=table, WaiterConfig={"Delay": 1})
    return made
