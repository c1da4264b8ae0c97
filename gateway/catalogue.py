"""What is traded and at what price, as the live view told a moment ago: kept here, so nobody waits for it, and
known even while that view is away.
"""

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import structlog

from events.market import AssetListed, Market, Seen
from events.topics import ASSETS, PRICES
from infra.unavailable import Unavailable
from infra.views.port import All, AsOf, Changes, NotReady, View

from .moves import Moves
from .projections.market import ASSET, PRICE

EVERY = 1  # s, if nobody tells
OF_MARKET = (ASSETS.name, PRICES.name)
log = structlog.get_logger()


class Quoted(NamedTuple):
    """An asset, its newest price if it ever had one, and whether it may be traded."""

    asset: AssetListed
    seen: Seen | None
    tradable: bool


class Catalogue:
    """told: called whenever it has looked."""

    def __init__(self, live: View, told: Callable[[], None] = lambda: None) -> None:
        self._live = live
        self._tell = told
        self._market: Market | None = None
        self._as_of = AsOf(0, {})
        self.moves = Moves()

    @property
    def as_of(self) -> AsOf:
        """Where in market.prices it stands."""
        return self._as_of

    @property
    def market(self) -> Market:
        """Returns what the order service decides with, as of then. Raises: NotReady before the first look."""
        return self._known()

    def quotes(self) -> list[Quoted]:
        """Returns every asset. Raises: NotReady before the first look."""
        return [self._quoted(asset) for asset in self._known().assets.values()]

    def quote(self, asset_id: str) -> Quoted | None:
        """Returns the asset if it is listed. Raises: NotReady before the first look."""
        asset = self._known().assets.get(asset_id)
        return self._quoted(asset) if asset else None

    async def told(self) -> None:
        """Raises: Unavailable before the market has told of any asset."""
        if self._market is None or not self._market.prices:
            raise Unavailable("market")

    async def look(self) -> None:
        """Takes in what the live view shows. Raises: NotReady, Unavailable."""
        as_of, assets, prices = await self._live.read(None, All(ASSET), All(PRICE))
        market = Market()
        market.assets.update(assets)
        for asset_id, row in prices.items():
            market.prices[asset_id] = Seen(row.price, row.time, row.position)
        told = {name: at for name, at in as_of.positions.items() if name == PRICES.name}
        self._market, self._as_of = market, AsOf(as_of.time, told)
        self.moves.tell(None)
        self._tell()

    async def keep_looking(self) -> None:
        """Looks until it is canceled."""
        while True:
            await self._look_if_it_can()
            await asyncio.sleep(EVERY)

    async def follow(self, changes: Changes) -> None:
        """Looks whenever the market has told something, until it is canceled."""
        async for changed in changes.changes():
            if changed is None or changed.topic in OF_MARKET:
                await self._look_if_it_can()

    async def _look_if_it_can(self) -> None:
        try:
            await self.look()
        except (NotReady, Unavailable) as failure:
            log.warning("catalogue_stands_still", why=str(failure))

    def _known(self) -> Market:
        if self._market is None:
            raise NotReady("the catalogue")
        return self._market

    def _quoted(self, asset: AssetListed) -> Quoted:
        market = self._known()
        seen = market.prices.get(asset.asset_id)
        return Quoted(asset, seen, tradable=not market.halted(asset))
