"""The prices as a stream of them tells: the newest of each asset, however slowly a client reads."""

import re
from typing import NamedTuple

from pydantic import BaseModel

from events.topics import PRICES
from infra.views.port import AsOf

from .as_of import AsOfView, shown
from .catalogue import Catalogue
from .decimals import from_minor
from .sse import frame
from .streaming import Lacking
from .times import Timestamp

POSITION = re.compile(r"m:([0-9]{1,15})")
Assets = frozenset[str] | None
"""None: all."""


class PriceView(BaseModel):
    """price: USD a whole unit."""

    id: str
    price: str
    price_time: Timestamp
    price_position: int


class PricesView(BaseModel):
    """What was told since the position before."""

    items: list[PriceView]
    as_of: AsOfView


class Told(NamedTuple):
    """What was told from `start` on of these assets."""

    start: int
    assets: Assets


class Ticker:
    """Frames of prices, each made once for all clients that stand at the same position."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._at = AsOf(0, {})
        self._frames: dict[Told, bytes] = {}

    @property
    def position(self) -> int:
        return self.catalogue.as_of.positions.get(PRICES.name, 0)

    def since(self, start: int, assets: Assets) -> bytes:
        """Returns the frame of what was told from there on, nothing if that is nothing. Raises: NotReady."""
        if self.catalogue.as_of is not self._at:
            self._at = self.catalogue.as_of
            self._frames.clear()
        told = Told(start, assets)
        if told not in self._frames:
            self._frames[told] = self._frame(told)
        return self._frames[told]

    def _frame(self, told: Told) -> bytes:
        items = [
            PriceView(
                id=asset.asset_id,
                price=from_minor(seen.price, asset.price_scale),
                price_time=seen.time,
                price_position=seen.offset,
            )
            for asset, seen, _ in self.catalogue.quotes()
            if seen
            and seen.offset >= told.start
            and (told.assets is None or asset.asset_id in told.assets)
        ]
        if not items:
            return b""
        view = PricesView(items=items, as_of=shown(self._at))
        return frame("prices", view, str(self._at))


class Watching:
    """One client of the prices. resume: the position at which it says that it is."""

    pause_ms = 250

    def __init__(self, ticker: Ticker, assets: Assets, resume: str | None) -> None:
        self.ticker, self.assets = ticker, assets
        said = POSITION.fullmatch(resume or "")
        self._at = int(said[1]) if said and int(said[1]) <= ticker.position else 0

    @property
    def position(self) -> str:
        return f"m:{self._at}"

    async def lacking(self) -> Lacking:
        start, self._at = self._at, self.ticker.position
        news = start < self._at or self._at == 0
        return Lacking(self.ticker.since(start, self.assets) if news else b"")
