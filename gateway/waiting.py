"""Waiting for what a command came to. Changes of the live view only wake: what counts is what its rows say,
and one look answers all whom one change has woken.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from events.ids import partition_of
from infra.unavailable import Unavailable
from infra.views.port import Changes, Kind, NotReady, One, Reading

from .projections.orders import OPEN, ORDER, OrderRow
from .projections.outcomes import (
    BALANCE_OUTCOME,
    ORDER_OUTCOME,
    PORTFOLIO_OUTCOME,
    OrderOutcome,
    Settlement,
    is_known,
)

Rows = tuple[Any, ...]
MOST = 200  # of those woken, in one look


class Matter(NamedTuple):
    """Which rows, by the command's id, have a say in what it came to.

    outcome: in the live view; is_known(*rows): whether these say all. kept: in the history, for ever; is_over(
    dropped, *rows): whether these do, given that a live view has dropped outcomes from before that time, ms; also
    what another matter would have kept, for a name is good for one command. The first of either is the answer's own.
    """

    outcome: tuple[Kind[Any], ...]
    is_known: Callable[..., bool]
    kept: tuple[Kind[Any], ...]
    is_over: Callable[..., bool]


def order_is_over(
    dropped: int, answer: OrderOutcome | None, order: OrderRow | None, _: object
) -> bool:
    """Returns whether the command was refused, or its order over for so long that all has moved."""
    ended = order is not None and order.status not in OPEN and order.updated_at < dropped
    return answer is not None or ended


def is_answered(_: int, answer: Settlement | None, *_others: object) -> bool:
    return answer is not None


PLACING = Matter(
    outcome=(ORDER_OUTCOME, BALANCE_OUTCOME, PORTFOLIO_OUTCOME),
    is_known=is_known,
    kept=(ORDER_OUTCOME, ORDER, BALANCE_OUTCOME),
    is_over=order_is_over,
)
FUNDING = Matter(
    outcome=(BALANCE_OUTCOME,),
    is_known=lambda answer: answer is not None,
    kept=(BALANCE_OUTCOME, ORDER_OUTCOME, ORDER),
    is_over=is_answered,
)


@dataclass(eq=False)
class Watch:
    """Somebody who waits. told: the outcome's rows, once they say all."""

    matter: Matter
    id: str
    place: str
    told: asyncio.Future[Rows] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Outcomes:
    def __init__(self, live: Reading, changes: Changes) -> None:
        self.live = live
        self.changes = changes
        self._watches: dict[str, set[Watch]] = {}
        self._due: dict[str, set[Watch]] = {}

    @contextmanager
    def watch(self, matter: Matter, account_id: str, id_: str) -> Iterator[Watch]:
        """Returns what hears of every change from now on, while the block runs."""
        watch = Watch(matter, id_, str(partition_of(account_id, self.live.partitions)))
        watches = self._watches.setdefault(id_, set())
        watches.add(watch)
        try:
            yield watch
        finally:
            watches.remove(watch)
            if not watches:
                self._watches.pop(id_, None)

    async def look(self, watch: Watch) -> Rows | None:
        """Returns the outcome's rows if they say all and the view can be asked."""
        try:
            await self._look(watch.place, [watch])
        except (NotReady, Unavailable):
            return None
        return watch.told.result() if watch.told.done() else None

    async def wait(self, watch: Watch, seconds: int) -> Rows | None:
        """Returns the outcome's rows once they say all, None if they don't in time."""
        await asyncio.wait([watch.told], timeout=seconds)
        return watch.told.result() if watch.told.done() else await self.look(watch)

    async def follow(self) -> None:
        """Wakes until it is canceled."""
        async with asyncio.TaskGroup() as looks:
            await self._follow(looks)

    async def _follow(self, looks: asyncio.TaskGroup) -> None:
        async for changed in self.changes.changes():
            woken = self._watches.keys() if changed is None else changed.ids & self._watches.keys()
            for watch in [watch for id_ in woken for watch in self._watches[id_]]:
                if watch.place in self._due:
                    self._due[watch.place].add(watch)
                else:
                    self._due[watch.place] = {watch}
                    looks.create_task(self._look_at(watch.place))

    async def _look_at(self, place: str) -> None:
        """Looks until nobody at the place is due. What a view does not tell now, the deadline's look may."""
        while due := [watch for watch in self._due[place] if not watch.told.done()]:
            self._due[place] = set()
            for first in range(0, len(due), MOST):
                try:
                    await self._look(place, due[first : first + MOST])
                except (NotReady, Unavailable):
                    break
        del self._due[place]

    async def _look(self, place: str, watches: list[Watch]) -> None:
        """Tells each watch what the rows say, if they say all. Raises: NotReady, Unavailable."""
        asks = [One(kind, watch.id) for watch in watches for kind in watch.matter.outcome]
        answers = iter((await self.live.look(place, "", asks)).answers)
        for watch in watches:
            rows = tuple(next(answers) for _ in watch.matter.outcome)
            if watch.matter.is_known(*rows) and not watch.told.done():
                watch.told.set_result(rows)
