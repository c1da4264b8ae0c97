"""The market as a process on a real broker, ended gently and not."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator

import pytest

from events.topics import ASSETS, PRICES
from infra.log.admin import ensure
from infra.log.kafka import KafkaLog
from infra.log.port import Reader, Record, TopicSpec
from services.market.app import MarketSettings
from services.market.catalogue import catalogue
from services.market.feed import RandomWalk
from services.market.recall import ASSETS_0, PRICES_0
from tests.stack import serve

SPECS = [TopicSpec(ASSETS.name, 1, compacted=True), TopicSpec(PRICES.name, 1)]
CATALOGUE = catalogue()
SEED = MarketSettings.model_fields["market_seed"].default


async def live(kafka: str, reader: Reader, ticks: int, end: signal.Signals) -> list[Record]:
    """Returns what a market process appended from its start to its end, at least so many ticks."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from services.market.app import main; main()",
        env={**os.environ, "ORDERSTREAM_KAFKA": kafka},
    )
    records: list[Record] = []
    try:
        async with asyncio.timeout(60):
            while len([record for record in records if record.topic == PRICES.name]) < ticks:
                records += await fetched(reader)
            process.send_signal(end)
            assert await process.wait() == (0 if end == signal.SIGTERM else -end)
    finally:
        if process.returncode is None:
            process.kill()
    while not (reader.drained(ASSETS_0) and reader.drained(PRICES_0)):
        records += await fetched(reader)
    return records


async def fetched(reader: Reader) -> list[Record]:
    return [record for records in (await reader.fetch(500)).values() for record in records]


async def numbers(ticks: int) -> AsyncIterator[int]:
    for number in range(ticks):
        yield number


@pytest.mark.stack
async def test_a_market_that_starts_again_goes_on_where_it_stopped() -> None:
    kafka = serve("market", "kafka").endpoints()["kafka"]  # nobody else writes its topics
    await ensure(SPECS, kafka)
    log = KafkaLog(kafka)
    reader = await log.reader({ASSETS_0: 0, PRICES_0: 0})

    lives = [
        await live(kafka, reader, 7, signal.SIGTERM),
        await live(kafka, reader, 2, signal.SIGKILL),
        await live(kafka, reader, 2, signal.SIGTERM),
    ]

    await reader.stop()
    await log.stop()
    listed = [sorted(r.key or b"" for r in records if r.topic == ASSETS.name) for records in lives]
    assert listed == [sorted(asset.asset_id.encode() for asset in CATALOGUE), [], []]
    ticks = [record for records in lives for record in records if record.topic == PRICES.name]
    assert {record.headers for record in ticks} == {(("content-type", b"application/json"),)}
    told: dict[str, int] = {}
    for record in ticks:
        told |= {quote.asset_id: quote.price for quote in PRICES.decode(record.value or b"").prices}
    unbroken = RandomWalk(CATALOGUE, {}, seed=SEED, beats=numbers(len(ticks)))
    assert told == [prices async for prices in unbroken.ticks()][-1]
