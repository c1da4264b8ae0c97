"""Reads the views as they are stored: rows and checkpoints, by none of the product's own readers."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from botocore.exceptions import BotoCoreError, ClientError
from redis.asyncio import Redis
from redis.exceptions import RedisError

from infra.stores.dynamodb import connect
from infra.unavailable import Unavailable

CUT = 1_000


class StoredRow(NamedTuple):
    """kind, owner and id as the view names its rows, at the place of their partition; an item of a list has its
    position as its id.
    """

    place: str
    kind: str
    owner: str
    id: str
    row: bytes


class Stored(NamedTuple):
    """The serving generation. positions: by place and topic, the next offset to be folded."""

    positions: Mapping[tuple[str, str], int]
    rows: Sequence[StoredRow]


async def live(url: str, name: str = "live") -> Stored:
    """Returns what the live view serves. Raises: Unavailable."""
    try:
        client: Any
        async with Redis.from_url(url) as client:
            number = int(await client.get(f"{name}:serving") or 1)
            positions: dict[tuple[str, str], int] = {}
            async for key in client.scan_iter(f"{name}:{number}:*:checkpoint", CUT):
                place = key.decode().split(":")[2].strip("{}")
                for topic, position in (await client.hgetall(key)).items():
                    if topic.endswith(b".v1") and not topic.startswith(b"time:"):
                        positions[place, topic.decode()] = int(position)
            rows: list[StoredRow] = []
            async for key in client.scan_iter(f"{name}:{number}:*:rows:*", CUT):
                _, _, tag, _, kind, owner = key.decode().split(":")
                async for id_, row in client.hscan_iter(key, count=CUT):
                    rows.append(StoredRow(tag.strip("{}"), kind, owner, id_.decode(), row))
    except (RedisError, OSError) as failure:
        raise Unavailable("redis") from failure
    return Stored(positions, rows)


async def history(endpoint: str, name: str = "history") -> Stored:
    """Returns what the history view serves. Raises: Unavailable."""
    positions: dict[tuple[str, str], int] = {}
    rows: list[StoredRow] = []
    try:
        async with connect(endpoint) as client:
            key = {"pk": {"S": name}, "sk": {"S": "serving"}}
            item = (await client.get_item(TableName=name, Key=key, ConsistentRead=True)).get("Item")
            table = f"{name}-{item['number']['N'] if item else 1}"
            pages = client.get_paginator("scan").paginate(TableName=table, ConsistentRead=True)
            async for page in pages:
                for found in page["Items"]:
                    pk, sk = found["pk"]["S"], found["sk"]["S"]
                    if "next" in found:
                        positions[pk, sk] = int(found["next"]["N"])
                    elif "row" in found:
                        rows.append(
                            addressed(found["place"]["S"], pk, sk, found["row"]["S"].encode())
                        )
    except (BotoCoreError, ClientError, OSError) as failure:
        raise Unavailable("dynamodb") from failure
    return Stored(positions, rows)


def addressed(place: str, pk: str, sk: str, row: bytes) -> StoredRow:
    """Returns the row with the name that its item's keys spell."""
    if sk == "row":
        kind, _, id_ = pk.partition("/")
        return StoredRow(place, kind, "", id_, row)
    if "@" in sk:
        kind, _, position = sk.partition("@")
        return StoredRow(place, kind, pk, str(int(position)), row)
    kind, _, id_ = sk.partition("/")
    return StoredRow(place, kind, pk, id_, row)
