"""How a process comes and goes: take-over against others, readiness, the end."""

import asyncio
from collections.abc import Sequence

import pytest

from infra.log.life import Faults, Life, MemorySession
from infra.log.port import MAX_BATCH, TP, Appended, Batch, Draft, Fenced, Writer
from infra.shell.partition import LAST_SNAPSHOT_MS
from infra.shell.shell import FENCED_MOST_MS, FENCED_MS
from infra.shell.snapshot import CLOSING, INTERVAL_MS
from tests.infra.shell.stepper import Bench
from tests.messages.envelope import numbered

HOUR_MS = 3_600_000


class Overtaken(Life):
    """Has its first fence, and waits before the second."""

    def __init__(self, bench: Bench) -> None:
        super().__init__(bench.log)
        self.waits, self.go_on = asyncio.Event(), asyncio.Event()

    async def take_over(
        self, owner: str, partitions: Sequence[TP], claim: Draft, max_batch: int = MAX_BATCH
    ) -> Writer:
        if not owner.endswith("-side"):
            self.waits.set()
            await self.go_on.wait()
        return await super().take_over(owner, partitions, claim, max_batch)


class Unanswered(Life):
    """Whose snapshots get no answer for an hour."""

    async def begin(self, owner: str, max_batch: int) -> MemorySession:
        session = await super().begin(owner, max_batch)
        return UnansweredSession(self, owner, session.identity, max_batch)


class UnansweredSession(MemorySession):
    async def produce(self, batch: Batch, until_ms: int) -> Appended:
        appended = await super().produce(batch, until_ms)
        if batch.to[0].endswith(".state.v1") and appended.offset > 3:
            await self._life.brokers.clock.sleep(HOUR_MS)
        return appended


def test_a_fenced_owner_lets_go_and_comes_back_when_the_other_is_gone() -> None:
    async def case() -> None:
        bench, stop, gone = Bench(), asyncio.Event(), asyncio.Event()
        first, second = bench.shell(0), bench.shell(0)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(first.run(stop))
            await bench.clock.sleep(1_000)
            other = tasks.create_task(second.run(gone))
            await bench.clock.sleep(1_000)
            bench.ask(5)
            await bench.clock.sleep(2_000)
            assert first.fenced == {0}
            assert not first.ready()["stepper-0"]
            assert not second.fenced
            gone.set()
            await other
            bench.ask(2, first=2)
            await bench.clock.sleep(2 * FENCED_MS)
            assert not first.fenced
            assert first.ready()["stepper-0"]
            stop.set()
        assert [event.held for event in bench.events()] == [4, 3, 2, 1, 0, 1, 0]

    asyncio.run(case())


def test_who_is_fenced_from_one_partition_keeps_the_others() -> None:
    async def case() -> None:
        bench, stop = Bench(partitions=2), asyncio.Event()
        both, second = bench.shell(0, 1), bench.shell(1)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(both.run(stop))
            await bench.clock.sleep(1_000)
            tasks.create_task(second.run(stop))
            await bench.clock.sleep(1_000)
            for n in range(1, 41):
                bench.ask(1, first=n, account_id=numbered(n))
            await bench.clock.sleep(1_000)
            assert both.fenced == {1}
            events = [owner.figures.events for owner in (both.partitions[0], second.partitions[1])]
            assert sum(events) == 40
            assert min(events) > 0
            stop.set()

    asyncio.run(case())


def test_a_fenced_owner_ends_at_once_when_it_is_asked_to() -> None:
    async def case() -> None:
        bench, stop, going_on = Bench(), asyncio.Event(), asyncio.Event()
        first, second = bench.shell(0), bench.shell(0)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(first.run(stop))
            await bench.clock.sleep(1_000)
            tasks.create_task(second.run(going_on))
            await bench.clock.sleep(1_000)
            bench.ask(5)
            await bench.clock.sleep(1_000)
            assert first.fenced == {0}
            asked = bench.clock.now_ms()
            stop.set()
            await running
            assert bench.clock.now_ms() - asked < FENCED_MS // 2
            going_on.set()

    asyncio.run(case())


def test_two_owners_of_one_partition_leave_it_to_each_other_ever_longer() -> None:
    async def case() -> None:
        bench, stop = Bench(), asyncio.Event()
        first, second = bench.shell(0), bench.shell(0)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(first.run(stop))
            tasks.create_task(second.run(stop))
            for n in range(1, 61):
                bench.ask(2, first=n, at=bench.clock.now_ms())
                await bench.clock.sleep(FENCED_MOST_MS // 10)
            stop.set()
        await bench.live()
        assert [event.held for event in bench.events()] == [1, 0] * 60

    asyncio.run(case())


def test_who_was_overtaken_between_its_fences_restores_nothing() -> None:
    async def case() -> None:
        bench = Bench()
        bench.ask(2)
        await bench.live(rest_ms=2 * INTERVAL_MS)
        life = Overtaken(bench)
        late = asyncio.create_task(bench.owner(life).run(asyncio.Event()))
        await life.waits.wait()
        bench.ask(2, first=2)
        await bench.live(rest_ms=2 * INTERVAL_MS)
        state = bench.service.state(0)
        *_, closing = [r.offset for r in bench.log.read(state) if r.key == CLOSING]
        bench.log.compact(state, before=closing)  # the older row is gone, the older closing stays
        life.go_on.set()
        with pytest.raises(Fenced):
            await late

    asyncio.run(case())


def test_it_is_ready_when_it_has_caught_up_and_not_before() -> None:
    async def case() -> None:
        bench, stop = Bench(), asyncio.Event()
        bench.ask(*[1] * 50)
        owner = bench.owner(Life(bench.log, Faults(hold_one_in=3, transit_ms=5)))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(owner.run(stop))
            while not owner.figures.caught_up:
                await bench.clock.sleep(1)
            assert len(bench.events()) == 50
            stop.set()

    asyncio.run(case())


def test_the_end_waits_for_its_snapshot_but_not_for_ever() -> None:
    async def case() -> None:
        bench, stop = Bench(), asyncio.Event()
        bench.ask(2)
        owner = bench.owner(Unanswered(bench.log))
        running = asyncio.create_task(owner.run(stop))
        await bench.clock.sleep(1_000)
        asked = bench.clock.now_ms()
        stop.set()
        await running
        assert LAST_SNAPSHOT_MS <= bench.clock.now_ms() - asked < LAST_SNAPSHOT_MS + 1_000
        await bench.live()
        assert len(bench.events()) == 2

    asyncio.run(case())
