"""What every Log must do: the same tests on the twin and on Kafka."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from infra.log.port import (
    Appended,
    Draft,
    Fenced,
    Lost,
    OutOfRange,
    Record,
    TooLarge,
    Writer,
)
from tests.contracts.log_worlds import (
    CLAIM,
    KafkaWorld,
    MemoryWorld,
    World,
    append,
    own,
    read,
    read_all,
    texts,
    values,
)


@pytest.fixture(params=["twin", pytest.param("kafka", marks=pytest.mark.stack)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    twin = request.param == "twin"
    made: World = MemoryWorld() if twin else KafkaWorld(request.getfixturevalue("kafka"))
    yield made
    await made.close()


async def test_a_batch_is_read_back_whole_and_in_order(world: World) -> None:
    tp = (await world.topic(), 0)
    writer = await own(world.log(), tp)
    drafts = [
        Draft(b"k", b"v", (("a", b"1"), ("a", b"2"), ("ü", b""))),
        Draft(None, b"v"),
        Draft(b"k", None),
    ]

    stands = await append(writer, tp, drafts)

    found = await read(world.log(), tp, stands.offset)
    assert [Draft(r.key, r.value, r.headers) for r in found] == drafts
    assert [r.offset for r in found] == [stands.offset + i for i in range(3)]
    assert {(r.topic, r.partition, r.timestamp) for r in found} == {(*tp, stands.timestamp)}
    await writer.stop()


async def test_a_record_is_stamped_when_it_is_appended(world: World) -> None:
    tp = (await world.topic(), 0)
    before = world.clock.now_ms()
    writer = await own(world.log(), tp)
    stands = await append(writer, tp, values("v"))
    assert before <= stands.timestamp <= world.clock.now_ms()
    await writer.stop()


async def test_the_claims_stand_where_the_writer_says(world: World) -> None:
    topic = await world.topic(2)
    writer = await own(world.log(), (topic, 0), (topic, 1))
    for tp in ((topic, 0), (topic, 1)):
        (claim,) = await read(world.log(), tp, writer.claims[tp])
        assert Draft(claim.key, claim.value, claim.headers) == CLAIM
        assert writer.next_offset(tp) == claim.offset + 1
    await writer.stop()


async def test_readers_step_over_markers(world: World) -> None:
    tp = (await world.topic(), 0)
    log = world.log()
    writers = [await own(log, tp) for _ in range(3)]
    reader = await log.reader({tp: 0})
    found: list[Record] = []
    while not reader.drained(tp):
        found += (await reader.fetch(100)).get(tp, [])
    assert [r.offset for r in found] == [1, 3, 5]
    assert reader.position(tp) == (await log.bounds([tp]))[tp].end == 6
    await writers[-1].refence()
    await world.clock.sleep(50)
    while reader.position(tp) < 7 or not reader.drained(tp):
        assert not await reader.fetch(100)
    await reader.stop()
    for writer in writers:
        await writer.stop()


async def test_an_older_owner_is_refused(world: World) -> None:
    tp = (await world.topic(), 0)
    older = await own(world.log(), tp)
    await append(older, tp, values("before"))
    newer = await own(world.log(), tp)

    with pytest.raises(Fenced):
        await append(older, tp, values("after"))

    await append(newer, tp, values("mine"))
    assert await texts(world.log(), tp) == ["claim", "before", "claim", "mine"]
    await older.stop()
    await newer.stop()


async def test_a_writer_that_lost_once_writes_no_more(world: World) -> None:
    tp = (await world.topic(), 0)
    older = await own(world.log(), tp)
    newer = await own(world.log(), tp)
    for _ in range(2):
        with pytest.raises(Lost):
            await append(older, tp, values("after"))
    with pytest.raises(Lost):
        await older.refence()
    await append(newer, tp, values("mine"))
    await older.stop()
    await newer.stop()


async def test_a_stopped_writer_writes_no_more(world: World) -> None:
    tp = (await world.topic(), 0)
    writer = await own(world.log(), tp)
    batch = writer.batch(tp)
    batch.add(Draft(b"k", b"late"))
    await writer.stop()
    with pytest.raises(Lost):
        await writer.append(batch)
    assert await texts(world.log(), tp) == ["claim"]


async def test_racing_take_overs_leave_one_writer(world: World) -> None:
    tp = (await world.topic(), 0)
    logs = [world.log() for _ in range(3)]
    raced = await asyncio.gather(*(own(log, tp) for log in logs), return_exceptions=True)
    assert all(isinstance(one, Lost) for one in raced if isinstance(one, BaseException))
    writers = [one for one in raced if not isinstance(one, BaseException)]

    appended = await asyncio.gather(
        *(append(writer, tp, values(f"of {i}")) for i, writer in enumerate(writers)),
        return_exceptions=True,
    )

    assert [isinstance(one, Appended) for one in appended].count(True) == 1
    found = [text for text in await texts(world.log(), tp) if text != "claim"]
    assert found == [f"of {i}" for i, one in enumerate(appended) if isinstance(one, Appended)]
    for writer in writers:
        await writer.stop()


async def test_a_writer_goes_on_after_it_fenced_anew(world: World) -> None:
    tp = (await world.topic(), 0)
    writer = await own(world.log(), tp)
    await append(writer, tp, values("a"))
    expected = writer.next_offset(tp) + 1

    await writer.refence()

    assert (await append(writer, tp, values("b"))).offset == expected
    assert await texts(world.log(), tp) == ["claim", "a", "b"]
    await writer.stop()


async def test_who_fences_anew_too_late_harms_nobody(world: World) -> None:
    tp = (await world.topic(), 0)
    older = await own(world.log(), tp)
    newer = await own(world.log(), tp)
    with pytest.raises(Fenced):
        await older.refence()
    await append(newer, tp, values("mine"))
    assert await texts(world.log(), tp) == ["claim", "claim", "mine"]
    await older.stop()
    await newer.stop()


async def test_an_intruder_is_noticed(world: World) -> None:
    tp = (await world.topic(), 0)
    writer = await own(world.log(), tp)
    await world.put(tp, values("intruder"))
    with pytest.raises(Lost, match="somebody else"):
        await append(writer, tp, values("perhaps written"))
    await writer.stop()


async def test_one_append_at_a_time(world: World) -> None:
    tp = (await world.topic(), 0)
    writer = await own(world.log(), tp)
    first = asyncio.create_task(append(writer, tp, values("first")))
    await asyncio.sleep(0)
    with pytest.raises(Lost, match="busy"):
        await append(writer, tp, values("second"))
    await first
    assert await texts(world.log(), tp) == ["claim", "first"]
    await writer.stop()


async def test_the_next_batch_is_made_while_one_is_under_way(world: World) -> None:
    tp = (await world.topic(), 0)
    writer = await own(world.log(), tp)
    first = asyncio.create_task(append(writer, tp, values("a", "b")))
    await asyncio.sleep(0)
    expected, batch = writer.next_offset(tp), writer.batch(tp)
    batch.add(Draft(b"k", b"c"))
    assert (await first).offset + 2 == expected
    assert (await writer.append(batch)).offset == expected
    await writer.stop()


async def test_too_large_is_said_before_anything_is_sent(world: World) -> None:
    tp = (await world.topic(), 0)
    writer = await world.log().take_over("large", [tp], CLAIM, max_batch=10_000)
    batch = writer.batch(tp)
    with pytest.raises(TooLarge):
        batch.add(Draft(b"k", b"x" * 10_000))
    batch.add(Draft(b"k", b"small"))
    while batch.free >= 1_100:
        batch.add(Draft(b"k", b"x" * 1_000))
    with pytest.raises(TooLarge):
        batch.add(Draft(b"k", b"x" * 1_100))
    assert (await writer.append(batch)).offset == writer.claims[tp] + 1
    assert len(await read(world.log(), tp)) == 1 + len(batch)
    await writer.stop()


async def test_what_the_broker_calls_too_large_is_lost_whole(world: World) -> None:
    tp = (await world.topic(max_message_bytes=10_000), 0)
    writer = await own(world.log(), tp)
    with pytest.raises(Lost):
        await append(writer, tp, values("a", "x" * 20_000))
    assert await texts(world.log(), tp) == ["claim"]
    await writer.stop()


async def test_an_input_is_drained_when_all_was_returned(world: World) -> None:
    topic = await world.topic(2)
    full, empty = (topic, 0), (topic, 1)
    await world.put(full, values("a", "b"))
    reader = await world.log().reader({full: 0, empty: 0})
    assert not reader.drained(full)
    found: list[Record] = []
    while not (reader.drained(full) and reader.drained(empty)):
        found += (await reader.fetch(100)).get(full, [])
    assert len(found) == 2
    assert await reader.fetch(0) == {}
    await reader.stop()


async def test_an_input_of_more_than_one_fetch_is_drained_at_its_end_only(world: World) -> None:
    tp = (await world.topic(), 0)
    for _ in range(3):
        await world.put(tp, [Draft(b"k", b"x" * 1_000)] * 900)
    reader = await world.log().reader({tp: 0})
    sizes = []
    while not reader.drained(tp):
        sizes.append(len((await reader.fetch(100)).get(tp, [])))
    assert sum(sizes) == reader.position(tp) == 2_700
    assert max(sizes) < 2_700
    await reader.stop()


async def test_a_record_wakes_an_idle_reader(world: World) -> None:
    topic = await world.topic(3)
    tps = [(topic, number) for number in range(3)]
    reader = await world.log().reader(dict.fromkeys(tps, 0))
    for round_ in range(9):
        waiting = asyncio.create_task(reader.fetch(30_000))
        await world.clock.sleep(20)
        await world.put(tps[round_ % 3], values(f"{round_}"))
        came = await waiting
        assert [(tp, [r.value for r in rs]) for tp, rs in came.items()] == [
            (tps[round_ % 3], [b"%d" % round_])
        ]
    await reader.stop()


async def test_a_paused_partition_waits(world: World) -> None:
    topic = await world.topic(2)
    paused, other = (topic, 0), (topic, 1)
    reader = await world.log().reader({paused: 0, other: 0})
    reader.pause([paused])
    await world.put(paused, values("a"))
    await world.put(other, values("b"))
    assert list(await reader.fetch(10_000)) == [other]
    assert await reader.fetch(30) == {}
    assert reader.position(paused) == 0
    reader.resume([paused])
    assert list(await reader.fetch(10_000)) == [paused]
    await reader.stop()


async def test_a_reader_may_begin_in_the_middle_of_a_batch(world: World) -> None:
    tp = (await world.topic(), 0)
    await world.put(tp, values("a", "b", "c"))
    assert await texts(world.log(), tp, 1) == ["b", "c"]


async def test_a_position_before_the_start_is_out_of_range(world: World) -> None:
    tp = (await world.topic(), 0)
    await world.put(tp, values("a", "b", "c"))
    await world.delete_before(tp, 2)
    log = world.log()
    assert tuple((await log.bounds([tp]))[tp]) == (2, 3)
    with pytest.raises(OutOfRange, match=r"offset 1 is outside 2\.\.3.*begin again at 2"):
        await read(log, tp, 1)
    assert await texts(log, tp, 2) == ["c"]


async def test_a_position_past_the_end_is_out_of_range(world: World) -> None:
    tp = (await world.topic(), 0)
    await world.put(tp, values("a"))
    with pytest.raises(OutOfRange, match=r"offset 9 is outside 0\.\.1.*audit"):
        await read(world.log(), tp, 9)


async def test_a_time_is_found_in_the_log(world: World) -> None:
    tp, log = (await world.topic(), 0), world.log()
    writer = await own(log, tp)
    first = await append(writer, tp, values("a", "b"))
    await world.clock.sleep(20)
    second = await append(writer, tp, values("c"))
    assert await log.offset_at(tp, 0) <= writer.claims[tp]  # Kafka's markers have a time, too
    assert await log.offset_at(tp, first.timestamp + 1) == second.offset
    assert await log.offset_at(tp, second.timestamp) == second.offset
    assert await log.offset_at(tp, second.timestamp + 1) == second.offset + 1
    await writer.stop()


async def test_a_partition_that_does_not_exist_is_named(world: World) -> None:
    log, tp = world.log(), (await world.topic(), 1)
    calls = (own(log, tp), log.reader({tp: 0}), log.bounds([tp]))
    for answer in await asyncio.gather(*calls, return_exceptions=True):
        assert isinstance(answer, LookupError)
        assert f"{tp}" in str(answer)


async def test_compaction_keeps_the_last_of_each_key(world: World) -> None:
    tp = (await world.topic(compacted=True), 0)
    log = world.log()
    writer = await own(log, tp)
    for round_ in range(3):
        await append(writer, tp, [Draft(b"a", b"a%d" % round_), Draft(b"b", b"b%d" % round_)])
        await writer.refence()
    await append(writer, tp, [Draft(b"b", None), Draft(b"c", b"c")])
    await world.compact(tp)
    kept = [(b"control:claim", b"claim"), (b"a", b"a2"), (b"b", None), (b"c", b"c")]

    deadline = world.clock.now_ms() + 60_000
    while (found := [(r.key, r.value) for r in await read(log, tp)])[:-1] != kept:
        assert world.clock.now_ms() < deadline, found
        await world.clock.sleep(200)

    with pytest.raises(Lost):  # the filler is not the writer's
        await append(writer, tp, [Draft(b"c", b"c1")])
    await writer.stop()


async def test_must_show_50_take_overs_and_nothing_of_the_zombie_after_the_fence(
    world: World,
) -> None:
    topic = await world.topic(2)
    events, state = (topic, 0), (topic, 1)
    idle = await own(world.log(), events, state)
    owner = await own(world.log(), events, state)
    start = dict(owner.claims)
    acknowledged = 0

    async def keep_appending(writer: Writer, name: int) -> int:
        number = 0
        with suppress(Lost):
            while True:
                await append(writer, events, values(*[f"{name}"] * (1 + number % 7)))
                number += 1
        return number

    for name in range(50):
        appending = asyncio.create_task(keep_appending(owner, name))
        await world.clock.sleep(5 + name % 20)
        newer = await own(world.log(), events, state)
        await append(newer, events, values(f"first of {name + 1}"))
        acknowledged += await appending
        with pytest.raises(Lost):
            await append(idle, events, values(f"{name}"))
        found = await read_all(world.log(), start)
        after = [r.value for r in found[events] if r.offset > newer.claims[events]]
        assert after == [b"first of %d" % (name + 1)]
        await idle.stop()
        idle, owner, start = owner, newer, dict(newer.claims)
    assert acknowledged > 50
    await idle.stop()
    await owner.stop()
