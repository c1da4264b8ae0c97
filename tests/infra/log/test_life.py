"""What the twin enforces and what it lets happen, as Kafka does."""

import asyncio
from collections import Counter
from random import Random

import pytest

from infra.log.clock import VirtualClock
from infra.log.life import Crashed, Faults, Life
from infra.log.memory import MemoryLog, Refused
from infra.log.port import Draft, Fenced, Lost, Record, TopicSpec, Writer

TP = ("events", 0)
CLAIM = Draft(b"control:claim", b"claim")
BATCH = (b"a", b"b", b"c")


@pytest.fixture
def brokers() -> MemoryLog:
    return MemoryLog([TopicSpec("events")])


async def append(writer: Writer, *values: bytes) -> int:
    batch = writer.batch(TP)
    for value in values:
        batch.add(Draft(b"k", value))
    return (await writer.append(batch)).offset


async def own(life: Life) -> Writer:
    return await life.take_over("order-0", [TP], CLAIM)


async def read(life: Life, start: int, end: int) -> list[Record]:
    """Returns what stands from start to end, as a restore reads up to its own claim."""
    reader, found = await life.reader({TP: start}), list[Record]()
    while reader.position(TP) < end:
        for records in (await reader.fetch(100)).values():
            found += records
    return [r for r in found if r.offset < end]


async def shift(life: Life) -> None:
    """A process's work: take over, read, append a batch, fence anew, append another."""
    writer = await own(life)
    await read(life, 0, writer.claims[TP])
    await append(writer, *BATCH)
    await writer.refence()
    await append(writer, *BATCH)


async def crash(point: int, seed: int = 0) -> tuple[MemoryLog, Life]:
    brokers = MemoryLog([TopicSpec("events")])
    faults = Faults(rng=Random(seed), crash_at=point, transit_ms=3, late_ms=200)
    life = Life(brokers, faults)
    try:
        await shift(life)
    except Crashed:
        assert life.dead
    return brokers, life


async def test_a_crash_at_any_point_leaves_batches_whole_and_the_log_open() -> None:
    outcomes: Counter[int] = Counter()
    _, calm = await crash(0)
    assert not calm.dead
    for point in range(1, calm.points + 1):
        for seed in range(5):
            brokers, life = await crash(point, seed)
            assert life.dead
            next_life = Life(brokers, Faults(rng=Random(seed), transit_ms=3))
            writer = await own(next_life)
            before = await read(next_life, 0, writer.claims[TP])
            await append(writer, b"mine")
            await brokers.clock.sleep(1_000)  # what was under way has arrived, or was refused

            values = [r.value for r in brokers.read(TP) if r.value != b"claim"]
            count = [r.value for r in before].count(b"a")
            assert values == [*BATCH] * count + [b"mine"]
            outcomes[count] += 1
    assert set(outcomes) == {0, 1, 2}


async def test_the_same_seed_is_the_same_history() -> None:
    async def history(seed: int) -> tuple[list[Record], int]:
        brokers = MemoryLog([TopicSpec("events")])
        rng = Random(seed)
        for _ in range(20):
            faults = Faults(
                rng=rng,
                crash_one_in=40,
                lose_one_in=5,
                hold_one_in=5,
                stale_one_in=5,
                transit_ms=5,
                late_ms=500,
            )
            try:
                await shift(Life(brokers, faults))
            except (Crashed, Lost, TimeoutError):
                continue
        return brokers.read(TP), brokers.clock.now_ms()

    for seed in range(10):
        assert await history(seed) == await history(seed)
    assert await history(1) != await history(2)


async def test_an_unanswered_append_is_written_once_late_or_never() -> None:
    found: Counter[tuple[int, int]] = Counter()
    for seed in range(40):
        brokers = MemoryLog([TopicSpec("events")])
        writer = await own(Life(brokers))
        lossy = Life(brokers, Faults(rng=Random(seed), lose_one_in=1, late_ms=100))
        writer._session._life = lossy  # type: ignore[attr-defined]  # it loses from here on
        with pytest.raises(Lost):
            await append(writer, *BATCH)
        at_once = len(brokers.read(TP))
        await brokers.clock.sleep(200)
        found[at_once - 1, len(brokers.read(TP)) - 1] += 1
    assert set(found) == {(0, 0), (0, 3), (3, 3)}


async def test_a_late_batch_is_refused_behind_a_fence(brokers: MemoryLog) -> None:
    zombie = Life(brokers)
    writer = await own(zombie)
    batch = [Draft(b"k", b"late")]
    producer = brokers.begin("order-0")._replace(epoch=1)  # the writer's
    brokers.send(lambda: brokers.produce(TP, producer, 1, batch), 500)
    await own(Life(brokers))
    await brokers.clock.sleep(1_000)
    with pytest.raises(Fenced):
        await append(writer, b"later")
    assert [r.value for r in brokers.read(TP)] == [b"claim", b"claim"]


