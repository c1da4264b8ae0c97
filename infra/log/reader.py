"""The port's Reader on Kafka: one fetch under way to each leader, for all its partitions at once.

A fetch waits at the broker for up to 500 ms, and the broker answers it as soon as one of its
partitions has a record. A partition that is not part of it waits until it is answered: so the next
one is sent only when everything that came was taken, and it asks for all of them.
"""

import asyncio
import logging
import random
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from aiokafka.errors import (
    CorruptRecordException,
    KafkaError,
    OffsetOutOfRangeError,
    TopicAuthorizationFailedError,
    for_code,
)
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.record.memory_records import MemoryRecords

from infra.log import strange
from infra.log.clock import SystemClock, alive_ms
from infra.log.cluster import BACKOFF_S, Cluster
from infra.log.inflating import MOST, as_packed, inflated
from infra.log.port import TP, Record, out_of_range

WAIT_MS = 500  # a fetch without a record is answered after it
RESUMING_MS = 20  # the same while a partition is paused: it may be resumed at any moment
PARTITION_BYTES = 1 << 20
FETCH_BYTES = 8 << 20
FRESH_MS = 1_000
CONFIRM_MS = 10_000
READ_UNCOMMITTED = 0  # nothing is uncommitted
NEVER = -(1 << 62)

log = logging.getLogger(__name__)


class Place:
    """How far a partition has been read."""

    __slots__ = ("ahead", "at_end_ms", "paused", "records", "returned", "strayed_ms")

    def __init__(self, position: int) -> None:
        self.returned = position
        self.ahead = position  # what to ask for next: after all that has come in
        self.records: list[Record] = []
        self.paused = False
        self.at_end_ms = NEVER  # when an answer last said that there is nothing behind ahead
        self.strayed_ms: int | None = None  # since when the broker has called it out of range

    def take(self) -> list[Record]:
        records, self.records = self.records, []
        self.returned = self.ahead
        return records

    def put(self, tp: TP, encoded: bytes) -> None:
        """Decodes what came. Of packed batches as many as make MOST bytes, the next ones are asked for again; one that
        is more than that alone is one record, as it was packed. Raises: CorruptRecordException.
        """
        batches, begins, room = MemoryRecords(encoded), 0, MOST
        while room >= 0 and batches.has_next():
            batch = batches.next_batch()
            ends = strange.end_of(encoded, begins)
            if not batch.validate_crc():
                raise CorruptRecordException(f"{tp[0]}-{tp[1]} at {batch.base_offset}")
            if not batch.is_control_batch:
                packed = memoryview(encoded)[begins:ends]
                size = inflated(packed, batch.compression_type)
                room -= size
                if size > MOST:
                    self._keep(as_packed(tp, batch, packed))
                elif room >= 0:
                    self._unpack(tp, batch, packed)
                else:
                    break
            self.ahead, begins = batch.next_offset, ends
        if not self.records:
            self.returned = self.ahead

    def _unpack(self, tp: TP, batch: Any, packed: memoryview) -> None:
        make = tuple.__new__  # what Record() does, without its frame
        ahead = self.ahead  # the first batch may begin before it
        try:
            self.records += [
                make(Record, (*tp, r.offset, r.timestamp, r.key, r.value, tuple(r.headers)))
                for r in batch
                if r.offset >= ahead
            ]
        except UnicodeDecodeError:
            read = strange.records(tp, packed)
            self.records += [record for record in read if record.offset >= ahead]

    def _keep(self, record: Record) -> None:
        if record.offset >= self.ahead:
            self.records.append(record)


