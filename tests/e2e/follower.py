"""A client that follows an account's stream, is cut off again and again, and goes on each time from where it was."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import Any

import httpx2

from events.balance import BalanceCommandRefused
from events.ids import partition_of
from events.portfolio import PositionChanged
from events.topics import BALANCE_EVENTS, ORDER_EVENTS, PORTFOLIO_EVENTS
from gateway.projections.orders import Following, Opening
from infra.shell.reading import is_control
from ops.client.spelling import Side
from ops.client.sse import Event, Parser
from ops.stack.folder import RunFolder
from tests.books import Books
from tests.e2e.customer import Customer
from tests.e2e.reader import read_books

AGAIN_S, WITHIN_S = 0.1, 30
Told = dict[str, list[tuple[Any, ...]]]
"""By kind of event, where each was in the log and what it said."""


class Follower:
    """events: all that it was told; cuts: how often it was cut off itself; away: how often nobody answered."""

    def __init__(self, http: httpx2.AsyncClient, customer: Customer, seed: int) -> None:
        self.http, self.customer, self.rng = http, customer, Random(seed)
        self.events: list[Event] = []
        self.last_id = ""
        self.cuts = self.away = 0

    async def follow(self, longest_s: float) -> None:
        """Follows until it is canceled, at most so long on one connection."""
        while True:
            try:
                async with asyncio.timeout(self.rng.uniform(0, longest_s)):
                    await self._connect()
            except TimeoutError:
                self.cuts += 1
            except httpx2.HTTPError:
                self.away += 1
                await asyncio.sleep(AGAIN_S)

    async def _connect(self) -> None:
        """Reads until the stream ends. What has not come whole was not told."""
        parser = Parser(self.last_id)
        headers = self.customer.headers(**{"Last-Event-ID": self.last_id})
        async with self.http.stream("GET", "/api/v1/stream", headers=headers) as answer:
            if answer.status_code != 200:
                assert answer.status_code in (429, 503), answer
                raise httpx2.ReadError("turned away")
            async for chunk in answer.aiter_bytes():
                self.events += parser.feed(chunk)
                self.last_id = parser.last_id

    @property
    def resets(self) -> int:
        return sum(event.name == "reset" for event in self.events)

    def told(self) -> Told:
        """Returns the changes since the last snapshot."""
        last = max((n for n, e in enumerate(self.events) if e.name == "snapshot"), default=0)
        return told(self.events[last:])

    def begun(self) -> Mapping[str, int]:
        """Returns where each topic stood at the last snapshot, by its first letter."""
        snapshot = [event for event in self.events if event.name == "snapshot"][-1]
        return positions(snapshot.id)


def positions(id_: str) -> Mapping[str, int]:
    return {part[0]: int(part[2:]) for part in id_.split(",")}


def told(events: Sequence[Event]) -> Told:
    found: Told = {"balance": [], "order": [], "position": []}
    for name, id_, data in events:
        if name in found:
            offset = positions(id_)[name[0]] - 1
            said = [data[key] for key in SAID[name]]
            found[name].append((offset, *said))
    return found


SAID = {
    "balance": ("available", "held"),
    "order": ("id",),
    "position": ("asset_id", "available", "held"),
}


def in_log(books: Books, p: int, account_id: str, begun: Mapping[str, int]) -> Told:
    """Returns what the topics tell of the account from there on."""
    found: Told = {"balance": [], "order": [], "position": []}
    scales: dict[str, int] = {}
    for topic in (BALANCE_EVENTS, ORDER_EVENTS, PORTFOLIO_EVENTS):
        for record in books.records[topic.name, p]:
            event = None if is_control(record) else topic.decode(record.value or b"")
            if event is None or event.account_id != account_id:
                continue
            if isinstance(event, PositionChanged):
                scales[event.asset_id] = event.scale
            if record.offset >= begun[topic.name[0]] and (said := spelled(event, scales)):
                name, *rest = said
                found[name].append((record.offset, *rest))
    return found


def spelled(event: Any, scales: Mapping[str, int]) -> tuple[Any, ...] | None:
    """Returns the kind of change and what a client is told of it, None if it changes nothing."""
    if isinstance(event, Opening | Following):
        return ("order", event.order_id)
    if event.type in {kind.type for kind in BALANCE_EVENTS.types}:
        if isinstance(event, BalanceCommandRefused):
            return None
        return ("balance", decimal(event.available, 2), decimal(event.held, 2))
    if event.type in {kind.type for kind in PORTFOLIO_EVENTS.types} and event.asset_id in scales:
        scale = scales[event.asset_id]
        return (
            "position",
            event.asset_id,
            decimal(event.available, scale),
            decimal(event.held, scale),
        )
    return None


def decimal(minor: int, scale: int) -> str:
    digits = str(minor).rjust(scale + 1, "0")
    return f"{digits[:-scale]}.{digits[-scale:]}" if scale else digits


@asynccontextmanager
async def going_on(followers: Sequence[Follower], longest_s: float) -> AsyncIterator[None]:
    """Has them follow while the block runs."""
    async with asyncio.TaskGroup() as tasks:
        following = [tasks.create_task(each.follow(longest_s)) for each in followers]
        yield
        for task in following:
            task.cancel()


async def trade(customer: Customer, orders: int, seed: int) -> None:
    rng = Random(seed)
    for _ in range(orders):
        side: Side = rng.choice(("buy", "buy", "sell"))
        asset_id = rng.choice(("BTC", "ETH"))
        await customer.order(asset_id=asset_id, side=side, notional=f"{rng.randint(1, 99)}.00")


async def compared(stack: RunFolder, customer: Customer, followers: list[Follower]) -> None:
    """Returns once each was told just what the log has. Raises: AssertionError if that does not come to be."""
    account_id = (await customer.get("/auth/me"))["id"]
    deadline = asyncio.get_running_loop().time() + WITHIN_S
    while True:
        books = await read_books(stack.endpoints()["kafka"])
        p = partition_of(account_id, books.partitions)
        pairs = [(f.told(), in_log(books, p, account_id, f.begun())) for f in followers]
        late = asyncio.get_running_loop().time() > deadline
        if late or all(told == log for told, log in pairs):
            break
    for told, log in pairs:
        assert told == log
