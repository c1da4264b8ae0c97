"""What the market says, read back by a subscriber and by its own next life."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from faststream.kafka import KafkaMessage, TestKafkaBroker

from events.codec import Poison, stamp
from events.market import PriceTicked, Quote
from events.topics import ASSETS, PRICES
from infra.log.clock import VirtualClock
from infra.log.life import Life
from infra.log.memory import MemoryLog
from infra.log.port import Draft, TopicSpec
from services.market.catalogue import catalogue
from services.market.domain import REPEAT, Prices
from services.market.publisher import Publisher, publishing
from services.market.recall import ASSETS_0, PRICES_0, TAIL, recall

SPECS = [TopicSpec(ASSETS.name, 1, compacted=True), TopicSpec(PRICES.name, 1)]
BTC = catalogue()[0]
LISTED = stamp(BTC, id="0" * 36, occurred_at=1)


class Script:
    """A price source that says what it is told to."""

    def __init__(self, *said: Prices) -> None:
        self.said = said

    async def ticks(self) -> AsyncIterator[Prices]:
        for prices in self.said:
            yield prices


def ticked(number: int, **prices: int) -> PriceTicked:
    quotes = tuple(Quote(asset_id=asset_id, price=price) for asset_id, price in prices.items())
    return PriceTicked(id=f"{number:036}", occurred_at=1, prices=quotes)


async def subscribed(*said: Prices) -> list[Any]:
    """Returns the records that a subscriber of both topics gets of a market that lists BTC."""
    broker, got = publishing("nowhere"), list[Any]()

    @broker.subscriber(ASSETS.name, PRICES.name)
    async def take(message: KafkaMessage) -> None:
        got.append(message.raw_message)

    async with TestKafkaBroker(broker):
        publisher = Publisher(broker, VirtualClock())
        await publisher.list_assets([BTC], {})
        told = [count async for count in publisher.tell_prices(Script(*said))]
    assert told == [len(PRICES.decode(record.value).prices) for record in got[1:]]
    return got


async def test_an_asset_is_listed_under_its_symbol_and_a_tick_under_none() -> None:
    asset, tick = await subscribed({"BTC": 7})
    assert (asset.topic, asset.partition, asset.key) == (ASSETS.name, 0, b"BTC")
    assert (tick.topic, tick.partition, tick.key) == (PRICES.name, 0, b"")


async def test_a_tick_tells_what_the_domain_says() -> None:
    _, *ticks = await subscribed(*[{"BTC": 7}] * REPEAT, {"BTC": 7, "ETH": 9}, {"BTC": 8, "ETH": 9})
    told = [PRICES.decode(record.value).prices for record in ticks]
    assert [{quote.asset_id: quote.price for quote in quotes} for quotes in told] == [
        {"BTC": 7},
        {"BTC": 7, "ETH": 9},
        {"BTC": 8},
    ]


async def test_no_two_records_share_an_id() -> None:
    asset, *ticks = await subscribed({"BTC": 7}, {"BTC": 8}, {"BTC": 7})
    ids = {ASSETS.decode(asset.value).id} | {PRICES.decode(tick.value).id for tick in ticks}
    assert len(ids) == 4


async def test_a_new_market_recalls_nothing() -> None:
    assert await recall(Life(MemoryLog(SPECS))) == ({}, {}, 0)


async def test_a_market_recalls_its_listings_and_the_last_price_of_each_asset() -> None:
    log = MemoryLog(SPECS)
    log.put(ASSETS_0, [Draft(b"BTC", ASSETS.encode(LISTED))])
    log.put(PRICES_0, [Draft(None, PRICES.encode(ticked(n, ETH=n))) for n in range(1, TAIL + 9)])
    log.put(PRICES_0, [Draft(None, PRICES.encode(ticked(0, BTC=7)))])

    listed, prices, next_tick = await recall(Life(log))

    assert listed == {"BTC": LISTED}
    assert prices == {"BTC": 7, "ETH": TAIL + 8}
    assert next_tick == log.bounds(PRICES_0).end


async def test_a_market_recalls_what_retention_has_left() -> None:
    log = MemoryLog(SPECS)
    log.put(PRICES_0, [Draft(None, PRICES.encode(ticked(n, BTC=n))) for n in (1, 2, 3)])
    log.delete_before(PRICES_0, 3)
    assert await recall(Life(log)) == ({}, {}, 3)


async def test_a_market_recalls_what_stands_around_garbage() -> None:
    log = MemoryLog(SPECS)
    log.put(ASSETS_0, [Draft(b"BTC", b"garbage"), Draft(b"BTC", ASSETS.encode(LISTED))])
    log.put(PRICES_0, [Draft(None, PRICES.encode(ticked(7, BTC=7))), Draft(None, b"garbage")])
    assert await recall(Life(log)) == ({"BTC": LISTED}, {"BTC": 7}, 2)


async def test_a_market_recalls_nothing_of_what_is_newer_than_it() -> None:
    log = MemoryLog(SPECS)
    log.put(PRICES_0, [Draft(None, b'{"type":"price_ticked","version":99}')])
    with pytest.raises(Poison, match="version"):
        await recall(Life(log))


@pytest.mark.stack
async def test_it_begins_with_any_of_the_brokers_named(kafka: str) -> None:
    async with publishing(f"127.0.0.1:1,{kafka}") as broker:
        assert await broker.ping(timeout=30)
