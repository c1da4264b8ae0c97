"""Appends whose request or answer is late, lost, doubled or torn: each batch stands once and whole, or not at all."""

import asyncio
import uuid
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from signal import SIGKILL

import pytest
from aiokafka.errors import (
    DuplicateSequenceNumber,
    InvalidProducerEpoch,
    NoError,
    OutOfOrderSequenceNumber,
    for_code,
)

from infra.log.admin import ensure
from infra.log.kafka import KafkaLog
from infra.log.port import TP, Fenced, Reader, Record, TopicSpec
from ops.stack.processes import SHELL_SERVICES
from tests.contracts.log_worlds import own, read
from tests.faults.appends import MOST, Ledger
from tests.faults.brokers import Behind
from tests.faults.lives import Life, now_ms
from tests.faults.proxy import (
    Api,
    Fault,
    Hold,
    Proxy,
    answer_half_open,
    calm,
    delay,
    delay_answer,
    double,
    either,
    half_open,
    lose_answer,
    lose_request,
    strike,
    tear,
    weather,
)
from tests.faults.table import RUNS, row
from tests.faults.world import busy
from tests.stand import until

pytestmark = pytest.mark.stack

ONE_IN: Mapping[int, int] = {
    Api.PRODUCE: 20,
    Api.FETCH: 20,
    Api.INIT_PRODUCER_ID: 4,
    Api.ADD_PARTITIONS_TO_TXN: 4,
    Api.END_TXN: 4,
}
SELDOM: Mapping[int, int] = {
    Api.PRODUCE: 20,
    Api.FETCH: 20,
    Api.INIT_PRODUCER_ID: 30,
    Api.ADD_PARTITIONS_TO_TXN: 5,
    Api.END_TXN: 5,
}
"""Whose InitProducerId was done and not answered may think that somebody else has taken over, and pauses for 5 s."""
BROKEN = (delay(20), delay_answer(20), lose_request, lose_answer, tear, double)
GIVE_UP_MS = 300  # after which a client takes a silent connection for broken
LATEST_S = 0.05
LONGEST_LIFE = 20  # appends
REPEATS = {NoError, DuplicateSequenceNumber, OutOfOrderSequenceNumber}


def lane(quick: int, whole: int) -> pytest.MarkDecorator:
    """Returns the numbers that a test is run with: a few by every test run, all by the faults' lane."""
    return pytest.mark.parametrize("times", [quick, pytest.param(whole, marks=pytest.mark.faults)])


@pytest.fixture
async def proxy(broker: Behind) -> AsyncIterator[Proxy]:
    async with Proxy(broker.inside, broker.outside) as proxy:
        yield proxy


@pytest.fixture
async def direct(broker: Behind) -> AsyncIterator[KafkaLog]:
    log = KafkaLog(broker.address)
    yield log
    await log.stop()


@pytest.fixture
async def through(proxy: Proxy) -> AsyncIterator[KafkaLog]:
    log = KafkaLog(proxy.address, request_timeout_ms=GIVE_UP_MS)
    yield log
    proxy.choice = calm
    await log.stop()


@pytest.fixture
async def tp(broker: Behind) -> TP:
    """Returns a partition of a new topic."""
    name = f"topic-{uuid.uuid4().hex[:12]}"
    await ensure([TopicSpec(name)], broker.address)
    return name, 0


def error(answer: bytes) -> type[Exception]:
    """Returns the broker's judgement of the only batch of a Produce request, up to version 8."""
    name = int.from_bytes(answer[8:10])
    return for_code(int.from_bytes(answer[18 + name : 20 + name], signed=True))  # type: ignore[no-any-return]


@lane(10, 100)
async def test_a_frame_that_comes_after_its_retry_is_a_repeat(
    proxy: Proxy, direct: KafkaLog, through: KafkaLog, tp: TP, times: int
) -> None:
    rng = Random(14)
    ledger, answers = Ledger(rng), Counter[type[Exception]]()
    writer = await own(through, tp)
    for _ in range(times):
        hold = Hold()
        proxy.choice = strike(hold, Api.PRODUCE, times=1)
        for _ in range(rng.randint(1, 8)):
            await ledger.append(writer, tp)
        if rng.randrange(4) == 0:
            await writer.refence()
        await asyncio.sleep(rng.uniform(0, LATEST_S))
        end = (await direct.bounds([tp]))[tp].end
        answers.update(map(error, await hold.release(proxy.inside)))
        assert (await direct.bounds([tp]))[tp].end == end
    await writer.stop()
    ledger.check(await read(direct, tp))
    assert answers.total() == times
    assert set(answers) <= {*REPEATS, InvalidProducerEpoch}
    row(14, "a Produce frame arrives after its retry", times, 0)
    print({kind.__name__: n for kind, n in answers.items()})


@lane(10, 100)
async def test_a_frame_that_comes_after_the_next_owner_is_refused(
    proxy: Proxy, direct: KafkaLog, through: KafkaLog, tp: TP, times: int
) -> None:
    rng = Random(14)
    ledger = Ledger(rng)
    for _ in range(times):
        hold = Hold()
        older = await own(through, tp)
        await ledger.append(older, tp)
        proxy.choice = strike(hold, Api.PRODUCE)
        late = asyncio.create_task(ledger.append(older, tp))
        await hold.came()
        newer = await own(direct, tp)
        await ledger.append(newer, tp)
        await asyncio.sleep(rng.uniform(0, LATEST_S))
        answers = set(map(error, await hold.release(proxy.inside)))
        assert answers == {InvalidProducerEpoch}
        proxy.choice = calm
        with pytest.raises(Fenced):
            await late
        await ledger.append(newer, tp)
        for writer in (older, newer):
            await writer.stop()
    ledger.check(await read(direct, tp))
    assert len(ledger.acknowledged) == 3 * times
    row(14, "a Produce frame arrives after the next owner's fence", times, 0)


