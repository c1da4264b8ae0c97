"""Commands: each into the log, once whatever a client repeats, and back to the client what it came to."""

import asyncio
from contextlib import suppress
from typing import Generic, NamedTuple, TypeVar
from weakref import WeakValueDictionary

from events.envelope import Command
from events.topics import Topic
from infra.crash import Point, passed
from infra.publisher import Publisher
from infra.unavailable import Unavailable
from infra.views.port import Lagging, NotReady

from .problems import Refused
from .projections.outcomes import AGE
from .repeats import Repeats, Request
from .waiting import Outcomes, Rows, Watch

C = TypeVar("C", bound=Command)


class Taken(NamedTuple, Generic[C]):
    """command: as it lies in the log, a repeat's first. rows: that say what it came to, None if it isn't known
    yet; see Matter. replayed: it lay there before.
    """

    command: C
    rows: Rows | None
    replayed: bool


class Edge:
    def __init__(self, publisher: Publisher, repeats: Repeats, outcomes: Outcomes) -> None:
        self.publisher, self.repeats, self.outcomes = publisher, repeats, outcomes
        self._turns: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    async def submit(self, request: Request[C]) -> Taken[C]:
        """Returns the command in the log and, if it is known in time, what it came to.

        Raises: Refused with idempotency_conflict; Unavailable, NotReady, Lagging if it can't be known whether it
        was answered before; none of these has an effect. Refused with log_unavailable: it may have one yet.
        """
        command = request.command
        with self.outcomes.watch(request.matter, command.account_id, command.id) as watch:
            if request.ids:
                command, replayed = await self._enter(request)
                rows = await self._recall(request, watch) if replayed else None
                rows = rows or await self._wait(request, watch)
                passed(Point.EDGE_SETTLED)
                return Taken(command, rows, replayed)
            offset = await self._publish(request.topic, command)
            rows = await self._wait(request, watch)
            if rows is None:  # it is to be found until it is in view
                await self.repeats.mark(request, command, offset)
            return Taken(command, rows, replayed=False)

    async def pending(self, topic: Topic[C], account_id: str, id_: str) -> C | None:
        """Returns the command if it is known to lie in the log. Raises: Unavailable."""
        tried = await self.repeats.tries.find(account_id, id_)
        return topic.decode(tried.command) if tried and tried.offset is not None else None

    async def _enter(self, request: Request[C]) -> tuple[C, bool]:
        """Returns the command in the log, and whether it lay there before."""
        turn = self._turns.setdefault(request.command.id, asyncio.Lock())
        async with turn:  # of equal ones at once here, one publishes
            held = await self.repeats.hold(request)
            if not held.in_log:
                passed(Point.EDGE_HELD)
                offset = await self._publish(request.topic, held.command)
                await self.repeats.mark(request, held.command, offset)
        return held.command, held.in_log

    async def _publish(self, topic: Topic[C], command: C) -> int:
        """Returns the command's offset. Raises: Refused."""
        try:
            offset = (await self.publisher.publish(topic, command)).offset
        except Unavailable as failure:
            raise Refused("log_unavailable") from failure
        passed(Point.EDGE_PUBLISHED)
        return offset

    async def _wait(self, request: Request[C], watch: Watch) -> Rows | None:
        return await self.outcomes.wait(watch, request.wait) if request.wait else None

    async def _recall(self, request: Request[C], watch: Watch) -> Rows | None:
        """Returns the outcome of a command that was taken before, if it is known by now."""
        if rows := await self.outcomes.look(watch):
            return rows
        with suppress(Unavailable, NotReady, Lagging):
            kept = await self.repeats.kept(request)
            if request.matter.is_over(self.repeats.now() - AGE, *kept):
                return kept
        return None
