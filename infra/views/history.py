"""The history view, in DynamoDB: everything, for ever. A table a generation, and one more of their numbers.

A batch is one transaction with its checkpoint: see docs/adr/0005-views.md.
"""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import stamina
from botocore.exceptions import ClientError

from infra.breaker import Breaker
from infra.log.clock import SystemClock
from infra.stores.dynamodb import Missing, answering, cancellations, code, connect, ensure_table
from infra.unavailable import Unavailable

from .items import (
    LAST,
    Item,
    Place,
    address,
    advance,
    decoded,
    in_list,
    key,
    mark,
    spell,
    stands_at,
)
from .port import (
    Ask,
    AsOf,
    Batch,
    From,
    Input,
    Key,
    Look,
    Mark,
    NotReady,
    One,
    Page,
    Written,
)

if TYPE_CHECKING:
    from types_aiobotocore_dynamodb.client import DynamoDBClient
    from types_aiobotocore_dynamodb.type_defs import PaginatorConfigTypeDef

LIMIT = 99  # a transaction has at most 100 items, and one is the checkpoint
CUT = 100  # keys of one BatchGetItem
FIRST = 1
READ_WITHIN = 900  # ms; whoever waits has perhaps waited for a live view before

__all__ = ["HistoryStore", "connect", "ensure_tables"]


class Conflict(Unavailable):
    """Another transaction holds one of the items."""


class Gone(Exception):
    """The generation has been dropped."""


@contextmanager
def present() -> Iterator[None]:
    """Raises: Gone if the table of the call inside is no more; Unavailable."""
    try:
        with answering():
            yield
    except Missing as missing:
        raise Gone from missing


async def ensure_tables(client: "DynamoDBClient", name: str = "history") -> list[str]:
    """Returns the names of the tables that had to be made."""
    return [t for t in (name, f"{name}-{FIRST}") if await ensure_table(client, t)]


