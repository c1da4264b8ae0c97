"""How far a packed batch is unpacked: what a topic takes may stand for a thousand times as much.

A broker packs what it keeps as its topic says, and none says anything but gzip (`events/topics.py`).
"""

from gzip import GzipFile
from io import BytesIO
from typing import Any

from aiokafka.record.default_records import DefaultRecordBatch

from infra.log.port import TP, Record

RECORDS_AT = 61  # bytes into a batch: before that is its head, which is never packed
MOST = 2 << 20
"""Bytes of records, twice what a topic takes of a writer that does not pack."""


def inflated(batch: memoryview, codec: int) -> int:
    """Returns the bytes that the batch's records take unpacked, MOST + 1 if that is more; 0 if they are not packed.

    Raises: OSError, EOFError, zlib.error if that is no gzip.
    """
    if codec != DefaultRecordBatch.CODEC_GZIP:
        return 0
    return len(GzipFile(fileobj=BytesIO(batch[RECORDS_AT:])).read(MOST + 1))


def as_packed(tp: TP, batch: Any, packed: memoryview) -> Record:
    """Returns the batch as one record. No topic's reader can read it: so it is set aside as any other, and whole."""
    return Record(*tp, batch.base_offset, batch.max_timestamp, None, bytes(packed))
