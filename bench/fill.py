"""Fills the topics of a drain: as fast as batches go, yet each order near a price in the log's own time."""

import asyncio
from collections.abc import Iterator
from time import monotonic
from typing import Any

from aiokafka import AIOKafkaProducer
from aiokafka.producer.message_accumulator import BatchBuilder

from bench.orders import accounts, listings, order, tick
from events.codec import encode
from events.topics import ASSETS, ORDER_COMMANDS, PRICES

BATCH_BYTES = 500_000
IN_FLIGHT = 4
TICK_S = 1.0
REPEATED = 1_000
"""Every so manieth order is sent twice."""
JSON = (("content-type", b"application/json"),)


async def list_assets(producer: AIOKafkaProducer) -> None:
    """Returns when the catalogue stands in its topic."""
    for asset in listings():
        sent = await producer.send(ASSETS.name, encode(asset), asset.asset_id.encode(), 0)
    await sent


async def tell_prices(producer: AIOKafkaProducer, n: int) -> None:
    """Returns when the n-th tick stands in the log, and the log's clock, which counts ms, has gone on."""
    await producer.send_and_wait(PRICES.name, encode(tick(n)), partition=0)
    await asyncio.sleep(0.002)


def repeats(count: int) -> int:
    """Returns how many of so many orders are sent twice."""
    return -(-count // REPEATED)


def sendings(count: int) -> Iterator[int]:
    """Yields the numbers of the orders as they are sent: some of them once more, a little later."""
    for n in range(count):
        yield n
        if n % REPEATED == REPEATED - 1:
            yield n
    if count % REPEATED:
        yield count - 1


async def fill(bootstrap: str, p: int, partitions: int, count: int) -> None:
    """Appends so many orders to partition p, their repeats and a tick a second."""
    owners = accounts(p, partitions)
    async with AIOKafkaProducer(
        bootstrap_servers=bootstrap, max_batch_size=BATCH_BYTES, enable_idempotence=True
    ) as producer:
        await list_assets(producer)
        sent: list[asyncio.Future[object]] = []
        told, ticks = 0.0, 0
        batch = producer.create_batch()
        for n in sendings(count):
            if monotonic() - told > TICK_S:
                await tell_prices(producer, ticks)
                told, ticks = monotonic(), ticks + 1
            command = order(n, owners)
            if not put(batch, command):
                sent.append(await producer.send_batch(batch, ORDER_COMMANDS.name, partition=p))
                batch = producer.create_batch()
                assert put(batch, command)
                if len(sent) >= IN_FLIGHT:
                    await sent.pop(0)
        sent.append(await producer.send_batch(batch, ORDER_COMMANDS.name, partition=p))
        await asyncio.gather(*sent)


def put(batch: BatchBuilder, command: Any) -> bool:
    """Returns whether the command of an account went into the batch."""
    key = command.account_id.encode()
    return (
        batch.append(timestamp=None, key=key, value=encode(command), headers=list(JSON)) is not None
    )
