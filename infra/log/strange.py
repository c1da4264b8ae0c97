"""Record batches with header names that are no text, which aiokafka does not read: any client may write one, and
a broker stores it. They are read as Java's clients read them.
"""

import struct
from collections.abc import Iterator
from typing import Any

from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.util import decode_varint

from infra.log.port import TP, Headers, Record

SIZE_ENDS = 12  # of a batch, after its first offset; it counts what follows it


def records(tp: TP, encoded: bytes, first: int) -> Iterator[Record]:
    """Yields the records of the batch that begins at the offset `first`, one of those encoded."""
    batch = _DefaultRecordBatchPy(batch_at(encoded, first))
    iter(batch)  # unpacks it
    data, at = bytes(batch._buffer), batch._pos
    for _ in range(batch._num_records):
        _, at = decode_varint(data, at)  # its size, then a byte of attributes
        later, at = decode_varint(data, at + 1)
        further, at = decode_varint(data, at)
        key, at = sized(data, at)
        value, at = sized(data, at)
        headers, at = headers_at(data, at)
        time = batch.max_timestamp if batch.timestamp_type else batch.first_timestamp + later
        yield Record(*tp, first + further, time, key, value, headers)


def headers_at(data: bytes, at: int) -> tuple[Headers, int]:
    """Returns the headers, as many as the number before them says, and what follows them."""
    count, at = decode_varint(data, at)
    headers: list[Any] = []  # a value may be null on the wire, whatever our types say
    for _ in range(count):
        name, at = sized(data, at)
        value, at = sized(data, at)
        headers.append(((name or b"").decode(errors="replace"), value))
    return tuple(headers), at


def batch_at(encoded: bytes, offset: int) -> bytes:
    """Returns the batch whose first offset that is."""
    at = 0
    while True:
        first, size = struct.unpack_from(">qi", encoded, at)
        end = at + SIZE_ENDS + size
        if first == offset:
            return encoded[at:end]
        at = end


def sized(data: bytes, at: int) -> tuple[bytes | None, int]:
    """Returns the bytes behind their length, None if that is negative, and what follows them."""
    size, at = decode_varint(data, at)
    return (None, at) if size < 0 else (data[at : at + size], at + size)
