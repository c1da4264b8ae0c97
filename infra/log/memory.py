"""The brokers of the in-memory Log: what Kafka keeps and enforces, and nothing that waits.

Processes reach it through infra/log/life.py. What the world may do to a log at any time is here:
compaction, retention, forgotten producers, a clock set back, requests that arrive late.
"""

import asyncio
import heapq
from bisect import bisect_left
from collections import deque
from collections.abc import Callable, Collection, Iterable, Sequence
from operator import attrgetter
from typing import Any, Generic, TypeVar, cast

from infra.log.clock import VirtualClock, ring
from infra.log.fence import LAST_EPOCH, Identity
from infra.log.port import TP, Appended, Bounds, Clock, Draft, Fenced, Record, TopicSpec, size_of

BATCH_HEADER = 61
REMEMBERED = 5  # batches of a producer that its leader knows again
T = TypeVar("T")
offset_of = attrgetter("offset")


class Refused(Exception):
    """The leader took none of the batch."""


class NotLed(Exception):
    """Nobody leads the partition right now: the request did nothing and is sent again."""


class Producer:
    """What a leader knows of one: its epoch, the next sequence number and the newest batches."""

    __slots__ = ("epoch", "expected", "recent")

    def __init__(self, epoch: int, expected: int) -> None:
        self.epoch, self.expected = epoch, expected
        self.recent: deque[tuple[int, int, Appended]] = deque(maxlen=REMEMBERED)

    def repeated(self, sequence: int, count: int) -> Appended | None:
        """Returns where the batch stands already, None if it is not known."""
        for first, length, appended in self.recent:
            if (first, length) == (sequence, count):
                return appended
        return None


class Request(Generic[T]):
    """What is on its way to a broker; it arrives whatever becomes of the sender."""

    __slots__ = ("answer", "effect", "error")

    def __init__(self, effect: Callable[[], T]) -> None:
        self.effect = effect
        self.answer: T | None = None
        self.error: Exception | None = None

    def arrive(self) -> None:
        try:
            self.answer = self.effect()
        except (Fenced, Refused, NotLed) as error:
            self.error = error

    def result(self) -> T:
        """Returns the answer; it must have arrived. Raises: Fenced, Refused, NotLed."""
        if self.error:
            raise self.error
        return cast("T", self.answer)


class Partition:
    """What its leader keeps: records with gaps, and the newest epoch of each producer."""

    def __init__(self, tp: TP, spec: TopicSpec) -> None:
        self.tp, self.spec = tp, spec
        self.records: list[Record] = []
        self.start = self.end = 0
        self.newest_ms = 0
        self.skew_ms = 0
        self.away_until = 0
        self.producers: dict[int, Producer] = {}

    def lead(self, now_ms: int) -> None:
        """Raises: NotLed between two leaders."""
        if now_ms < self.away_until:
            raise NotLed(f"{self.tp} has no leader")

    def append(self, drafts: Sequence[Draft], now_ms: int) -> Appended:
        """Returns where the batch stands, whole. Raises: Refused."""
        if BATCH_HEADER + sum(map(size_of, drafts)) > self.spec.max_message_bytes:
            raise Refused(f"{self.tp}: a batch above {self.spec.max_message_bytes} bytes")
        if self.spec.compacted and not all(draft.key for draft in drafts):
            raise Refused(f"{self.tp}: compacted, and a record has no key")
        stamp = now_ms + self.skew_ms if self.skew_ms else max(self.newest_ms, now_ms)
        first, (topic, number) = self.end, self.tp
        self.records += [
            Record(topic, number, offset, stamp, *draft)
            for offset, draft in enumerate(drafts, first)
        ]
        self.end, self.newest_ms = first + len(drafts), stamp
        return Appended(first, stamp)

    def append_as(
        self, producer: Identity, sequence: int, drafts: Sequence[Draft], now_ms: int
    ) -> Appended:
        """Returns where it stands, also if it has stood there for long and was sent again.

        Raises: Fenced by a newer epoch; Refused out of sequence.
        """
        known = self.producers.get(producer.producer_id)
        if known is None:
            known = Producer(producer.epoch, sequence)
        elif producer.epoch < known.epoch:
            raise Fenced(f"{producer} may write to {self.tp} no more: epoch {known.epoch}")
        elif producer.epoch > known.epoch:
            known = Producer(producer.epoch, 0)
        elif repeated := known.repeated(sequence, len(drafts)):
            return repeated
        if sequence != known.expected:
            raise Refused(f"{producer} sends {sequence}, not {known.expected}, to {self.tp}")
        appended = self.append(drafts, now_ms)
        known.expected = sequence + len(drafts)
        known.recent.append((sequence, len(drafts), appended))
        self.producers[producer.producer_id] = known
        return appended

    def mark(self, producer: Identity) -> None:
        self.producers[producer.producer_id] = Producer(producer.epoch, 0)
        self.end += 1

    def read(self, position: int, most: int) -> tuple[list[Record], int]:
        """Returns at most so many records, and where to read on: markers stepped over."""
        first = bisect_left(self.records, position, key=offset_of)
        found = self.records[first : first + most]
        more = first + most < len(self.records)
        return found, found[-1].offset + 1 if more else self.end