async def test_a_leader_that_forgot_its_producers_lets_a_zombie_in(brokers: MemoryLog) -> None:
    zombie = await own(Life(brokers))
    await own(Life(brokers))
    brokers.forget_producers(TP)
    with pytest.raises(Lost, match="somebody else"):  # written, and noticed too late
        await append(zombie, b"zombie")
    assert brokers.read(TP)[-1].value == b"zombie"


async def test_a_coordinator_that_forgot_the_owner_fences_nobody(brokers: MemoryLog) -> None:
    zombie = await own(Life(brokers))
    brokers.forget_owner("order-0")
    newer = await own(Life(brokers))
    with pytest.raises(Lost):
        await append(zombie, b"zombie")
    with pytest.raises(Lost, match="somebody else"):
        await append(newer, b"mine")
    assert [r.value for r in brokers.read(TP)][2:] == [b"zombie", b"mine"]


async def test_time_never_falls_in_a_partition_unless_told(brokers: MemoryLog) -> None:
    first = brokers.put(TP, [Draft(b"k", b"1")]).timestamp
    await brokers.clock.sleep(10)
    second = brokers.put(TP, [Draft(b"k", b"2")]).timestamp
    brokers.step_back(TP, 1_000)
    third = brokers.put(TP, [Draft(b"k", b"3")]).timestamp
    assert (second - first, third - second) == (10, -1_000)


async def test_a_killed_life_reaches_nothing(brokers: MemoryLog) -> None:
    life = Life(brokers)
    writer = await own(life)
    reader = await life.reader({TP: 0})
    life.kill()
    with pytest.raises(Crashed):
        await append(writer, b"late")
    with pytest.raises(Crashed):
        await reader.fetch(100)
    with pytest.raises(Crashed):
        await life.bounds([TP])
    assert [r.value for r in brokers.read(TP)] == [b"claim"]


async def test_an_append_that_is_sent_again_stands_once() -> None:
    for seed in range(40):
        brokers = MemoryLog([TopicSpec("events")])
        faults = Faults(rng=Random(seed), resend_one_in=1, transit_ms=5, late_ms=100)
        writer = await own(Life(brokers, faults))
        for _ in range(3):
            await append(writer, *BATCH)
        await brokers.clock.sleep(200)  # the last copies have arrived
        assert [r.value for r in brokers.read(TP)] == [b"claim", *BATCH * 3]


async def test_nothing_is_sent_again_after_the_lease() -> None:
    """A machine sleeps in the midst of an append; meanwhile the brokers forget its producer."""
    clock = VirtualClock()
    brokers = MemoryLog([TopicSpec("events")], clock)
    writer = await own(Life(brokers))
    brokers.depose(TP, 1_000)
    appending = asyncio.create_task(append(writer, *BATCH))
    await brokers.clock.sleep(500)
    clock.jump(25 * 3_600_000)
    brokers.forget_producers(TP)
    with pytest.raises(Lost, match="asleep"):
        await appending
    assert [r.value for r in brokers.read(TP)] == [b"claim"]


async def test_between_two_leaders_all_wait(brokers: MemoryLog) -> None:
    life = Life(brokers)
    writer, begun = await own(life), brokers.clock.now_ms()
    brokers.put(TP, [Draft(b"k", b"intruder")])
    reader = await life.reader({TP: 0})
    brokers.depose(TP, 5_000)
    assert await reader.fetch(1_000) == {}
    assert not reader.drained(TP)
    assert (await life.bounds([TP]))[TP].end == 3
    assert brokers.clock.now_ms() - begun >= 5_000
    assert len((await reader.fetch(1_000))[TP]) == 2
    with pytest.raises(Lost, match="somebody else"):  # its successor knows what the log says
        await append(writer, *BATCH)


async def test_a_leader_knows_the_newest_batches_of_a_producer_again(brokers: MemoryLog) -> None:
    producer = brokers.begin("order-0")
    stands = [brokers.produce(TP, producer, n, [Draft(b"k", b"%d" % n)]) for n in range(7)]
    assert brokers.produce(TP, producer, 6, [Draft(b"k", b"6")]) == stands[6]
    assert brokers.produce(TP, producer, 2, [Draft(b"k", b"2")]) == stands[2]
    with pytest.raises(Refused):
        brokers.produce(TP, producer, 1, [Draft(b"k", b"1")])
    assert len(brokers.read(TP)) == 7
