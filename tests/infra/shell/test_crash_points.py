"""The shell killed at every point where it touches the log, one after the other."""

import asyncio

import pytest

from events.control import RecordQuarantined
from events.topics import CONTROL
from infra.log.life import Faults
from infra.shell.restore import own_event
from infra.shell.rows import RowStore
from infra.shell.snapshot import INTERVAL_MS
from tests.infra.shell.stepper import Bench
from tests.messages.envelope import ACCOUNT, OTHER_ACCOUNT

HISTORY = (1, 7, 4)
LONG_REST_MS = 2 * INTERVAL_MS


def history() -> Bench:
    bench = Bench()
    bench.ask(*HISTORY)
    bench.put(b"poison", ACCOUNT)
    bench.ask(7, first=2)  # a repeat of the second
    bench.ask(2, first=9)
    return bench


def check(bench: Bench) -> None:
    """Every command took effect once, in whole; the poison is set aside once; the rows are the events' fold."""
    wanted = [(n, left) for n in (1, 7, 4, 2) for left in range(n - 1, -1, -1)]
    events = [event for event in bench.events() if event.account_id == ACCOUNT]
    assert [event.held for event in events] == [left for _, left in wanted]
    assert [event.available for event in events] == list(range(1, len(events) + 1))
    assert [event.sequence for event in events] == list(range(1, len(events) + 1))
    assert len({event.id for event in events}) == len(events)
    assert [record.value for record in bench.dead_letters()] == [b"poison"]
    store, quarantined = RowStore(bench.service), 0
    for record in bench.log.read(bench.service.output(0)):
        if (event := own_event(bench.service, record)) is not None:
            store.fold(event, record.offset)
            quarantined += isinstance(event, RecordQuarantined)
    assert quarantined == 1
    assert bench.partition
    assert bench.partition.store.rows == store.rows


ONE_LIFE = asyncio.run(history().live(rest_ms=LONG_REST_MS))
"""The crash points that the history has, a snapshot included."""


async def lives(*crashes: int) -> None:
    """Dies at these points, one a life, then lives on, then once more from what it left."""
    bench = history()
    for point in crashes:
        await bench.die(Faults(crash_at=point), LONG_REST_MS)
    await bench.live()
    check(bench)
    bench.ask(1, first=20, account_id=OTHER_ACCOUNT)
    await bench.live(
        rest_ms=LONG_REST_MS
    )  # its snapshot must have the rows that nothing touched since
    check(bench)
    await bench.live()
    check(bench)


def test_a_life_without_a_crash_is_right() -> None:
    asyncio.run(lives())


def test_a_crash_at_any_point_changes_nothing() -> None:
    for point in range(1, ONE_LIFE + 1):
        asyncio.run(lives(point))


@pytest.mark.slow
def test_two_crashes_at_any_two_points_change_nothing() -> None:
    for first in range(1, ONE_LIFE + 1, 3):
        for second in range(first % 5 + 1, ONE_LIFE + 1, 5):
            asyncio.run(lives(first, second))


async def long_steps(crash_at: int) -> int:
    """Takes a command of five steps, each in a batch of its own; returns the crash points passed by the last life."""
    bench = Bench(size=1_000)
    bench.ask(4_500)
    if crash_at:
        assert await bench.die(Faults(crash_at=crash_at))
    points = await bench.live()
    assert [event.held for event in bench.events()] == list(range(4_499, -1, -1))
    return points


@pytest.mark.slow
def test_steps_that_fill_several_batches_survive_a_crash_between_them() -> None:
    points = asyncio.run(long_steps(0))
    for point in range(points - 30, points + 1):
        asyncio.run(long_steps(point))


def test_a_control_record_is_told_by_its_header_and_read_by_its_own_decoder() -> None:
    bench = history()
    asyncio.run(bench.live())
    own = bench.log.read(bench.service.output(0))
    control = [record for record in own if record not in bench.records()]
    kinds = [CONTROL(record.value or b"").type for record in control]
    assert kinds == ["partition_claimed", "record_quarantined"]
