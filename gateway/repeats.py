"""Which commands are repeats. A client's name for a command is its account's for ever: what was tried under it
within a day is remembered, what was answered before that the history knows, and what was answered lately the
service that answered. The live view knows of every name whether it may have been answered: of a new one the
history is not asked.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar

from pydantic_core import from_json

from events.envelope import Command
from events.ids import partition_of
from events.topics import Topic
from infra.shell.repeats import SLACK, WINDOW
from infra.stores.idempotency import Tries, Try
from infra.unavailable import Unavailable
from infra.views.port import Lagging, Look, NotReady, One, Reading

from .problems import Refused
from .projections.names import NAMES, may_be_taken, row_of
from .waiting import Matter, Rows

C = TypeVar("C", bound=Command)
WITHIN = 1  # s; who sends a command is not kept waiting for a history that does not answer


@dataclass(frozen=True, kw_only=True)
class Request(Generic[C]):
    """ids: by the names that the client gave the command, its own id first; none if it gave none.
    wait: s for the outcome.
    """

    topic: Topic[Any]
    command: C
    matter: Matter
    ids: Sequence[str]
    wait: int


class Held(NamedTuple, Generic[C]):
    """command: the one that holds under the request's names; in_log: it is known to lie there."""

    command: C
    in_log: bool


class Repeats:
    """now: ms since the epoch."""

    def __init__(
        self, tries: Tries, live: Reading, history: Reading, now: Callable[[], int]
    ) -> None:
        self.tries, self.live, self.history, self.now = tries, live, history, now

    async def hold(self, request: Request[C]) -> Held[C]:
        """Returns the command that holds under the request's names, from now on at the latest.

        Raises: Refused with idempotency_conflict; Unavailable, NotReady, Lagging if it can't be known whether it
        was answered before.
        """
        held = await self._first_try(request)
        return held._replace(in_log=held.in_log or await self._was_answered(request))

    async def mark(self, request: Request[C], command: C, offset: int) -> None:
        """Remembers that the command lies in the log. If the store is away, the next try publishes it once more,
        which is a repeat to the service.
        """
        with suppress(Unavailable):
            tried = Try(request.topic.encode(command), offset)
            await self.tries.keep(command.account_id, request.ids or [command.id], tried)

    async def kept(self, request: Request[C]) -> Rows:
        """Returns what the history keeps of the command, see Matter. Raises: Unavailable, NotReady, Lagging."""
        return tuple((await self._kept(request)).answers[: len(request.matter.kept)])

    async def _first_try(self, request: Request[C]) -> Held[C]:
        """Returns the first try; but this one if the first never came to the log and would now come too late."""
        command = request.command
        mine = Try(request.topic.encode(command))
        tries = await self.tries.first(command.account_id, request.ids, mine)
        for each in tries:
            if each.command != mine.command:
                require_same(from_json(each.command)["fingerprint"], command)
        tried = next((each for each in tries if each.offset is not None), tries[0])
        if tried.command != mine.command:
            first: C = request.topic.decode(tried.command)
            if tried.offset is not None or self.now() - first.created_at < WINDOW - SLACK:
                command = first
        return Held(command, in_log=tried.offset is not None)

    async def _was_answered(self, request: Request[C]) -> bool:
        """Returns whether the history knows the command. One that it doesn't was not answered, or so lately that
        the service drops a repeat.
        """
        if await self._is_new(request):
            return False
        look = await self._kept(request)
        try:
            for row in filter(None, look.answers):
                require_same(row.fingerprint, request.command)
        except Refused:  # this try must not hold against the true one's repeats
            await self.tries.forget(request.command.account_id, request.ids)
            raise
        if any(look.answers):
            return True
        if look.as_of.time < self.now() - WINDOW:
            await self._require_no_more(request, look.as_of.positions)
        return False

    async def _is_new(self, request: Request[C]) -> bool:
        """Returns whether the live view knows that nothing was answered under the request's names, but lately."""
        asks = [One(kind, row_of(id_)) for id_ in request.ids for kind in NAMES]
        try:
            look = await self.live.look(self._place(request.command), "", asks)
        except (NotReady, Unavailable):
            return False
        if look.as_of.time < self.now() - WINDOW:  # quiet or behind, who knows
            return False
        asked = [id_ for id_ in request.ids for _ in NAMES]
        return not any(map(may_be_taken, look.answers, asked))

    async def _require_no_more(self, request: Request[C], positions: Mapping[str, int]) -> None:
        """Raises: Lagging if the live view has seen more than the history, NotReady, Unavailable."""
        command = request.command
        seen = (await self.live.look(self._place(command), command.account_id, ())).as_of.positions
        for kind in request.matter.kept:
            if positions.get(kind.topic.name, 0) < seen.get(kind.topic.name, 0):
                raise Lagging

    async def _kept(self, request: Request[C]) -> Look:
        """Returns what the history keeps under each of the request's names, the command's own id first."""
        command = request.command
        asks = [One(kind, id_) for id_ in request.ids for kind in request.matter.kept]
        try:
            async with asyncio.timeout(WITHIN):
                return await self.history.look(self._place(command), command.account_id, asks)
        except TimeoutError as failure:
            raise Unavailable("history") from failure

    def _place(self, command: Command) -> str:
        return str(partition_of(command.account_id, self.history.partitions))


def require_same(fingerprint: str | None, command: Command) -> None:
    """Raises: Refused unless the fingerprint is the command's."""
    if fingerprint != command.fingerprint:
        raise Refused("idempotency_conflict")
