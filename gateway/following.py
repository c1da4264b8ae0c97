"""What an account follows: first a snapshot, then what each event makes of its rows from exactly there on."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from prometheus_client import Counter
from pydantic import BaseModel

from events.ids import partition_of
from infra.views.port import Ask, AsOf, Entry, Kind, Reading, Since, View

from .sse import beat, frame
from .streaming import End, Lacking

POSITION = re.compile(r"[a-z]:[0-9]{1,15}(,[a-z]:[0-9]{1,15}){0,7}")
FEW = 20
"""Entries of a topic that are asked for at once: some 16 KiB of frames."""
RESETS = Counter("orderstream_stream_resets", "Clients that could not go on where they were.")


class Channel(NamedTuple):
    """A kind of row that an account can follow. event: the name of its frames; ask: what a snapshot asks;
    tell(row, as_of): a frame's data.
    """

    kind: Kind[Any]
    event: str
    ask: Ask[Any]
    tell: Callable[[Any, AsOf], BaseModel]


class Guard(NamedTuple):
    """What is watched whatever the client follows. ends(row): it may see no more until it comes back."""

    kind: Kind[Any]
    ends: Callable[[Any], bool]


Show = Callable[[AsOf, Sequence[Any]], BaseModel]
"""Returns a snapshot, given the answers to what its channels ask."""


class Following:
    """resume: the position at which the client says that it is."""

    pause_ms = 0

    def __init__(
        self,
        live: Reading,
        account_id: str,
        channels: Sequence[Channel],
        show: Show,
        *,
        guard: Guard,
        resume: str | None = None,
    ) -> None:
        self.live, self.account_id, self.channels, self.show = live, account_id, channels, show
        self.guard = guard
        self._tell = {channel.kind: channel for channel in channels}
        self._kinds: dict[str, tuple[Kind[Any], ...]] = {}
        for kind in dict.fromkeys((*self._tell, guard.kind)):
            self._kinds[kind.topic.name] = (*self._kinds.get(kind.topic.name, ()), kind)
        self._at = positions(resume, self._kinds) if resume else None
        self._is_lost = bool(resume) and self._at is None

    @property
    def position(self) -> str:
        return str(AsOf(0, self._at or {}))

    async def lacking(self) -> Lacking:
        if self._at is None:
            return await self._anew()
        asks = [Since(kinds, self._at[topic], FEW) for topic, kinds in self._kinds.items()]
        place = str(partition_of(self.account_id, self.live.partitions))
        look = await self.live.look(place, self.account_id, asks)
        if None in look.answers:
            self._is_lost = True
            return await self._anew()
        frames, more, ended = [], False, False
        for ask, entries in zip(asks, look.answers, strict=True):
            frames += [self._frame(entry, look.as_of.time) for entry in entries]
            if len(entries) < FEW:
                self._at[ask.topic] = look.as_of.positions.get(ask.topic, 0)
            more |= len(entries) == FEW
            ended |= any(e.kind is self.guard.kind and self.guard.ends(e.value) for e in entries)
        return Lacking(b"".join(frames), more, End.AUTH_EXPIRED if ended else None)

    def _frame(self, entry: Entry, time: int) -> bytes:
        assert self._at is not None
        channel = self._tell.get(entry.kind)
        self._at[entry.kind.topic.name] = entry.offset + 1
        as_of = AsOf(time, self._at)
        if channel is None:
            return beat(str(as_of))
        return frame(channel.event, channel.tell(entry.value, as_of), str(as_of))

    async def _anew(self) -> Lacking:
        """Returns a snapshot, after a word if the client believed to be somewhere."""
        asks = [channel.ask for channel in self.channels]
        as_of, *answers = await View(self.live).read(self.account_id, *asks)
        self._at = {topic: as_of.positions.get(topic, 0) for topic in self._kinds}
        shown = AsOf(as_of.time, self._at)
        snapshot = frame("snapshot", self.show(shown, answers), str(shown))
        if not self._is_lost:
            return Lacking(snapshot)
        self._is_lost = False
        RESETS.inc()
        return Lacking(frame("reset") + snapshot)


def positions(said: str, topics: Mapping[str, Any]) -> dict[str, int] | None:
    """Returns the next offset of each topic as a client says it, None if it can't have been told so."""
    if not POSITION.fullmatch(said):
        return None
    found = {part[0]: int(part[2:]) for part in said.split(",")}
    try:
        return {topic: found[topic[0]] for topic in topics}
    except KeyError:
        return None
