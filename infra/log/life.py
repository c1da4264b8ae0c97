"""One process's life on the in-memory Log: it may crash before and after every call.

Several lives share the brokers; one that was believed dead may still write, as far as they let it.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TypeVar

from infra.log.fence import Identity, take_over
from infra.log.memory import BATCH_HEADER, MemoryLog, NotLed
from infra.log.port import (
    MAX_BATCH,
    TP,
    Appended,
    Batch,
    Bounds,
    Draft,
    Fenced,
    Lost,
    Reader,
    Record,
    TooLarge,
    Writer,
    out_of_range,
    size_of,
)

FRESH_MS = 1_000
CONFIRM_MS = 10_000
BACKOFF_MS = 100
NEVER = -(1 << 62)
FOREVER = 1 << 62
T = TypeVar("T")


class Crashed(BaseException):
    """The process is dead: its code may run on a little, but reaches the log no more."""


@dataclass(frozen=True, kw_only=True)
class Faults:
    """What may go wrong. crash_at: the crash point's number, from 1; one_in: chance 1/n, 0 never.

    lose: what changes the log gets no answer and arrives in time, late, twice or never; resend: an
    append is sent again, for its first sending or the answer is lost; hold: a fetch leaves a
    partition out and cuts the others short; stale: bounds are an earlier end. transit_ms: the
    longest way of a request or an answer; late_ms: how much longer one may take that nobody waits
    for any more; most: records that a fetch returns of a partition, at most.
    """

    rng: Random = field(default_factory=lambda: Random(0))
    crash_at: int = 0
    crash_one_in: int = 0
    lose_one_in: int = 0
    resend_one_in: int = 0
    hold_one_in: int = 0
    stale_one_in: int = 0
    transit_ms: int = 0
    late_ms: int = 0
    most: int = 1_000

    def strikes(self, one_in: int) -> bool:
        return one_in > 0 and self.rng.random() * one_in < 1

    def transit(self) -> int:
        return self.rng.randint(0, self.transit_ms) if self.transit_ms else 0


class Life:
    """The port's Log, for one process."""

    def __init__(self, brokers: MemoryLog, faults: Faults | None = None) -> None:
        self.brokers, self.faults = brokers, faults or Faults()
        self.points = 0  # crash points passed
        self.crashed_at = 0  # the point, from 1
        self.dead = False
        self._fate = Random(
            self.faults.rng.getrandbits(64)
        )  # apart: a run without its crashes is else the same

    async def take_over(
        self, owner: str, partitions: Sequence[TP], claim: Draft, max_batch: int = MAX_BATCH
    ) -> Writer:
        self._require(partitions)
        return await take_over(self, owner, partitions, claim, max_batch)

    async def reader(self, positions: Mapping[TP, int]) -> Reader:
        self._require(positions)
        self.point()
        return MemoryReader(self, positions)

    async def bounds(self, tps: Iterable[TP]) -> Mapping[TP, Bounds]:
        partitions = tuple(tps)
        self._require(partitions)

        def ask() -> Mapping[TP, Bounds]:
            self.brokers.lead(partitions)
            return {tp: self._bounds(tp) for tp in partitions}

        return await self.call(ask)

    async def offset_at(self, tp: TP, time_ms: int) -> int:
        self._require([tp])

        def ask() -> int:
            self.brokers.lead([tp])
            return self.brokers.offset_at(tp, time_ms)

        return await self.call(ask)

    async def stop(self) -> None:
        pass

    async def begin(self, owner: str, max_batch: int) -> "MemorySession":
        """Returns a session of the owner's name, as fence.Coordinator says."""
        identity = await self.change(lambda: self.brokers.begin(owner))
        if self.faults.strikes(self.faults.lose_one_in):
            raise Fenced(f"{owner}: {identity} lost a race")  # as a coordinator may say
        return MemorySession(self, owner, identity, max_batch)

    async def pause(self) -> None:
        await self.brokers.clock.sleep(self.faults.rng.randint(10, 200))

    def alive_ms(self) -> int:
        return self.brokers.clock.now_ms()

    def kill(self) -> None:
        self.dead = True

    def point(self) -> None:
        """Passes a crash point. Raises: Crashed."""
        self.points += 1
        faults = self.faults
        if self.points == faults.crash_at or (
            faults.crash_one_in and self._fate.random() * faults.crash_one_in < 1
        ):
            self.dead, self.crashed_at = True, self.crashed_at or self.points
        self.check()

    def check(self) -> None:
        if self.dead:
            raise Crashed(f"at point {self.points}")

    async def change(self, effect: Callable[[], T], until_ms: int = FOREVER) -> T:
        """Returns the answer to what changes the log. Raises: TimeoutError: perhaps it was done."""
        self._require_lease(until_ms)
        if self.faults.strikes(self.faults.lose_one_in):
            await self._unanswered(effect)
        return await self.call(effect, until_ms)

    async def call(self, effect: Callable[[], T], until_ms: int = FOREVER) -> T:
        """Returns the brokers' answer; dies before it is sent, under way, done, or never.

        Raises: Lost if it would have to be sent, or sent again, after that moment.
        """
        while True:
            self._require_lease(until_ms)
            try:
                return await self._request(effect)
            except NotLed:
                await self.brokers.clock.sleep(BACKOFF_MS)

    def _require_lease(self, until_ms: int) -> None:
        if self.alive_ms() > until_ms:
            raise Lost("asleep for so long in the midst of an append")

    async def _request(self, effect: Callable[[], T]) -> T:
        self.point()
        there = self.faults.transit()
        try:
            self.point()
        except Crashed:
            self.brokers.send(effect, there + self.faults.rng.randint(0, self.faults.late_ms))
            raise
        request = self.brokers.send(effect, there)
        await self.brokers.clock.sleep(there)
        self.brokers.settle()
        self.point()
        if back := self.faults.transit():
            await self.brokers.clock.sleep(back)
            self.check()
        return request.result()

    async def _unanswered(self, effect: Callable[[], object]) -> None:
        """Raises: TimeoutError; the request arrives in time, late, twice or never."""
        faults, clock = self.faults, self.brokers.clock
        self.point()
        for _ in range(faults.rng.randrange(3)):
            self.brokers.send(effect, faults.rng.randint(0, faults.late_ms))
        await clock.sleep(faults.rng.randint(0, faults.late_ms))
        self.point()
        raise TimeoutError("no answer")

    def _require(self, tps: Iterable[TP]) -> None:
        if missing := [tp for tp in tps if tp not in self.brokers.partitions]:
            raise LookupError(f"no such partitions, or nobody leads them: {missing}")

    def _bounds(self, tp: TP) -> Bounds:
        start, end = self.brokers.bounds(tp)
        if self.faults.strikes(self.faults.stale_one_in):  # a deposed leader answers
            end = self.faults.rng.randint(start, end)
        return Bounds(start, end)