class HistoryGeneration:
    keeps_all = True

    def __init__(self, store: "HistoryStore", number: int) -> None:
        self.store = store
        self.client = store.client
        self.number = number
        self.limit = LIMIT
        self.table = store.table(number)

    async def marks(self) -> Mapping[Input, Mark]:
        found = await self.items([(source.place, source.topic) for source in self.store.inputs])
        return {
            source: mark(found.get((source.place, source.topic))) for source in self.store.inputs
        }

    async def find(self, place: str, keys: Sequence[Key]) -> Mapping[Key, Any]:  # noqa: ARG002
        wanted = {key: address(key) for key in keys}
        found = await self.items(list(set(wanted.values())))
        rows = {key: found[at] for key, at in wanted.items() if at in found}
        pointed = {key: (at["pk"]["S"], at["at"]["S"]) for key, at in rows.items() if "at" in at}
        targets = await self.items(list(pointed.values()))
        rows |= {key: targets[at] for key, at in pointed.items()}
        return {key: decoded(key.kind, row) for key, row in rows.items()}

    async def items(self, places: Sequence[Place]) -> dict[Place, Item]:
        """Returns those of the items that exist. Raises: Gone."""
        found: dict[Place, Item] = {}
        for first in range(0, len(places), CUT):
            keys = [key(*place) for place in places[first : first + CUT]]
            while keys:
                with present():
                    answer = await self.client.batch_get_item(
                        RequestItems={self.table: {"Keys": keys, "ConsistentRead": True}}
                    )
                for item in answer["Responses"].get(self.table, []):
                    found[item["pk"]["S"], item["sk"]["S"]] = dict(item)
                left = answer["UnprocessedKeys"]
                keys = [dict(at) for at in left[self.table]["Keys"]] if left else []
        return found

    async def query(
        self, pk: str, low: str, high: str, limit: int | None, *, ascending: bool = False
    ) -> list[Item]:
        """Returns the items with low <= sk <= high, the last first unless ascending; limit None: all. Raises: Gone."""
        bounds = {":pk": {"S": pk}, ":low": {"S": low}, ":high": {"S": high}}
        most: PaginatorConfigTypeDef = {"MaxItems": limit, "PageSize": limit} if limit else {}
        pages = self.client.get_paginator("query").paginate(
            TableName=self.table,
            KeyConditionExpression="pk = :pk AND sk BETWEEN :low AND :high",
            ExpressionAttributeValues=bounds,
            ScanIndexForward=ascending,
            ConsistentRead=True,
            PaginationConfig=most,
        )
        with present():
            return [dict(item) async for page in pages for item in page["Items"]]

    async def answers(self, place: str, account: str, asks: Sequence[Ask[Any]]) -> list[Any]:
        """Returns the answers, a page as the mere rows. Rows asked for by id come in one request. Raises: Gone."""
        wanted = {
            ask: Key(ask.kind, ask.owner(account), ask.id) for ask in asks if isinstance(ask, One)
        }
        lists = [ask for ask in asks if not isinstance(ask, One)]
        found, *listed = await asyncio.gather(
            self.find(place, list(wanted.values())), *(self.listed(account, ask) for ask in lists)
        )
        rest = iter(listed)
        return [found.get(wanted[ask]) if isinstance(ask, One) else next(rest) for ask in asks]

    async def listed(self, account: str, ask: Ask[Any]) -> Any:
        """Returns the rows of a page, or an owner's rows by id. Raises: Gone."""
        owner, kind = ask.owner(account), ask.kind
        match ask:
            case Page():
                last = LAST if ask.before is None else ask.before - 1
                items = await self.query(owner, f"{kind.name}@", in_list(kind, last), ask.limit)
                return [decoded(kind, item) for item in items]
            case From():
                low, high = in_list(kind, ask.position), in_list(kind, LAST)
                items = await self.query(owner, low, high, ask.limit, ascending=True)
                return [decoded(kind, item) for item in items]
            case _:
                prefix = f"{kind.name}/"
                items = await self.query(owner, prefix, f"{kind.name}0", None)  # 0 comes after /
                return {item["sk"]["S"][len(prefix) :]: decoded(kind, item) for item in items}

    async def write(self, batch: Batch) -> Written:
        puts = [put for row in batch.rows for put in spell(row, batch.input.place)]
        actions = [{kind: {"TableName": self.table, **what}} for kind, what in puts]
        step = {"Update": {"TableName": self.table, **advance(batch, SystemClock().now_ms())}}
        try:
            written = await self._transact([step, *actions])
        except Gone:
            return "moved"
        if written:
            return "written"
        standing = (await self.marks())[batch.input]
        return "sealed" if standing.position == batch.start else "moved"

    @stamina.retry(on=Conflict, attempts=10, timeout=5, wait_initial=0.01, wait_jitter=0.02)
    async def _transact(self, actions: list[Any]) -> bool:
        """Returns whether the checkpoint allowed it. Raises: Gone, Unavailable."""
        try:
            with present():
                await self.client.transact_write_items(TransactItems=actions)
        except ClientError as refusal:
            reasons = cancellations(refusal)
            if "ConditionalCheckFailed" in reasons:
                return False
            if "TransactionConflict" in reasons:
                raise Conflict("dynamodb") from refusal
            raise
        return True

    async def set_ready(self, at: Mapping[Input, int]) -> bool:
        try:
            for source in self.store.inputs:
                await self._note(source, "ready", 1, at.get(source))
        except Gone:
            return False
        except ClientError as refusal:
            if code(refusal) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    async def seal(self, until: int) -> None:
        for source in self.store.inputs:
            await self._note(source, "sealed", until)

    async def _note(self, source: Input, name: str, value: int, at: int | None = None) -> None:
        """Writes beside a checkpoint; at: only if it stands there. Raises: Gone, ClientError if it does not."""
        names, values = {"#name": name}, {":value": value}
        update: Item = {"UpdateExpression": "SET #name = :value"}
        if at is not None:
            update["ConditionExpression"] = stands_at(at)
            names["#next"] = "next"
        if at:
            values[":start"] = at
        with present():
            await self.client.update_item(
                TableName=self.table,
                Key=key(source.place, source.topic),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues={each: {"N": str(n)} for each, n in values.items()},
                **update,
            )

    async def digests(self) -> Mapping[str, bytes]:
        pages = self.client.get_paginator("scan").paginate(
            TableName=self.table, ConsistentRead=True
        )
        with present():
            return {
                "/".join(item[part]["S"] for part in ("place", "pk", "sk")): sha256(
                    item["row"]["S"].encode()
                ).digest()
                async for page in pages
                for item in page["Items"]
                if "row" in item
            }


