"""Reading many partitions at once, each to a known end."""

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from heapq import merge
from operator import attrgetter

from infra.log.port import TP, Bounds, Log, Record

WAIT_MS = 500


async def between(log: Log, spans: Mapping[TP, Bounds]) -> AsyncIterator[Record]:
    """Yields the records whose offset is from start on and below end, a partition's in their order.

    What comes at once is merged by time. It ends when every partition was read to its end.
    """
    wanted = {tp: span for tp, span in spans.items() if span.start < span.end}
    if not wanted:
        return
    reader = await log.reader({tp: span.start for tp, span in wanted.items()})
    try:
        while any(reader.position(tp) < span.end for tp, span in wanted.items()):
            for record in in_time(await reader.fetch(WAIT_MS)):
                if record.offset < wanted[record.topic, record.partition].end:
                    yield record
    finally:
        await reader.stop()


def in_time(came: Mapping[TP, Sequence[Record]]) -> Iterator[Record]:
    """Returns the records merged by the time of their append, a partition's in their own order."""
    return merge(*came.values(), key=attrgetter("timestamp"))