class MemoryBatch:
    """The port's Batch."""

    def __init__(self, to: TP, free: int) -> None:
        self.to, self.free = to, free
        self.drafts: list[Draft] = []

    def __len__(self) -> int:
        return len(self.drafts)

    def add(self, draft: Draft) -> None:
        size = size_of(draft)
        if size > self.free:
            raise TooLarge(f"{size} bytes at most, {self.free} are free in a batch to {self.to}")
        self.drafts.append(draft)
        self.free -= size


class MemorySession:
    """One initialisation, as fence.Session says."""

    def __init__(self, life: Life, owner: str, identity: Identity, max_batch: int) -> None:
        self.identity = identity
        self._life, self._owner, self._max_batch = life, owner, max_batch
        self._sequences: dict[TP, int] = {}

    async def mark(self, partitions: Sequence[TP]) -> None:
        brokers = self._life.brokers
        await self._life.change(lambda: brokers.mark(self._owner, self.identity, partitions))

    def settle(self) -> None:
        pass

    def batch(self, to: TP) -> Batch:
        return MemoryBatch(to, self._max_batch - BATCH_HEADER)

    async def produce(self, batch: Batch, until_ms: int) -> Appended:
        assert isinstance(batch, MemoryBatch)
        brokers, tp, drafts = self._life.brokers, batch.to, tuple(batch.drafts)
        sequence = self._sequences.get(tp, 0)
        self._sequences[tp] = sequence + len(drafts)

        def arrive() -> Appended:
            return brokers.produce(tp, self.identity, sequence, drafts)

        faults, rng = self._life.faults, self._life.faults.rng
        if faults.strikes(faults.resend_one_in):  # as a producer's own retry does
            self._life.point()
            for _ in range(rng.randrange(3)):
                brokers.send(arrive, rng.randint(0, faults.late_ms))
            await brokers.clock.sleep(rng.randint(0, faults.late_ms))
        return await self._life.change(arrive, until_ms)

    async def stop(self) -> None:
        pass


class Place:
    """How far a partition has been read."""

    __slots__ = ("at_end_ms", "paused", "position")

    def __init__(self, position: int) -> None:
        self.position = position
        self.paused = False
        self.at_end_ms = NEVER


class MemoryReader:
    """The port's Reader."""

    def __init__(self, life: Life, positions: Mapping[TP, int]) -> None:
        self._life, self._brokers = life, life.brokers
        self._places = {tp: Place(position) for tp, position in positions.items()}

    async def fetch(self, wait_ms: int) -> Mapping[TP, Sequence[Record]]:
        clock = self._brokers.clock
        end = clock.now_ms() + wait_ms
        self._life.point()
        await clock.sleep(self._life.faults.transit())
        while not (came := await self._came()) and (left := end - clock.now_ms()) > 0:
            await self._brokers.arrival(self._places, left)
        self._life.point()
        return came

    def position(self, tp: TP) -> int:
        return self._places[tp].position

    def drained(self, tp: TP) -> bool:
        return self._brokers.clock.now_ms() - self._places[tp].at_end_ms < FRESH_MS

    def pause(self, tps: Iterable[TP]) -> None:
        for tp in tps:
            self._places[tp].paused = True

    def resume(self, tps: Iterable[TP]) -> None:
        for tp in tps:
            self._places[tp].paused = False
            self._brokers.wake([tp])

    async def stop(self) -> None:
        pass

    async def _came(self) -> dict[TP, list[Record]]:
        """Raises: Crashed; OutOfRange."""
        self._life.check()
        self._brokers.settle()
        faults, now = self._life.faults, self._brokers.clock.now_ms()
        hold, partitions = faults.hold_one_in, self._brokers.partitions
        came: dict[TP, list[Record]] = {}
        for tp, place in self._places.items():
            partition = partitions[tp]
            held = now < partition.away_until or (hold and faults.strikes(hold))
            if place.paused or held:
                continue
            if place.position == partition.end:
                place.at_end_ms = now
                continue
            if not partition.start <= place.position <= partition.end:
                await self._confirm(tp, place.position)
            most = faults.rng.randint(1, faults.most) if hold else faults.most
            records, place.position = partition.read(place.position, most)
            place.at_end_ms = now if place.position == partition.end else NEVER
            if records:
                came[tp] = records
        return came

    async def _confirm(self, tp: TP, position: int) -> None:
        await self._brokers.clock.sleep(CONFIRM_MS)
        bounds = self._brokers.bounds(tp)
        if not bounds.start <= position <= bounds.end:
            raise out_of_range(tp, position, bounds)
