"""What is past told again, as a stream that ends: lists of the history, the oldest first, from a position on.

It ends after so many rows, with the position where another one goes on: so none is too long for anybody.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from heapq import merge
from typing import Any, NamedTuple

from pydantic import BaseModel

from events.ids import partition_of
from infra.views.port import AsOf, From, Kind, Reading

from .sse import frame
from .streaming import End, Lacking

MANY = 100
"""Rows of a list that are asked for at once: some 40 KiB of frames."""


class Chapter(NamedTuple):
    """A list by position, the only one of its topic here. event: the name of its frames; tell(row): a frame's data."""

    kind: Kind[Any]
    event: str
    tell: Callable[[Any], BaseModel]


class EndView(BaseModel):
    """more: there may be more from the event's id on."""

    more: bool


class Retelling:
    """start: by topic, the first position to be told of; most: so many rows at most."""

    pause_ms = 0

    def __init__(
        self,
        history: Reading,
        account_id: str,
        chapters: Sequence[Chapter],
        start: Mapping[str, int],
        most: int,
    ) -> None:
        self.history, self.account_id, self.chapters = history, account_id, chapters
        self._at, self._left = dict(start), most

    @property
    def position(self) -> str:
        return str(AsOf(0, self._at))

    async def lacking(self) -> Lacking:
        """Returns the next rows as frames, and the end behind the last. Raises: NotReady, Unavailable."""
        size = min(MANY, self._left)
        asks = [From(each.kind, self._at[each.kind.topic.name], size) for each in self.chapters]
        place = str(partition_of(self.account_id, self.history.partitions))
        look = await self.history.look(place, self.account_id, asks)
        frames, more = [], False
        for chapter, row, last in self._in_turn(look.answers, size):
            self._at[chapter.kind.topic.name] = row.position + 1
            frames.append(frame(chapter.event, chapter.tell(row), self.position))
            self._left -= 1
            more = last or not self._left
            if more:
                break
        if more and self._left:
            return Lacking(b"".join(frames), more=True)
        if (
            not more
        ):  # as far as the history is: a view that went on meanwhile is told of another time
            self._at = {t: max(at, look.as_of.positions.get(t, 0)) for t, at in self._at.items()}
        frames.append(frame("end", EndView(more=more), self.position))
        return Lacking(b"".join(frames), over=End.DONE)

    def _in_turn(
        self, lists: Sequence[Sequence[Any]], size: int
    ) -> Iterator[tuple[Chapter, Any, bool]]:
        """Yields the rows by time, each list's in its order, and whether the list goes on where its answer ends."""
        told = (
            [(chapter, row, len(rows) == size and row is rows[-1]) for row in rows]
            for chapter, rows in zip(self.chapters, lists, strict=True)
        )
        return merge(*told, key=lambda each: each[1].created_at)
