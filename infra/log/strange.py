"""Record batches with header names that are no text, which aiokafka does not read: any client may write one, and
a broker stores it. They are read as Java's clients read them.
"""

import struct
from collections.abc import Iterator
from typing import Any

from aiokafka.record.default_records import _DefaultRecordBatchPy
from aiokafka.record.util import decode_varint

from infra.log.port import TP, Headers, Record

SIZE, SIZE_AT = struct.Struct(">i"), 8  # of a batch: it counts what follows it


def records(tp: TP, encoded: memoryview) -> Iterator[Record]:
    """Yields the records of a batch."""
    batch = _DefaultRecordBatchPy(encoded)
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
        yield Record(*tp, batch.base_offset + further, time, key, value, headers)


def headers_at(data: bytes, at: int) -> tuple[Headers, int]:
    """Returns the headers, as many as the number before them says, and what follows them."""
    count, at = decode_varint(data, at)
    headers: list[Any] = []  # a value may be null on the wire, whatever our types say
    for _ in range(count):
        name, at = sized(data, at)
        value, at = sized(data, at)
        headers.append(((name or b"").decode(errors="replace"), value))
    return tuple(headers), at


def end_of(encoded: bytes, begins: int) -> int:
    """Returns where the batch ends that begins there."""
    size: int = SIZE.unpack_from(encoded, begins + SIZE_AT)[0]
    return begins + SIZE_AT + SIZE.size + size


def sized(data: bytes, at: int) -> tuple[bytes | None, int]:
    """Returns the bytes behind their length, None if that is negative, and what follows them."""
    size, at = decode_varint(data, at)
    return (None, at) if size < 0 else (data[at : at + size], at + size)
