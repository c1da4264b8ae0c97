"""Where prices come from: the port, and the simulated source."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import suppress
from hashlib import blake2b
from itertools import count
from typing import NamedTuple, Protocol

from events.market import AssetListed

from .domain import Prices

BILLION = 10**9
PERIOD = 1  # s between two beats
WIDEST = 100  # a price stays within 1/WIDEST and WIDEST times its listing price


class PriceSource(Protocol):
    """A market whose prices move."""

    def ticks(self) -> AsyncIterator[Prices]:
        """Yields, about once a second, all prices as they are; nothing while it knows of none newer."""


class Temper(NamedTuple):
    """How an asset's price moves, in parts per billion of it: coarser ones would let it drift down.

    size: one standard deviation of a move; pull: the most that a move leans to the listing price.
    """

    size: int
    pull: int


TEMPERS: Mapping[str, Temper] = {
    "stablecoin": Temper(6_000, 2_000_000),
    "commodity": Temper(60_000, 4_000),
    "meme": Temper(400_000, 4_000),
}
USUAL = Temper(200_000, 4_000)  # one move in four seconds: some 3 % a day


class RandomWalk:
    """A seeded walk: the move of an asset is a function of seed, tick and asset alone.

    prices: where the walk begins, the listing price for an asset that isn't among them;
    beats: the numbers of the ticks, each when it is due.
    """

    def __init__(
        self,
        assets: Iterable[AssetListed],
        prices: Prices,
        *,
        seed: str,
        beats: AsyncIterator[int],
    ) -> None:
        self.assets = tuple(assets)
        self.prices = {a.asset_id: prices.get(a.asset_id, a.listing_price) for a in self.assets}
        self.seed = seed
        self.beats = beats

    async def ticks(self) -> AsyncIterator[Prices]:
        """Yields all prices at each beat."""
        async for tick in self.beats:
            for asset in self.assets:
                self.prices[asset.asset_id] = walk(
                    self.prices[asset.asset_id], asset, dice(self.seed, tick, asset.asset_id)
                )
            yield dict(self.prices)


def dice(seed: str, tick: int, asset_id: str) -> bytes:
    """Returns 9 random bytes, the same for the same arguments."""
    return blake2b(f"{seed}:{tick}:{asset_id}".encode(), digest_size=9).digest()


def walk(price: int, asset: AssetListed, thrown: bytes) -> int:
    """Returns the price after the tick, a multiple of tick_size: three times in four as it was."""
    if thrown[8] >= 64:
        return price
    temper = TEMPERS.get(asset.category, USUAL)
    # Four numbers of 16 bits: their sum is near enough to normal, its standard deviation is 37,837.
    total = sum(int.from_bytes(thrown[i : i + 2]) for i in range(0, 8, 2))
    jolt = (total - 2 * 65_535) * temper.size // 37_837
    lean = temper.pull * (asset.listing_price - price) // max(asset.listing_price, price)
    step = asset.tick_size
    moved = price * (BILLION + jolt + lean) + step * BILLION // 2
    lowest = -(-asset.listing_price // (WIDEST * step))
    highest = asset.listing_price * WIDEST // step
    return min(max(moved // (step * BILLION), lowest), highest) * step


async def beats(first: int, stop: asyncio.Event) -> AsyncIterator[int]:
    """Yields first, first + 1 … one a second until it is to stop; those missed aren't made up for."""
    loop = asyncio.get_running_loop()
    due = loop.time()
    for number in count(first):
        with suppress(TimeoutError):
            async with asyncio.timeout_at(due):
                await stop.wait()
        if stop.is_set():
            return
        yield number
        due = max(due + PERIOD, loop.time())