class KafkaReader:
    """Holds a connection of its own; confirm_ms: how long out of range must last to be believed."""

    def __init__(self, cluster: Cluster, positions: Mapping[TP, int], confirm_ms: int) -> None:
        self._cluster, self._confirm_ms = cluster, confirm_ms
        self._places = {tp: Place(position) for tp, position in positions.items()}
        self._asking: dict[int | None, asyncio.Task[None]] = {}
        self._woken: asyncio.Future[None] | None = None
        self._failure: Exception | None = None
        self._stopped = False
        self._ask_idle()

    async def fetch(self, wait_ms: int) -> Mapping[TP, Sequence[Record]]:
        came = self._take()
        if not came and not self._failure and wait_ms > 0:
            self._woken = asyncio.get_running_loop().create_future()
            await SystemClock().until(self._woken, wait_ms)
            came = self._take()
        if self._failure and not came:
            raise self._failure
        self._ask_idle()
        await asyncio.sleep(0)  # the next request leaves now, not after the caller's work
        return came

    def position(self, tp: TP) -> int:
        return self._places[tp].returned

    def drained(self, tp: TP) -> bool:
        place = self._places[tp]
        return not place.records and alive_ms() - place.at_end_ms < FRESH_MS

    def pause(self, tps: Iterable[TP]) -> None:
        for tp in tps:
            self._places[tp].paused = True

    def resume(self, tps: Iterable[TP]) -> None:
        for tp in tps:
            self._places[tp].paused = False
        self._wake()
        self._ask_idle()

    async def stop(self) -> None:
        self._stopped = True
        tasks = tuple(self._asking.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._cluster.stop()

    def _take(self) -> dict[TP, list[Record]]:
        return {tp: p.take() for tp, p in self._places.items() if p.records and not p.paused}

    def _wake(self) -> None:
        ready = self._failure or any(p.records and not p.paused for p in self._places.values())
        if ready and self._woken and not self._woken.done():
            self._woken.set_result(None)

    def _ask_idle(self) -> None:
        """Asks each leader that has no request under way and whose records were all taken."""
        if self._stopped or self._failure:
            return
        led: dict[int | None, list[TP]] = defaultdict(list)
        for tp, place in self._places.items():
            if not place.paused:
                led[self._cluster.leader(tp)].append(tp)
        for node, tps in led.items():
            if node not in self._asking and not any(self._places[tp].records for tp in tps):
                self._asking[node] = asyncio.create_task(self._ask(node, tps))

    async def _ask(self, node: int | None, tps: Sequence[TP]) -> None:
        asked = {tp: self._places[tp].ahead for tp in tps}
        try:
            try:
                answer = await self._cluster.send(node, self._request(asked))
            except KafkaError as error:
                log.info("no answer from broker %s: %r", node, error)
                await self._regain(tps)
            else:
                if not self._take_in(answer, asked):
                    await self._regain(tps)
        except Exception as error:
            self._failure = error
        finally:
            del self._asking[node]
        self._wake()
        self._ask_idle()

    def _request(self, asked: Mapping[TP, int]) -> FetchRequest:
        topics: dict[str, list[tuple[int, int, int]]] = defaultdict(list)
        for (topic, partition), offset in asked.items():
            topics[topic].append((partition, offset, PARTITION_BYTES))
        wait = WAIT_MS if not any(p.paused for p in self._places.values()) else RESUMING_MS
        return FetchRequest(wait, 1, FETCH_BYTES, READ_UNCOMMITTED, list(topics.items()))

    def _take_in(self, answer: Any, asked: Mapping[TP, int]) -> bool:
        """Returns whether every partition was answered. Raises: what no retry can mend."""
        calm, now = True, alive_ms()
        for topic, partitions in answer.topics:
            for partition, code, highwater, *_, encoded in partitions:
                tp = (topic, partition)
                place = self._places[tp]
                if place.ahead != asked[tp]:
                    continue  # its leader moved meanwhile, and the new one has answered already
                error = for_code(code)
                if error is TopicAuthorizationFailedError:
                    raise error(topic)
                if code:
                    calm = False
                    if error is OffsetOutOfRangeError and place.strayed_ms is None:
                        place.strayed_ms = now
                    continue
                place.put(tp, encoded or b"")
                place.strayed_ms = None
                place.at_end_ms = now if place.ahead >= highwater else NEVER
        return calm

    async def _regain(self, tps: Sequence[TP]) -> None:
        """Asks for the leaders anew, after a pause. Raises: OutOfRange if that lasts."""
        await asyncio.sleep(BACKOFF_S * random.uniform(1, 3))
        await self._cluster.refresh()
        now = alive_ms()
        for tp in tps:
            place = self._places[tp]
            if place.strayed_ms is None or now - place.strayed_ms < self._confirm_ms:
                continue
            bounds = (await self._cluster.bounds([tp]))[tp]
            if not bounds.start <= place.ahead <= bounds.end:
                raise out_of_range(tp, place.ahead, bounds)
            place.strayed_ms = None
