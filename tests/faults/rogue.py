"""A rogue producer: record batches made by hand, with what no client library would let through."""

import struct
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from aiokafka.errors import for_code
from aiokafka.protocol.produce import ProduceRequest
from aiokafka.record.util import calc_crc32c

from infra.log.cluster import Cluster
from infra.log.port import TP

ALL, WITHIN_MS = -1, 10_000


class Raw(NamedTuple):
    """A record, also one that is none. headers: names are bytes, values may be null."""

    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[bytes, bytes | None]] = ()


def snappy(data: bytes) -> bytes:
    """Returns the bytes as one literal, as xerial's streams frame it."""
    literal = varint(len(data)) + b"\xf4" + struct.pack("<H", len(data) - 1) + data
    return b"\x82SNAPPY\0" + struct.pack(">iii", 1, 1, len(literal)) + literal


def lz4(data: bytes) -> bytes:
    """Returns a frame of one block that is stored as it is."""
    return (
        b"\x04\x22\x4d\x18\x60\x40\x82" + struct.pack("<I", 1 << 31 | len(data)) + data + b"\0" * 4
    )


def zstd(data: bytes) -> bytes:
    """Returns a frame of one block that is stored as it is."""
    header = b"\x28\xb5\x2f\xfd\xa0" + struct.pack("<I", len(data))
    return header + (1 | len(data) << 3).to_bytes(3, "little") + data


def gzip(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=31)
    return packer.compress(data) + packer.flush()


CODECS: Mapping[str, tuple[int, Callable[[bytes], bytes]]] = {
    "gzip": (1, gzip),
    "snappy": (2, snappy),
    "lz4": (3, lz4),
    "zstd": (4, zstd),
}
"""By name: the number in a batch's attributes, and what packs up to 64 KiB."""


def varint(value: int) -> bytes:
    """Returns an unsigned number, seven bits a byte, the lowest first."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes((*encoded, value))


def signed(value: int) -> bytes:
    return varint(value << 1 if value >= 0 else (-value << 1) - 1)


def sized(data: bytes | None) -> bytes:
    return signed(-1) if data is None else signed(len(data)) + data


def encoded(records: Sequence[Raw], codec: str | None = None) -> bytes:
    """Returns the records as one batch of the format v2, of a producer without an identity."""
    body = b""
    for delta, (key, value, headers) in enumerate(records):
        named = b"".join(sized(name) + sized(held) for name, held in headers)
        record = b"\0" + signed(0) + signed(delta) + sized(key) + sized(value)
        body += sized(record + signed(len(headers)) + named)
    attributes, pack = CODECS[codec] if codec else (0, bytes)
    return batch(attributes, pack(body), len(records))


def batch(attributes: int, packed: bytes, count: int) -> bytes:
    """Returns so many records, packed as the attributes say, in their batch."""
    last = count - 1
    tail = struct.pack(">hiqqqhii", attributes, last, 0, 0, -1, -1, -1, count) + packed
    return struct.pack(">qiibI", 0, len(tail) + 9, -1, 2, calc_crc32c(tail)) + tail


async def write(bootstrap: str, tp: TP, records: Sequence[Raw], codec: str | None = None) -> int:
    """Returns the offset of the first. Raises: KafkaError if the broker does not take them."""
    return await send(bootstrap, tp, encoded(records, codec))


async def send(bootstrap: str, tp: TP, batch: bytes) -> int:
    """Returns the offset of the batch's first record. Raises: KafkaError if the broker does not take it."""
    cluster = await Cluster.connect({"bootstrap_servers": bootstrap})
    try:
        await cluster.require([tp])
        topics = [(tp[0], [(tp[1], batch)])]
        answer = await cluster.send(
            cluster.leader(tp), ProduceRequest(None, ALL, WITHIN_MS, topics)
        )
        _, code, offset, *_ = answer.topics[0][1][0]
        if code:
            raise for_code(code)(tp)
        return int(offset)
    finally:
        await cluster.stop()
