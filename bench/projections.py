"""The projections: how fast each view is rebuilt from its topics, beside a bare consumer that only reads them.

The events are the services' own answers to deposits and market buys. A view counts as rebuilt only if every row
is the same, byte for byte, as in the one that its projector has kept.
"""

import asyncio
from collections.abc import Iterator, Mapping
from time import process_time
from typing import NamedTuple

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer

from bench.apart import apart
from bench.fill import JSON
from bench.orders import accounts, deposit, order
from bench.report import MICROSECONDS, Figure
from bench.servers import cpu_seconds, stack
from bench.views import WITHIN_S, caught_up
from bench.yardsticks import begin, consume, places
from events.codec import encode
from events.envelope import Command
from events.ids import partition_of
from events.topics import BALANCE_COMMANDS, BALANCE_EVENTS, ORDER_COMMANDS, PORTFOLIO_EVENTS, Topic
from gateway.building import topics_of
from gateway.views import HISTORY, LIVE
from ops.replay import VIEWS, Replayed, replay_named, settings_of
from ops.stack.folder import RunFolder

PARTITIONS = 2
ACCOUNTS = 200  # in each partition
SERVICES = ("market", "order", "balance", "portfolio", "projector-live", "projector-history")
STORES = {"live": "redis", "history": "dynamodb"}
TOPICS = {"live": topics_of(LIVE), "history": topics_of(HISTORY)}
ENDED = {
    BALANCE_EVENTS.name: b'{"type":"funds_settled"',
    PORTFOLIO_EVENTS.name: b'{"type":"position_changed"',
}
"""How the last event of a bought order begins, in either topic."""


class Rebuilt(NamedTuple):
    """cpu: seconds of the process and of the store; bare: records a second that a bare consumer reads."""

    replayed: Replayed
    cpu: tuple[float, float]
    bare: float


def projections(orders: int) -> list[Figure]:
    """Returns the figures of views of so many settled orders."""
    with stack(*SERVICES, partitions=PARTITIONS) as folder:
        bootstrap = folder.endpoints()["kafka"]
        uvloop.run(trade(bootstrap, orders))
        for name in VIEWS:  # nothing else is at work when either is rebuilt
            apart(caught_up, name, folder.endpoints())
        rebuilt = {name: rebuild(folder, name) for name in VIEWS}
    return [figure for name, found in rebuilt.items() for figure in figures(name, found)]


async def trade(bootstrap: str, orders: int) -> None:
    """Returns once so many orders have settled."""
    owners = tuple(id_ for p in range(PARTITIONS) for id_ in accounts(p, PARTITIONS, ACCOUNTS))
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer:
        for n, account_id in enumerate(owners):
            await append(producer, BALANCE_COMMANDS, deposit(orders + n, account_id))
        await producer.flush()  # in the log's time, before every order
        for n in range(orders):
            await append(producer, ORDER_COMMANDS, order(n, owners))
        await producer.flush()
    async with asyncio.timeout(WITHIN_S):
        await settled(bootstrap, orders)


async def append(producer: AIOKafkaProducer, topic: Topic[Command], command: Command) -> None:
    key, p = command.account_id.encode(), partition_of(command.account_id, PARTITIONS)
    await producer.send(topic.name, encode(command), key=key, partition=p, headers=list(JSON))


async def settled(bootstrap: str, orders: int) -> None:
    """Returns once both topics have the last event of so many orders."""
    left = dict.fromkeys(ENDED, orders)
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False) as consumer:
        begin(consumer, places([BALANCE_EVENTS, PORTFOLIO_EVENTS], PARTITIONS))
        while any(left.values()):
            for tp, records in (await consumer.getmany(timeout_ms=500)).items():
                ended = ENDED[tp.topic]
                left[tp.topic] -= sum(record.value.startswith(ended) for record in records)


def rebuild(folder: RunFolder, name: str) -> Rebuilt:
    """Returns what rebuilding the view came to, in a process of its own. Raises: AssertionError if rows differ."""
    endpoints = folder.endpoints()
    before = cpu_seconds(folder, STORES[name])
    replayed, cpu = apart(replay, name, endpoints)
    store = cpu_seconds(folder, STORES[name]) - before
    assert replayed.switched, replayed
    assert replayed.differing is None, replayed
    tps = places(TOPICS[name], PARTITIONS)
    seconds, _ = apart(consume, endpoints["kafka"], tps, replayed.records)
    return Rebuilt(replayed, (cpu, store), replayed.records / seconds)


async def replay(name: str, endpoints: Mapping[str, str]) -> tuple[Replayed, float]:
    """Returns what rebuilding the view came to, and the CPU seconds of it."""
    cpu = process_time()
    replayed = await replay_named(name, settings_of(endpoints), lambda *_: None, anyway=False)
    return replayed, process_time() - cpu


def figures(name: str, rebuilt: Rebuilt) -> Iterator[Figure]:
    replayed, (own, store), bare = rebuilt
    records, rows = replayed.records, replayed.rows
    what = f"{name} rebuilt from {records:,} events, {rows:,} rows the same"
    yield Figure(what, records / replayed.seconds, "events/s", "bare consumer", bare)
    yield Figure("  rows", rows / replayed.seconds, "rows/s")
    yield Figure("  CPU of the process, comparing too", own / records * MICROSECONDS, "µs/event")
    yield Figure(
        f"  CPU of {STORES[name]}, comparing too", store / records * MICROSECONDS, "µs/event"
    )
