"""Reading a stretch of one partition from its start to a known end."""

from collections.abc import AsyncIterator

from infra.crash import Point, passed
from infra.log.port import TP, Log, Record

from .emission import CONTROL

WAIT_MS = 500


async def stretch(log: Log, tp: TP, start: int, end: int) -> AsyncIterator[Record]:
    """Yields the records from start on whose offset is below end, once all of them can be had."""
    if start >= end:
        return
    reader = await log.reader({tp: start})
    try:
        while reader.position(tp) < end:
            fetched = await reader.fetch(WAIT_MS)
            passed(Point.READING)
            for record in fetched.get(tp, ()):
                if record.offset >= end:
                    return
                yield record
    finally:
        await reader.stop()


def is_control(record: Record) -> bool:
    """Returns whether the record is a writer's bookkeeping, not a message of its topic."""
    return CONTROL in record.headers
