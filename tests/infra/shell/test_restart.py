"""What a new owner starts from: snapshots with and without their closing record, none at all, or one of another log."""

import asyncio

import pytest

from events.control import PositionNoted
from events.topics import BALANCE_COMMANDS, CONTROL
from infra.log.life import Faults, Life
from infra.shell import checkpoint as checkpoints
from infra.shell.partition import HOUR_MS
from infra.shell.reading import is_control
from infra.shell.restore import StateAheadOfLog
from infra.shell.shell import FENCED_MS, Shell
from infra.shell.snapshot import CLOSING, INTERVAL_MS
from tests.infra.shell.stepper import Bench

LONG_MS = 2 * INTERVAL_MS


def keys(bench: Bench) -> list[bytes]:
    state = bench.log.read(bench.service.state(0))
    return [record.key or b"" for record in state if not is_control(record)]


def test_a_snapshot_ends_in_its_closing_record_and_gone_rows_leave_no_key() -> None:
    async def case() -> None:
        bench = Bench()
        bench.ask(7)
        await bench.live(rest_ms=LONG_MS)
        assert CLOSING in keys(bench)
        bench.log.compact(bench.service.state(0), tombstones=True)
        assert not [key for key in keys(bench) if key.startswith(b"progress/")]
        await bench.live()
        assert bench.partition
        assert bench.partition.figures.batches == 0

    asyncio.run(case())


def test_without_its_state_topic_a_service_replays_its_own_events() -> None:
    async def case() -> None:
        bench = Bench()
        bench.ask(3, 4)
        await bench.live(rest_ms=LONG_MS)
        assert bench.partition
        rows = bench.partition.store.rows
        bench.log.partitions[bench.service.state(0)].records.clear()
        await bench.live()
        assert bench.partition.store.rows == rows
        assert len(bench.events()) == 7

    asyncio.run(case())


def test_a_snapshot_of_a_longer_log_is_refused() -> None:
    async def case() -> None:
        bench = Bench()
        bench.ask(3, 4)
        await bench.live(rest_ms=LONG_MS)
        own = bench.log.partitions[bench.service.output(0)]
        own.records.clear()
        own.end = 0
        with pytest.raises(BaseExceptionGroup) as raised:
            await bench.live()
        assert raised.group_contains(StateAheadOfLog)

    asyncio.run(case())


def test_inputs_that_lead_to_nothing_are_noted_hourly() -> None:
    async def case() -> None:
        bench = Bench()
        bench.ask(1)
        await bench.live()
        await bench.clock.sleep(HOUR_MS)
        bench.ask(1)  # a repeat, an hour later
        await bench.live()
        *_, last = bench.log.read(bench.service.output(0))
        assert isinstance(CONTROL(last.value or b""), PositionNoted)
        carried = checkpoints.carried(last.headers)
        assert carried
        assert carried.positions[BALANCE_COMMANDS.name, 0] == 2

    asyncio.run(case())


def test_the_fence_is_renewed_hourly() -> None:
    async def case() -> None:
        bench = Bench()
        bench.ask(1)
        await bench.live(rest_ms=8 * HOUR_MS)
        bench.ask(1, first=2)
        await bench.live()
        assert len(bench.events()) == 2

    asyncio.run(case())


def test_a_fenced_owner_lets_go_and_comes_back_when_the_other_is_gone() -> None:
    async def case() -> None:
        bench, stop = Bench(), asyncio.Event()
        first, second = (
            Shell(
                bench.service,
                Life(bench.log, Faults()),
                bench.clock,
                owned=[0],
                partitions=1,
                write_versions={},
            )
            for _ in range(2)
        )
        gone = asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(first.run(stop))
            await bench.clock.sleep(1_000)
            other = tasks.create_task(second.run(gone))
            await bench.clock.sleep(1_000)
            bench.ask(5)
            await bench.clock.sleep(2_000)
            assert first.fenced == {0}
            assert not second.fenced
            gone.set()
            await other
            bench.ask(2, first=2)
            await bench.clock.sleep(2 * FENCED_MS)
            assert not first.fenced
            stop.set()
        assert [event.held for event in bench.events()] == [4, 3, 2, 1, 0, 1, 0]

    asyncio.run(case())
