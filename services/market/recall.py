"""What the market said before: a start goes on from there."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from events.codec import Poison
from events.market import AssetListed, Market
from events.reasons import Unreadable
from events.topics import ASSETS, PRICES, Topic, topic
from infra.log.port import TP, Log, Record

from .domain import Prices

ASSETS_0: TP = (ASSETS.name, 0)
PRICES_0: TP = (PRICES.name, 0)
TAIL = 600  # records: in REPEAT of them every price is told; more, for assets that come and go
WAIT_MS = 500


class Recalled(NamedTuple):
    """What consumers know by asset_id. next_tick: a number that no earlier tick had."""

    listed: Mapping[str, AssetListed]
    prices: Prices
    next_tick: int


async def recall(log: Log) -> Recalled:
    """Returns what stands in the market's topics at their ends."""
    bounds = await log.bounds((ASSETS_0, PRICES_0))
    tail = max(bounds[PRICES_0].start, bounds[PRICES_0].end - TAIL)
    reader = await log.reader({ASSETS_0: bounds[ASSETS_0].start, PRICES_0: tail})
    market = Market()
    try:
        while not (reader.drained(ASSETS_0) and reader.drained(PRICES_0)):
            for (name, _), records in (await reader.fetch(WAIT_MS)).items():
                for record in records:
                    if message := read(topic(name), record):
                        market.fold(message, record.timestamp, record.offset)
        prices = {asset_id: seen.price for asset_id, seen in market.prices.items()}
        return Recalled(market.assets, prices, reader.position(PRICES_0))
    finally:
        await reader.stop()


def read(source: Topic[Any], record: Record) -> Any:
    """Returns the message, None if it is garbage, which every reader passes over. Raises: Poison if it is newer."""
    try:
        return source.decode(record.value or b"")
    except Poison as poison:
        if poison.reason != Unreadable.MALFORMED:
            raise
    return None
