"""Reads partitions as they stand, batch by batch: a fetch of its own, apart from the reader that the product uses."""

import asyncio
import struct
from collections.abc import AsyncIterator, Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from aiokafka.errors import CorruptRecordException, KafkaError, for_code
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.default_records import DefaultRecordBatch

from infra.log import strange
from infra.log.cluster import BACKOFF_S, Cluster
from infra.log.inflating import MOST, as_packed, inflated
from infra.log.port import TP, Record
from infra.raw.batch import RawBatch

HEADER = struct.Struct(">qiibIhiqqqhii")
BEFORE_LENGTH = 12  # bytes of a batch that its length does not count
TRANSACTIONAL, CONTROL = 0x10, 0x20
MAGIC = 2
WAIT_MS, LEAST_BYTES = 200, 1
FETCH_BYTES = 4 << 20
READ_UNCOMMITTED = 0
TRIES = 100


class Ends(NamedTuple):
    """start: the first offset; end: the next one to be given out; stable: where the oldest open transaction began,
    the end if none is open.
    """

    start: int
    end: int
    stable: int


class RawReader:
    """One connection, one partition at a time. Security: what aiokafka's clients take for TLS and SASL."""

    def __init__(self, cluster: Cluster) -> None:
        self._cluster = cluster

    @classmethod
    async def connect(cls, bootstrap: str, **security: Any) -> "RawReader":
        """Returns it connected. Raises: KafkaConnectionError."""
        options = {"bootstrap_servers": bootstrap, **security}
        return cls(await Cluster.connect(options))

    async def stop(self) -> None:
        await self._cluster.stop()

    async def ends(self, tps: Iterable[TP]) -> dict[TP, Ends]:
        """Returns where each begins and ends now. Raises: LookupError, KafkaError."""
        partitions = tuple(tps)
        await self._cluster.require(partitions)
        found = {}
        for tp, (start, end) in (await self._cluster.bounds(partitions)).items():
            stable = end if start == end else (await self._fetch(tp, end, 1, wait_ms=0))[0]
            found[tp] = Ends(start, end, stable)
        return found

    async def batches(self, tp: TP, start: int, end: int) -> AsyncIterator[Sequence[RawBatch]]:
        """Yields the partition's batches whose first offset is below `end`, some at a time, while more are fetched.

        Raises: CorruptRecordException, KafkaError.
        """
        position = start
        fetching = asyncio.ensure_future(self._fetch(tp, position, FETCH_BYTES))
        try:
            while position < end:
                _, encoded = await fetching
                spans = list(cut(encoded))
                if spans:
                    position = spans[-1][2]
                if position < end:
                    fetching = asyncio.ensure_future(self._fetch(tp, position, FETCH_BYTES))
                    await asyncio.sleep(0)  # the request leaves before the decoding
                yield [
                    parsed(tp, encoded[first:last])
                    for first, last, _ in spans
                    if offset_at(encoded, first) < end
                ]
        finally:
            fetching.cancel()
            await asyncio.gather(fetching, return_exceptions=True)

    async def _fetch(
        self, tp: TP, position: int, most: int, wait_ms: int = WAIT_MS
    ) -> tuple[int, bytes]:
        """Returns the last stable offset and encoded batches. Raises: KafkaError if it fails again and again."""
        topic, partition = tp
        asked = [(topic, [(partition, position, most)])]
        request = FetchRequest(wait_ms, LEAST_BYTES, 2 * most, READ_UNCOMMITTED, asked)
        for tried in range(1, TRIES + 1):
            try:
                answer = await self._cluster.send(self._cluster.leader(tp), request)
                (_, (found,)), *_ = answer.topics
                _, code, _, stable, *_, encoded = found
                if not code:
                    return stable, bytes(encoded or b"")
                raise for_code(code)(f"{topic}-{partition} at {position}")
            except KafkaError as error:
                if not error.retriable or tried == TRIES:
                    raise
            await asyncio.sleep(BACKOFF_S)
            await self._cluster.refresh()
        raise AssertionError


def cut(encoded: bytes) -> Iterator[tuple[int, int, int]]:
    """Yields where each whole batch begins and ends in the bytes, and the offset behind it."""
    first = 0
    while first + HEADER.size <= len(encoded):
        length = int.from_bytes(encoded[first + 8 : first + BEFORE_LENGTH], "big")
        last = first + BEFORE_LENGTH + length
        if last > len(encoded):
            return
        header = HEADER.unpack_from(encoded, first)
        yield first, last, header[0] + header[6] + 1
        first = last


def offset_at(encoded: bytes, first: int) -> int:
    return int.from_bytes(encoded[first : first + 8], "big")


def parsed(tp: TP, encoded: bytes) -> RawBatch:
    """Returns the batch. Raises: CorruptRecordException if its checksum or format is another."""
    (
        offset,
        _,
        leader_epoch,
        magic,
        _,
        attributes,
        last,
        _,
        time,
        producer_id,
        epoch,
        sequence,
        _,
    ) = HEADER.unpack_from(encoded)
    topic, partition = tp
    batch = DefaultRecordBatch(encoded)
    if magic != MAGIC or not batch.validate_crc():
        raise CorruptRecordException(f"{topic}-{partition} at {offset}")
    control = bool(attributes & CONTROL)
    records = [] if control else records_of(tp, encoded, batch)
    return RawBatch(
        topic,
        partition,
        offset,
        offset + last + 1,
        leader_epoch,
        producer_id,
        epoch,
        sequence,
        time,
        bool(attributes & TRANSACTIONAL),
        control,
        records,
    )


def records_of(tp: TP, encoded: bytes, batch: Any) -> list[Record]:
    topic, partition = tp
    packed = memoryview(encoded)
    if inflated(packed, batch.compression_type) > MOST:
        return [as_packed(tp, batch, packed)]
    make = tuple.__new__  # what Record() does, without its frame
    try:
        return [
            make(
                Record, (topic, partition, r.offset, r.timestamp, r.key, r.value, tuple(r.headers))
            )
            for r in batch
        ]
    except UnicodeDecodeError:
        return list(strange.records(tp, packed))
