"""Waiting for what a command came to. What counts is what the live view's rows say: their changes tell them, and
whoever may have missed one looks.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from events.ids import partition_of
from infra.unavailable import Unavailable
from infra.views.port import Changed, Changes, Kind, NotReady, One, Reading

from .moves import Moves
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


def is_answered(_: int, answer: OrderOutcome | Settlement | None, *_others: object) -> bool:
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
STEERING = Matter(  # what order.events alone answers, and no order has a say in
    outcome=(ORDER_OUTCOME,),
    is_known=lambda answer: answer is not None,
    kept=(ORDER_OUTCOME, ORDER, BALANCE_OUTCOME),
    is_over=is_answered,
)


@dataclass(eq=False)
class Watch:
    """Somebody who waits. rows: the newest seen of each kind; told: the outcome's rows, once they say all."""

    matter: Matter
    id: str
    place: str
    rows: dict[Kind[Any], Any] = field(default_factory=dict)
    told: asyncio.Future[Rows] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )

    def take(self, kind: Kind[Any], row: Any) -> None:
        """Takes in a row of the outcome, unless a newer one was seen. One never seen says nothing yet."""
        seen = self.rows.get(kind)
        if self.told.done() or (seen is not None and seen.position > row.position):
            return
        self.rows[kind] = row
        rows = tuple(map(self.rows.get, self.matter.outcome))
        if self.matter.is_known(*rows):
            self.told.set_result(rows)


class Outcomes:
    def __init__(self, live: Reading, changes: Changes) -> None:
        self.live = live
        self.changes = changes
        self.moves = Moves()
        self._watches: dict[str, set[Watch]] = {}

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
        asks = [One(kind, watch.id) for kind in watch.matter.outcome]
        try:
            look = await self.live.look(watch.place, "", asks)
        except (NotReady, Unavailable):
            return None
        for kind, row in zip(watch.matter.outcome, look.answers, strict=True):
            if row is not None:
                watch.take(kind, row)
        return watch.told.result() if watch.told.done() else None

    async def wait(self, watch: Watch, seconds: int) -> Rows | None:
        """Returns the outcome's rows once they say all, None if they don't in time."""
        await asyncio.wait([watch.told], timeout=seconds)
        return watch.told.result() if watch.told.done() else await self.look(watch)

    async def follow(self) -> None:
        """Tells whoever waits, until it is canceled."""
        async with asyncio.TaskGroup() as looks:
            async for changed in self.changes.changes():
                self.moves.tell(changed)
                if changed is not None:
                    self._tell(changed)
                    continue
                for watch in [watch for watches in self._watches.values() for watch in watches]:
                    looks.create_task(self.look(watch))

    def _tell(self, changed: Changed) -> None:
        for id_ in changed.rows.keys() & self._watches.keys():
            for watch in self._watches[id_]:
                for kind in watch.matter.outcome:
                    if kind.topic.name == changed.topic:
                        watch.take(kind, kind.decode(changed.rows[id_]))