@asynccontextmanager
async def beside(*works: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Has endless works go on during the block. Raises: an ExceptionGroup if one ends."""
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(work) for work in works]
        yield
        for task in tasks:
            task.cancel()


async def follow(reader: Reader, found: list[Record]) -> None:
    """Reads until it is cancelled."""
    try:
        while True:
            for records in (await reader.fetch(100)).values():
                found += records
    finally:
        await reader.stop()


async def seen(found: Sequence[Record], number: int) -> None:
    """Returns when the batch was read."""
    key = b"%d" % number
    await until(
        lambda: any(record.key == key for record in found[-2 * MOST :]), f"no batch {number}"
    )


async def lives(log: KafkaLog, tp: TP, ledger: Ledger, appends: int) -> Counter[str]:
    """Appends, life after life, until so many were acknowledged. Returns what ended lives."""
    ends: Counter[str] = Counter()
    while len(ledger.acknowledged) < appends:
        try:
            writer = await own(log, tp)
            await log.bounds([tp])
        except Exception as error:
            ends[type(error).__name__] += 1
            continue
        lost = await ledger.append_some(writer, tp, ledger.rng.randint(1, LONGEST_LIFE))
        if lost is None and ledger.rng.randrange(2):  # cut off in the middle, as by a crash
            cut = asyncio.create_task(ledger.append(writer, tp))
            await asyncio.sleep(ledger.rng.uniform(0, LATEST_S / 10))
            cut.cancel()
            await asyncio.gather(cut, return_exceptions=True)
        ends[type(lost).__name__ if lost else "the end"] += 1
        await writer.stop()
    return ends


async def deliver(hold: Hold, port: int, rng: Random) -> None:
    """Delivers late what was kept, until it is cancelled."""
    while True:
        await hold.came()
        await asyncio.sleep(rng.uniform(0, LATEST_S))
        await hold.release(port)


@lane(200, 2_000)
async def test_random_faults_tear_and_double_nothing(
    proxy: Proxy, direct: KafkaLog, through: KafkaLog, tp: TP, times: int
) -> None:
    rng, hold = Random(15), Hold()
    ledger, found = Ledger(rng), list[Record]()
    reader = await through.reader({tp: 0})  # a first connection that breaks ends a process
    proxy.choice = weather(rng, [*BROKEN, half_open, answer_half_open, hold], ONE_IN)
    async with beside(follow(reader, found), deliver(hold, proxy.inside, rng)):
        ends = await lives(through, tp, ledger, times)
        await seen(found, ledger.acknowledged[-1])
    stands = await read(direct, tp)
    ledger.check(stands)
    assert found == stands[: len(found)], "a reader saw what does not stand"
    row(15, "random faults on what an append sends", ledger.sent, 0)
    print(f"{len(ledger.acknowledged)} acknowledged; ends {dict(ends)}; struck {named(proxy)}")


def named(proxy: Proxy) -> dict[str, int]:
    return {Api(api).name: n for api, n in proxy.struck.items()}


@pytest.mark.parametrize("api", Api)
async def test_an_answer_that_is_lost_doubles_nothing(
    proxy: Proxy, direct: KafkaLog, through: KafkaLog, tp: TP, api: Api
) -> None:
    rng = Random(api)
    ledger, found = Ledger(rng), list[Record]()
    reader = await through.reader({tp: 0})
    proxy.choice = weather(rng, [lose_answer], {api: 3})
    async with beside(follow(reader, found)):
        while proxy.struck[api] < 3:
            await lives(through, tp, ledger, len(ledger.acknowledged) + 20)
        await seen(found, ledger.acknowledged[-1])
    stands = await read(direct, tp)
    ledger.check(stands)
    assert found == stands[: len(found)]
    row(16, f"answers to {api.name} are lost, the effect is done", proxy.struck[api], 0)


async def keep(life: Life) -> None:
    """Begins the next life whenever one ends, until it is cancelled."""
    while True:
        assert life.running
        await life.running.wait()
        await life.ended()
        await life.start()


@pytest.mark.faults
@pytest.mark.timeout(1_200)
@pytest.mark.parametrize(("number", "faults"), [(15, BROKEN), (16, [lose_answer])])
async def test_faults_on_all_that_services_send(
    broker: Behind, proxy: Proxy, tmp_path: Path, number: int, faults: Sequence[Fault]
) -> None:
    """Produce alone comes late: a late InitProducerId looks like somebody else, too."""
    rng, hold = Random(number), Hold()
    through = dict.fromkeys(SHELL_SERVICES, proxy.address)
    async with busy(broker.address, tmp_path, **through) as world:
        begun = now_ms()
        late = weather(rng, [hold], {Api.PRODUCE: 20} if number == 15 else {})
        proxy.choice = either(late, weather(rng, faults, SELDOM))
        services = [world.lives[name] for name in SHELL_SERVICES]
        async with beside(deliver(hold, proxy.inside, rng), *map(keep, services)):
            for life in services * RUNS:
                await world.witness.progress(life.name, now_ms())
                if not life.is_over:  # else it died of a fault just now
                    life.send(SIGKILL)
                await world.witness.spoke(life.name, now_ms())
            proxy.choice = calm
            for life in services:
                await world.witness.progress(life.name, now_ms())
        events = sum(world.witness.count(name, begun, now_ms()) for name in SHELL_SERVICES)
    kind = "random faults on" if number == 15 else "lost answers to"
    row(number, f"{kind} all that services send: {events} events", proxy.struck.total(), 0)
    print(f"struck {named(proxy)}")
