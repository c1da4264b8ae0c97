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
from infra.log.port import MAX_BATCH, TP, Batch, Draft, Writer, size_of

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
BESIDE = 1_000
"""Bytes that a record takes in a batch beside its value, mostly far less."""


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
        rest = iter(drafts)
        draft = next(rest, None)
        while draft:
            async with self.lock:
                batch = self.writer.batch(to)
                draft = fill(batch, draft, rest)
                await self.writer.append(batch)
            if draft:
                passed(Point.SNAPSHOT_HALF)


def fill(batch: Batch, first: Draft, rest: Iterator[Draft]) -> Draft | None:
    """Returns the record that begins the next batch, None if there is none. One that is larger than any batch of its
    origin makes a batch alone: that topic takes it.
    """
    full = batch.free - ROOM
    batch.add(first)
    for draft in rest:
        left = batch.free - full
        if len(draft.value or b"") + BESIDE > left and size_of(draft) > left:
            return draft
        batch.add(draft)
    return None


async def write(side: Side, to: TP, noted: Sequence[Noted], closing: Closing) -> None:
    """Returns when the snapshot is whole. All of noted must be acknowledged in the own topic."""
    await side.append(to, (Draft(_key(key), _value(row, at)) for key, row, at in noted))
    passed(Point.SNAPSHOT_UNCLOSED)
    body = {"position": closing.position, "checkpoint": from_json(closing.checkpoint.encode())}
    await side.append(to, [Draft(CLOSING, to_json(body))])
    passed(Point.SNAPSHOT_CLOSED)
    await side.append(to, (Draft(_key(key), None) for key, row, _ in noted if row is None))


def _key(key: Key) -> bytes:
    return encode(key)


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