class MemoryLog:
    """The brokers, shared by every life. Deterministic: all time is the clock's."""

    def __init__(self, specs: Iterable[TopicSpec] = (), clock: Clock | None = None) -> None:
        self.clock: Clock = clock or VirtualClock()
        self.partitions: dict[TP, Partition] = {}
        self.create(specs)
        self._epochs: dict[str, Identity] = {}
        self._producers = 0
        self._under_way: list[tuple[int, int, Request[Any]]] = []
        self._sent = 0
        self._waiting: dict[asyncio.Future[None], Collection[TP]] = {}

    # the world's hand

    def create(self, specs: Iterable[TopicSpec]) -> None:
        for spec in specs:
            for number in range(spec.partitions):
                self.partitions[spec.name, number] = Partition((spec.name, number), spec)

    def put(self, tp: TP, drafts: Sequence[Draft]) -> Appended:
        """Returns where they stand: appended at once, as one batch, by a producer without epoch."""
        self.settle()
        appended = self.partitions[tp].append(drafts, self.clock.now_ms())
        self.wake([tp])
        return appended

    def read(self, tp: TP) -> list[Record]:
        """Returns all its records."""
        self.settle()
        return list(self.partitions[tp].records)

    def bounds(self, tp: TP) -> Bounds:
        self.settle()
        return Bounds(self.partitions[tp].start, self.partitions[tp].end)

    def offset_at(self, tp: TP, time_ms: int) -> int:
        """Returns the first offset whose record was appended at that time or later, else the end."""
        self.settle()
        partition = self.partitions[tp]
        later = (r.offset for r in partition.records if r.timestamp >= time_ms)
        return next(later, partition.end)

    def compact(self, tp: TP, before: int | None = None, *, tombstones: bool = False) -> None:
        """Keeps the last record of each key, as the cleaner does below an offset (None: the end).

        tombstones: those are gone too, as after delete.retention.ms.
        """
        self.settle()
        partition = self.partitions[tp]
        below = partition.end if before is None else before
        last = {r.key: r.offset for r in partition.records if r.offset < below}
        partition.records = [
            r
            for r in partition.records
            if r.offset >= below
            or (last[r.key] == r.offset and not (tombstones and r.value is None))
        ]

    def delete_before(self, tp: TP, offset: int) -> None:
        """Moves the log's start, as retention does."""
        self.settle()
        partition = self.partitions[tp]
        partition.start = max(partition.start, min(offset, partition.end))
        partition.records = [r for r in partition.records if r.offset >= partition.start]

    def forget_producers(self, tp: TP) -> None:
        """Has the leader forget every epoch, as after producer.id.expiration.ms."""
        self.settle()
        self.partitions[tp].producers.clear()

    def forget_owner(self, owner: str) -> None:
        """Has the coordinator forget the name, as after transactional.id.expiration.ms."""
        self.settle()
        self._epochs.pop(owner, None)

    def forget_owners(self) -> None:
        """Has the coordinator forget all names."""
        self._epochs.clear()

    def set_epoch(self, owner: str, epoch: int) -> None:
        """Has the name begun so many times already."""
        self._epochs[owner] = Identity(self._epochs[owner].producer_id, epoch)

    def step_back(self, tp: TP, ms: int) -> None:
        """Has the leader's clock run so far behind from now on; 0: as before."""
        self.partitions[tp].skew_ms = -ms

    def depose(self, tp: TP, ms: int) -> None:
        """Has nobody lead the partition for so long; the next leader knows all that its log says."""
        self.partitions[tp].away_until = self.clock.now_ms() + ms

    # what requests do when they arrive

    def begin(self, owner: str) -> Identity:
        held = self._epochs.get(owner)
        if held is None or held.epoch == LAST_EPOCH:
            self._producers += 1
            self._epochs[owner] = Identity(self._producers, 0)
        else:
            self._epochs[owner] = Identity(held.producer_id, held.epoch + 1)
        return self._epochs[owner]

    def mark(self, owner: str, producer: Identity, tps: Sequence[TP]) -> None:
        if self._epochs.get(owner) != producer:
            raise Fenced(f"{producer} of {owner} may mark no more")
        self.lead(tps)
        for tp in tps:
            self.partitions[tp].mark(producer)
        self.wake(tps)

    def produce(
        self, tp: TP, producer: Identity, sequence: int, drafts: Sequence[Draft]
    ) -> Appended:
        now_ms = self.clock.now_ms()
        partition = self.partitions[tp]
        partition.lead(now_ms)
        appended = partition.append_as(producer, sequence, drafts, now_ms)
        self.wake([tp])
        return appended

    def lead(self, tps: Iterable[TP]) -> None:
        """Raises: NotLed if one of them has no leader."""
        now_ms = self.clock.now_ms()
        for tp in tps:
            self.partitions[tp].lead(now_ms)

    # the network

    def send(self, effect: Callable[[], T], delay_ms: int) -> Request[T]:
        """Returns what will have arrived after so many ms."""
        request = Request(effect)
        self._sent += 1
        due = self.clock.now_ms() + delay_ms
        heapq.heappush(self._under_way, (due, self._sent, request))
        return request

    def settle(self) -> None:
        """Lets arrive what is due."""
        now = self.clock.now_ms()
        while self._under_way and self._under_way[0][0] <= now:
            heapq.heappop(self._under_way)[2].arrive()

    async def arrival(self, tps: Collection[TP], wait_ms: int) -> None:
        """Returns when something was appended to one of them, at the latest after wait_ms."""
        woken = asyncio.get_running_loop().create_future()
        self._waiting[woken] = tps
        try:
            await self.clock.until(woken, wait_ms)
        finally:
            del self._waiting[woken]

    def wake(self, tps: Iterable[TP]) -> None:
        """Has every fetch that waits for one of them look again."""
        for tp in tps:
            for woken, wanted in self._waiting.items():
                if tp in wanted:
                    ring(woken)
