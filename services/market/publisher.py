"""Writes the market's topics, at least once and unfenced: a repeated record is harmless."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from faststream.kafka import KafkaBroker
from uuid_utils.compat import uuid7

from events.codec import stamp
from events.market import AssetListed, PriceTicked
from events.topics import ASSETS, PRICES, Topic
from infra.log.port import Clock

from .domain import Told, listings, quotes
from .feed import PriceSource

JSON = {"content-type": "application/json"}


def publishing(bootstrap: str) -> KafkaBroker:
    """Returns a broker that appends what it publishes in order, and not twice when it tries again."""
    return KafkaBroker(
        bootstrap.split(","),
        client_id="market",
        enable_idempotence=True,
        compression_type="gzip",  # a tick says the same names again and again
        id_generator=str,  # no correlation id: the market answers nobody
        logger=logging.getLogger(__name__),
    )


class Publisher:
    """The only one that writes to the market's topics."""

    def __init__(self, broker: KafkaBroker, clock: Clock) -> None:
        self.broker, self.clock = broker, clock

    async def list_assets(
        self, catalogue: Iterable[AssetListed], listed: Mapping[str, AssetListed]
    ) -> None:
        """Returns when market.assets says what the catalogue says. listed: what it says so far."""
        news = listings(catalogue, listed)
        await asyncio.gather(*(self.publish(ASSETS, a, key=a.asset_id.encode()) for a in news))

    async def tell_prices(self, source: PriceSource) -> AsyncIterator[int]:
        """Yields, after each tick that stands in market.prices, how many prices it told."""
        told: dict[str, Told] = {}
        tick = 0
        async for prices in source.ticks():
            tick += 1
            if said := quotes(told, prices, tick):
                await self.publish(PRICES, PriceTicked(id="", occurred_at=0, prices=said))
                told |= {quote.asset_id: Told(quote.price, tick) for quote in said}
                yield len(said)

    async def publish(self, topic: Topic[Any], message: Any, key: bytes | None = None) -> None:
        """Returns when the message, stamped, stands in the topic's only partition."""
        stamped = stamp(message, id=str(uuid7()), occurred_at=self.clock.now_ms())
        await self.broker.publish(
            topic.encode(stamped), topic.name, key=key, partition=0, headers=JSON
        )