class HistoryStore:
    """Generations and their reading. inputs: what the view folds; partitions: P; name: of its tables."""

    def __init__(
        self,
        client: "DynamoDBClient",
        inputs: Sequence[Input],
        partitions: int,
        name: str = "history",
    ) -> None:
        self.client, self.inputs, self.partitions, self.name = client, inputs, partitions, name
        self._serving: HistoryGeneration | None = None
        self._breaker = Breaker("dynamodb")

    def table(self, number: int) -> str:
        return f"{self.name}-{number}"

    async def ensure(self) -> None:
        with answering():
            await ensure_table(self.client, self.name)
            await ensure_table(self.client, self.table(await self.serving()))

    async def serving(self) -> int:
        return await self._update("serving", FIRST, "SET #number = if_not_exists(#number, :n)")

    async def create(self) -> HistoryGeneration:
        await self._update("newest", FIRST, "SET #number = if_not_exists(#number, :n)")
        number = await self._update("newest", 1, "ADD #number :n")
        with answering():
            await ensure_table(self.client, self.table(number))
        return HistoryGeneration(self, number)

    async def _update(self, name: str, n: int, how: str) -> int:
        """Returns the number of that name after the update."""
        with answering():
            answer = await self.client.update_item(
                TableName=self.name,
                Key=key(self.name, name),
                UpdateExpression=how,
                ExpressionAttributeNames={"#number": "number"},
                ExpressionAttributeValues={":n": {"N": str(n)}},
                ReturnValues="ALL_NEW",
            )
        return int(answer["Attributes"]["number"]["N"])

    async def open(self, number: int) -> HistoryGeneration:
        return HistoryGeneration(self, number)

    async def switch(self, old: int, new: int) -> bool:
        await self.serving()  # so that there is a number to compare with
        try:
            with answering():
                await self.client.update_item(
                    TableName=self.name,
                    Key=key(self.name, "serving"),
                    UpdateExpression="SET #number = :new",
                    ConditionExpression="#number = :old",
                    ExpressionAttributeNames={"#number": "number"},
                    ExpressionAttributeValues={":old": {"N": str(old)}, ":new": {"N": str(new)}},
                )
        except ClientError as refusal:
            if code(refusal) == "ConditionalCheckFailedException":
                return False
            raise
        return True

    async def drop(self, number: int) -> None:
        with suppress(Gone), present():
            await self.client.delete_table(TableName=self.table(number))

    async def look(self, place: str, account: str, asks: Sequence[Ask[Any]]) -> Look:
        async with self._breaker.within(READ_WITHIN):
            look = await self._look(self._serving, place, account, asks) if self._serving else None
            if look is None:
                serving = self._serving = await self.open(await self.serving())
                look = await self._look(serving, place, account, asks)
        if look is None:
            raise NotReady(f"generation of the history view at {place}")
        return look

    async def _look(
        self, serving: HistoryGeneration, place: str, account: str, asks: Sequence[Ask[Any]]
    ) -> Look | None:
        """Returns the answers, None if the generation is not ready or gone."""
        topics = [source.topic for source in self.inputs if source.place == place]
        try:
            marks = await serving.items([(place, topic) for topic in topics])
            if not all("ready" in marks.get((place, topic), ()) for topic in topics):
                return None
            answers = await serving.answers(place, account, asks)
        except Gone:
            return None
        told = {topic: mark(marks[place, topic]) for topic in topics}
        as_of = AsOf(
            max((m.time for m in told.values()), default=0),
            {topic: m.position for topic, m in told.items() if m.position},
        )
        return Look(as_of, answers, [0] * len(asks))
