"""What a new owner starts from: snapshots with and without their closing record, none at all, or one of another log."""

import asyncio
from dataclasses import replace
from random import Random

import pytest

from events.codec import encode
from events.control import PositionNoted
from events.topics import ASSETS, BALANCE_COMMANDS, CONTROL, ORDER_EVENTS, PRICES
from infra.log.clock import VirtualClock
from infra.log.life import Faults, Life
from infra.log.memory import MemoryLog
from infra.log.port import Draft
from infra.shell import checkpoint as checkpoints
from infra.shell.partition import HOUR_MS
from infra.shell.reading import is_control
from infra.shell.repeats import SKEW, SLACK, WINDOW
from infra.shell.restore import StateAheadOfLog, read_market
from infra.shell.shell import Shell
from infra.shell.snapshot import CLOSING, INTERVAL_MS
from ops.provision import topic_specs
from services.order.app import SERVICE as ORDER
from tests.infra.shell.stepper import Bench
from tests.messages.envelope import NOW
from tests.messages.markets import ASSETS as LISTED

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
        assert not [key for key in keys(bench) if key.startswith(b'["progress",')]
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


def test_what_a_repeat_moved_is_noted_before_retention_passes_it() -> None:
    async def case() -> None:
        bench = Bench()
        bench.ask(1)
        await bench.live()
        bench.ask(1)
        await bench.live()
        await bench.clock.sleep(HOUR_MS)
        await bench.live()
        bench.log.delete_before((BALANCE_COMMANDS.name, 0), 2)
        bench.ask(2, first=2, at=bench.clock.now_ms())
        await bench.live()
        assert [event.held for event in bench.events()] == [0, 1, 0]

    asyncio.run(case())


def test_an_input_that_a_release_left_out_goes_on_where_it_stood() -> None:
    async def case() -> None:
        bench, other = Bench(), replace(BALANCE_COMMANDS, name="other.commands.v1")
        bench.ask(3)
        bench.reads(BALANCE_COMMANDS, other)
        await bench.live()
        bench.reads(other)
        await bench.clock.sleep(2 * WINDOW)
        bench.ask(1, first=2, at=bench.clock.now_ms())
        await bench.live()
        bench.reads(BALANCE_COMMANDS, other)
        await bench.live()
        assert [event.type for event in bench.events()] == ["funds_deposited"] * 4

    asyncio.run(case())


def test_an_answer_is_remembered_although_the_own_topics_clock_is_late() -> None:
    async def case() -> None:
        bench = Bench()
        bench.log.step_back(bench.service.output(0), SKEW)
        bench.ask(1, at=NOW + SLACK)
        await bench.live()
        await bench.clock.sleep(NOW + SLACK + WINDOW - 10_000 - bench.clock.now_ms())
        bench.ask(1, first=2, at=bench.clock.now_ms())
        await bench.live()
        bench.ask(1, at=NOW + SLACK)
        await bench.live()
        assert bench.partition
        assert bench.partition.figures.repeats == 1
        assert len(bench.events()) == 2

    asyncio.run(case())


def test_the_catalogue_is_whole_although_a_leader_tells_an_old_end() -> None:
    async def case(seed: int) -> None:
        log, end = MemoryLog(topic_specs(1), VirtualClock(NOW)), len(LISTED)
        for asset in LISTED:
            log.put((ASSETS.name, 0), [Draft(asset.asset_id.encode(), encode(asset))])
        life = Life(log, Faults(rng=Random(seed), stale_one_in=1))
        read = await read_market(life, ORDER, {(ASSETS.name, 0): end, (PRICES.name, 0): 0}, NOW)
        assert len(read.assets) == end

    for seed in range(20):
        asyncio.run(case(seed))


def test_a_rows_key_is_read_back_whatever_the_account_is_called() -> None:
    async def case() -> None:
        bench, account_id = Bench(), f"{'a' * 17}/{'b' * 18}"
        bench.ask(2, account_id=account_id)
        await bench.live(rest_ms=LONG_MS)
        bench.ask(1, first=2, account_id=account_id)
        await bench.live()
        assert [event.sequence for event in bench.events()] == [1, 2, 3]

    asyncio.run(case())


def test_a_new_input_whose_first_events_are_gone_is_refused() -> None:
    async def case() -> None:
        bench = Bench()
        bench.ask(1)
        await bench.live()
        bench.reads(BALANCE_COMMANDS, ORDER_EVENTS)
        bench.put(b"an event", "key")
        bench.log.delete_before((ORDER_EVENTS.name, 0), 1)
        with pytest.raises(AssertionError, match="events were deleted"):
            await bench.owner(Life(bench.log)).take_over()

    asyncio.run(case())


def test_a_service_is_ready_under_load_too() -> None:
    async def case() -> None:
        bench, stop = Bench(), asyncio.Event()
        shell = Shell(
            bench.service, Life(bench.log), bench.clock, owned=[0], partitions=1, write_versions={}
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(shell.run(stop))
            for n in range(1, 60):
                bench.ask(1, first=n)
                await bench.clock.sleep(50)
            assert all(shell.ready().values())
            stop.set()

    asyncio.run(case())
