"""The hop: from an order that can be read to its event that can be read, at a fixed rate, beside a mere echo.

The order service runs as its own process. The echo is one acknowledged produce until a consumer has the record:
on the same broker, of the same bytes, at the same rate, before the service starts.
"""

import asyncio
import os
import sys
from asyncio.subprocess import DEVNULL, create_subprocess_exec
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any

import uvloop
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, TopicPartition

from bench.fill import JSON, TICK_S, list_assets, tell_prices
from bench.generator import Latencies, at_rate
from bench.orders import accounts, order, order_number
from bench.report import Figure
from bench.servers import stack
from bench.yardsticks import begin
from events.codec import encode
from events.order import OrderAccepted
from events.topics import BALANCE_COMMANDS, ORDER_COMMANDS, ORDER_EVENTS
from infra.log.admin import ensure
from infra.shell.emission import CONTROL
from ops.provision import topic_specs

RATE = 500
WARM = 1_000  # orders before those that count
LAST_S = 30  # for what was sent to be seen
Times = dict[int, float]
"""When something happened to the order of that number."""


class Sightings:
    """When each order's record in a topic could be read."""

    def __init__(self) -> None:
        self.times: Times = {}
        self._more = asyncio.Event()

    def add(self, n: int, time: float) -> None:
        """Takes in a record of the order. Raises: AssertionError if it is not the first."""
        assert n not in self.times, f"order {n} is there twice"
        self.times[n] = time
        self._more.set()

    async def all_of(self, orders: Collection[int]) -> None:
        """Returns once every order was seen. Raises: TimeoutError; AssertionError of others."""
        async with asyncio.timeout(LAST_S):
            while len(self.times) < len(orders):
                await self._more.wait()
                self._more.clear()
        assert self.times.keys() == set(orders)


def hop(seconds: int) -> list[Figure]:
    """Returns the figures of so many seconds at RATE, and as many of the echo."""
    with stack("kafka", partitions=1) as folder:
        return uvloop.run(measure(folder.endpoints()["kafka"], seconds))


async def measure(bootstrap: str, seconds: int) -> list[Figure]:
    await ensure(topic_specs(1), bootstrap)
    options = {"bootstrap_servers": bootstrap, "enable_idempotence": True}
    async with AIOKafkaProducer(**options) as producer:
        await list_assets(producer)
        async with watching(bootstrap, BALANCE_COMMANDS.name, sent_number) as echoes:
            sent = await send(producer, BALANCE_COMMANDS.name, seconds, echoes)
            echo = between(sent, echoes.times)
        async with (
            prices(producer),
            order_service(bootstrap),
            watching(bootstrap, ORDER_COMMANDS.name, sent_number) as orders,
            watching(bootstrap, ORDER_EVENTS.name, answered_number) as events,
        ):
            sent = await send(producer, ORDER_COMMANDS.name, seconds, events)
    return [
        *compare(f"hop at {RATE}/s: order → its event", between(orders.times, events.times), echo),
        *compare("  produce → its event", between(sent, events.times), echo),
    ]


def compare(what: str, ours: Latencies, echo: Latencies) -> list[Figure]:
    return [
        Figure(f"{what}, p{q}", ours.quantile(q), "ms", "echo", echo.quantile(q)) for q in (50, 99)
    ]


def between(earlier: Times, later: Times) -> Latencies:
    """Returns the latencies of the orders after the warm-up."""
    return Latencies(later[n] - earlier[n] for n in later if n >= WARM)


async def send(producer: AIOKafkaProducer, topic: str, seconds: int, awaited: Sightings) -> Times:
    """Returns when each order was sent, once all were seen: first those of the warm-up, then the measured."""
    owners = accounts(0, 1)
    sent: Times = {}

    async def act(n: int, _: float) -> None:
        command = order(n, owners)
        raw, key = encode(command), command.account_id.encode()
        sent[n] = perf_counter()
        await producer.send_and_wait(topic, raw, key=key, partition=0, headers=list(JSON))

    for numbers in (range(WARM), range(WARM, WARM + seconds * RATE)):
        await at_rate(RATE, numbers, act)
        await awaited.all_of(sent)
    return sent


@asynccontextmanager
async def watching(
    bootstrap: str, topic: str, number: Callable[[Any], int | None], **options: Any
) -> AsyncIterator[Sightings]:
    """Returns the sightings in the topic, filled while the block runs. number: of a record's order; options: the
    consumer's.
    """
    seen, tp = Sightings(), TopicPartition(topic, 0)

    async def watch(consumer: AIOKafkaConsumer) -> None:
        while True:
            found = await consumer.getmany(timeout_ms=500)
            now = perf_counter()
            for record in found.get(tp, ()):
                if (n := number(record)) is not None:
                    seen.add(n, now)

    options |= {"bootstrap_servers": bootstrap, "enable_auto_commit": False}
    async with AIOKafkaConsumer(**options) as consumer:
        begin(consumer, [tp])
        async with beside(watch(consumer)):
            yield seen


def sent_number(record: Any) -> int:
    return order_number(ORDER_COMMANDS.decode(record.value).id)


def answered_number(record: Any) -> int | None:
    """Returns the number of the order that the event accepts, None if it is bookkeeping."""
    if CONTROL in record.headers:
        return None
    event = ORDER_EVENTS.decode(record.value)
    assert isinstance(event, OrderAccepted), event
    return order_number(event.order_id)


@asynccontextmanager
async def prices(producer: AIOKafkaProducer) -> AsyncIterator[None]:
    """Tells fresh prices while the block runs."""

    async def tell() -> None:
        n = 1
        while True:
            await asyncio.sleep(TICK_S)
            await tell_prices(producer, n)
            n += 1

    await tell_prices(producer, 0)
    async with beside(tell()):
        yield


@asynccontextmanager
async def order_service(bootstrap: str) -> AsyncIterator[None]:
    """Runs the order service as a process of its own while the block runs."""
    environ = {**os.environ, "ORDERSTREAM_KAFKA": bootstrap}
    command = (sys.executable, "-P", "-m", "ops.cli", "run", "order")
    process = await create_subprocess_exec(*command, env=environ, stdout=DEVNULL)
    try:
        yield
    finally:
        process.terminate()
        await process.wait()


@asynccontextmanager
async def beside(work: Awaitable[None]) -> AsyncIterator[None]:
    """Runs the work, which never ends by itself, while the block runs. Raises: what it raises."""
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        if task.done():
            task.result()
        task.cancel()
