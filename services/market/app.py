"""The market's process: lists the catalogue, then tells its prices once a second."""

import asyncio

from prometheus_client import Counter

from infra.log.clock import SystemClock
from infra.log.kafka import KafkaLog
from infra.process.run import Program
from infra.process.server import serve_admin
from infra.process.settings import Settings

from .catalogue import catalogue
from .feed import RandomWalk, beats
from .publisher import Publisher, publishing
from .recall import recall

TICKS = Counter("orderstream_market_ticks", "Records appended to market.prices.")
TOLD = Counter("orderstream_market_prices", "Prices told in them.")


class MarketSettings(Settings):
    """market_seed: the walk of the simulated prices is a function of it."""

    market_seed: str = "orderstream"


async def market(settings: MarketSettings, stop: asyncio.Event) -> None:
    """Returns once it was asked to stop and its last tick is acknowledged."""
    told = asyncio.Event()
    log, assets = KafkaLog(settings.kafka), catalogue()
    async with (
        serve_admin(settings, lambda: {"prices": told.is_set()}),
        publishing(settings.kafka) as broker,
    ):
        known = await recall(log)
        await log.stop()
        publisher = Publisher(broker, SystemClock())
        await publisher.list_assets(assets, known.listed)
        walk = RandomWalk(
            assets, known.prices, seed=settings.market_seed, beats=beats(known.next_tick, stop)
        )
        async for prices in publisher.tell_prices(walk):
            TICKS.inc()
            TOLD.inc(prices)
            told.set()


main = Program(market, MarketSettings)
