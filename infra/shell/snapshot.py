"""Snapshots: they only shorten the restart. The own topic is the truth.

In this order: the changed rows, gone ones as such; when all are acknowledged the closing record; then tombstones.
A state topic is compacted, so a key's newest record is its row.
"""

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from pydantic_core import from_json, to_json

from events.codec import encode
from events.decider import Key
from infra.crash import Point, passed
from infra.log.port import MAX_BATCH, TP, Draft, Writer, size_of

from . import checkpoint as checkpoints
from .checkpoint import Checkpoint
from .rows import Noted

INTERVAL_MS = 5_000
CHANGED_ROWS = 50_000
"""A row that changes again and again is written once for all its changes since the last snapshot. Events of so many
are replayed in less than a second.
"""
CLOSING = b"closing"
ROOM = MAX_BATCH - 1_000
"""Bytes of records in a batch."""
ROW_LIMIT = 65_536
"""Bytes. A larger row is a bug."""


class Closing(NamedTuple):
    """position: the own offset from which on events are not in the rows; checkpoint: the inputs' at that point."""

    position: int
    checkpoint: Checkpoint


class Side:
    """The writer of what stands beside the events: snapshots and dead letters, one append at a time."""

    def __init__(self, writer: Writer) -> None:
        self.writer = writer
        self.lock = asyncio.Lock()

    async def append(self, to: TP, drafts: Iterable[Draft]) -> None:
        """Returns when all are acknowledged, in as many batches as they take. Raises: Lost, TooLarge.

        Between two of them others may append: a dead letter waits for one batch, never for a whole snapshot.
        """
        for i, some in enumerate(cut(drafts)):
            if i:
                passed(Point.SNAPSHOT_HALF)
            async with self.lock:
                batch = self.writer.batch(to)
                for draft in some:
                    batch.add(draft)
                await self.writer.append(batch)


def cut(drafts: Iterable[Draft]) -> Iterator[list[Draft]]:
    """Yields what makes a batch, none empty. A record that is larger than any batch of its origin makes one alone:
    that topic takes it.
    """
    some: list[Draft] = []
    size = 0
    for draft in drafts:
        if some and size + size_of(draft) > ROOM:
            yield some
            some, size = [], 0
        some.append(draft)
        size += size_of(draft)
    if some:
        yield some


async def write(side: Side, to: TP, noted: Sequence[Noted], closing: Closing) -> None:
    """Returns when the snapshot is whole. All of noted must be acknowledged in the own topic."""
    await side.append(to, (Draft(_key(key), _value(row, at)) for key, row, at in noted))
    passed(Point.SNAPSHOT_UNCLOSED)
    body = {"position": closing.position, "checkpoint": from_json(closing.checkpoint.encode())}
    await side.append(to, [Draft(CLOSING, to_json(body))])
    passed(Point.SNAPSHOT_CLOSED)
    await side.append(to, (Draft(_key(key), None) for key, row, _ in noted if row is None))


def _key(key: Key) -> bytes:
    return to_json(key)


def _value(row: Any, at: int) -> bytes:
    if row is None:
        return b'{"at":%d}' % at
    raw: bytes = encode(row)
    assert len(raw) <= ROW_LIMIT, f"a row of {len(raw)} bytes"
    return b'{"at":%d,"row":%b}' % (at, raw)


def read_key(raw: bytes) -> Key:
    """Returns the row's key that a state record has."""
    return tuple(from_json(raw))


def read_closing(raw: bytes) -> Closing:
    """Returns the closing record. Raises: ValueError, KeyError if it is none."""
    body = from_json(raw)
    return Closing(body["position"], checkpoints.decode(to_json(body["checkpoint"])))
