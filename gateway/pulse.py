"""Which of the log, the views and the market is away or has fallen behind: asked once a second, of what is at hand.

The log has a new record of prices every second. So a live view that has not come to where the log ended a while ago has
lost its projector, and one that has, but shows no new price, the market. The history must come to where the live view
was.
"""

from collections.abc import Awaitable, Callable, Mapping
from itertools import cycle
from typing import NamedTuple

from events.topics import PRICES
from infra.unavailable import Unavailable
from infra.views.port import MARKET, NotReady, Reading

from .catalogue import Catalogue
from .readiness import Components

LATE = 10_000  # ms
Now = Callable[[], int]
"""Returns ms."""
Positions = Mapping[str, int]
"""By topic."""


class Chase:
    """One who shall come to where another is."""

    def __init__(self, now: Now) -> None:
        self._now = now
        self._meant: Positions = {}
        self._since = now()

    def keeps_up(self, behind: Positions, ahead: Positions) -> bool:
        """Returns whether the first has come to where the second was LATE ago."""
        if all(behind.get(topic, 0) >= at for topic, at in self._meant.items()):
            self._meant, self._since = ahead, self._now()
        return self._now() - self._since < LATE


class Shown(NamedTuple):
    """The views, and what is kept of the one."""

    live: Reading
    history: Reading
    catalogue: Catalogue


class Pulse:
    """end: returns where market.prices ends, or raises Unavailable. What is asked raises Unavailable or NotReady if it
    is not as it should be.
    """

    def __init__(self, shown: Shown, end: Callable[[], Awaitable[int]], now: Now) -> None:
        self.shown, self.end, self.now = shown, end, now
        self._end: int | None = None
        self._prices = Chase(now)
        self._at, self._moved = 0, now()
        self._chases = {str(p): Chase(now) for p in range(shown.history.partitions)}
        self._places = cycle(self._chases)

    def components(self) -> Components:
        return {
            "kafka": self.kafka,
            "live": self.live,
            "history": self.history,
            "market": self.market,
        }

    async def kafka(self) -> None:
        try:
            self._end = await self.end()
        except Unavailable:  # what it does not bring is nobody else's fault
            self._end, self._prices, self._moved = None, Chase(self.now), self.now()
            raise

    async def live(self) -> None:
        shown = (await self.shown.live.look(MARKET, "", ())).as_of.positions
        if self._end is not None and not self._prices.keeps_up(shown, {PRICES.name: self._end}):
            raise Unavailable("live")

    async def history(self) -> None:
        """Asks one place after the other."""
        place = next(self._places)
        kept = (await self.shown.history.look(place, "", ())).as_of.positions
        try:
            shown = (await self.shown.live.look(place, "", ())).as_of.positions
        except (NotReady, Unavailable):
            return
        if not self._chases[place].keeps_up(kept, shown):
            raise Unavailable("history")

    async def market(self) -> None:
        """Also before it has told of any asset."""
        await self.shown.catalogue.told()
        at = self.shown.catalogue.as_of.positions.get(PRICES.name, 0)
        if at != self._at:
            self._at, self._moved = at, self.now()
        if at == self._end and self.now() - self._moved >= LATE:
            raise Unavailable("market")
