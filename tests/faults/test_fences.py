"""Fences left open, and fences that brokers forget: what readers and zombies make of it."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from time import monotonic

import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition

from events.control import PartitionClaimed
from infra.log.admin import ensure
from infra.log.clock import SystemClock
from infra.log.kafka import KafkaLog
from infra.log.port import TP, Draft, Fenced, Lost, TopicSpec
from infra.shell.emission import control
from infra.shell.partition import HOUR_MS
from infra.shell.shell import Shell
from ops.provision import topic_specs
from services.tape.app import SERVICE as TAPE
from tests.contracts.log_worlds import KafkaWorld, append, own, texts, values
from tests.faults.brokers import Behind
from tests.faults.proxy import Api, Proxy, lose_request, strike
from tests.faults.table import row
from tests.infra.log.test_kafka import batches
from tests.stand import until

pytestmark = [pytest.mark.stack, pytest.mark.faults]

REMEMBERED_MS = 5_000
FORGETFUL = {
    "producer.id.expiration.ms": REMEMBERED_MS,
    "producer.id.expiration.check.interval.ms": 300,
    "transactional.id.expiration.ms": REMEMBERED_MS,
    "transaction.remove.expired.transaction.cleanup.interval.ms": 300,
}
OPEN_S = 11
"""After it the coordinator has ended a fence by itself: it looks once a second for what is open for 10 s."""
SLACK_S = 15
HOURS = 12


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    behind = Behind(tmp_path_factory.mktemp("broker"), FORGETFUL)
    asyncio.run(behind.start())
    yield behind
    behind.kill()


@pytest.fixture
async def log(broker: Behind) -> AsyncIterator[KafkaLog]:
    log = KafkaLog(broker.address)
    yield log
    await log.stop()


@pytest.fixture
async def tp(broker: Behind) -> TP:
    """Returns a partition of a new topic."""
    name = f"topic-{uuid.uuid4().hex[:12]}"
    await ensure([TopicSpec(name)], broker.address)
    return name, 0


async def leave_open(broker: Behind, tp: TP) -> None:
    """Dies in a take-over: the partition is enrolled, the fence never ended."""
    async with Proxy(broker.inside, broker.outside) as proxy:
        proxy.choice = strike(lose_request, Api.END_TXN)
        through = KafkaLog(proxy.address)
        taking = asyncio.create_task(own(through, tp))
        await until(lambda: proxy.struck[Api.END_TXN] > 0, "no fence was to be ended")
        taking.cancel()
        await asyncio.wait({taking})
        await through.stop()


class Committed:
    """A reader that sees what is committed. seen: values, and when each was read."""

    def __init__(self, bootstrap: str, tp: TP) -> None:
        self._bootstrap, self._tp = bootstrap, TopicPartition(*tp)
        self.seen: dict[bytes, float] = {}

    async def read(self) -> None:
        """Reads until it is cancelled."""
        consumer = AIOKafkaConsumer(
            bootstrap_servers=self._bootstrap,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="earliest",
        )
        await consumer.start()
        consumer.assign([self._tp])
        try:
            async for record in consumer:
                self.seen[record.value] = monotonic()
        finally:
            await consumer.stop()


async def test_a_fence_left_open_ends_by_itself(broker: Behind, log: KafkaLog, tp: TP) -> None:
    world, sent = KafkaWorld(broker.address), dict[bytes, float]()
    committed = Committed(broker.address, tp)
    reading = asyncio.create_task(committed.read())
    begun = monotonic()
    await leave_open(broker, tp)
    while (await log.bounds([tp]))[tp].end == len(sent):  # one more is the marker
        sent[value := b"%d" % len(sent)] = monotonic()
        await world.put(tp, [Draft(b"key", value)])
    ended = monotonic() - begun
    await until(lambda: len(committed.seen) == len(sent), "a reader stands still")
    reading.cancel()
    await asyncio.wait({reading})
    stall = max(committed.seen[value] - sent[value] for value in sent)
    print(f"ended by the coordinator after {ended:.1f} s, meanwhile {len(sent)} records")
    row(10, "a fence left open: a read_committed reader's longest wait", 1, 0, [stall])
    assert ended <= OPEN_S + SLACK_S
    assert stall <= OPEN_S


async def test_the_next_owner_ends_a_fence_left_open_at_once(
    broker: Behind, log: KafkaLog, tp: TP
) -> None:
    took = []
    for round_ in range(3):
        await leave_open(broker, tp)
        begun = monotonic()
        writer = await own(log, tp)
        took.append(monotonic() - begun)
        await append(writer, tp, values(f"{round_}"))
        await writer.stop()
    assert await texts(log, tp) == ["claim", "0", "claim", "1", "claim", "2"]
    row(10, "a fence left open: the next take-over", len(took), 0, took)
    assert max(took) <= SLACK_S


class Hurried(SystemClock):
    """An hour of it passes in a second."""

    def __init__(self) -> None:
        self._begun = super().now_ms()

    def now_ms(self) -> int:
        return self._begun + (super().now_ms() - self._begun) * HOUR_MS // 1_000


async def test_a_broker_that_forgets_a_fence_lets_zombies_in(log: KafkaLog, tp: TP) -> None:
    """What the hourly fence is for."""
    *zombies, owner = [await own(log, tp) for _ in range(20)]
    for zombie in zombies:
        with suppress(Lost):  # also when it got in: others have written since its claim
            await append(zombie, tp, values("zombie"))
        if "zombie" in await texts(log, tp):
            break
        await asyncio.sleep(1)
    else:
        pytest.fail("the broker remembers all")
    with pytest.raises(Lost):  # the owner notices at its next append
        await append(owner, tp, values("mine"))
    for writer in (*zombies, owner):
        await writer.stop()


async def test_a_shell_that_fences_hourly_is_never_forgotten(broker: Behind, log: KafkaLog) -> None:
    await ensure(topic_specs(1), broker.address)
    output = TAPE.output(0)
    claim = control(PartitionClaimed(occurred_at=1, owner="zombie"))
    zombies = [await log.take_over(f"{TAPE.name}-0", [output], claim) for _ in range(HOURS)]
    stop = asyncio.Event()
    shell = Shell(TAPE, log, Hurried(), owned=(0,), partitions=1, write_versions={})
    running = asyncio.create_task(shell.run(stop))
    await until(lambda: all(shell.ready().values()), "the shell has not begun")
    for zombie in zombies:
        await asyncio.sleep(1)
        with pytest.raises(Fenced):
            await append(zombie, output, values("zombie"))
        await zombie.stop()
    stop.set()
    await running
    found = await batches(broker.address, output)
    markers = sum(is_marker for *_, is_marker in found)
    assert len({producer for producer, *_ in found}) == 1, "the coordinator forgot the name"
    assert markers >= 2 * HOURS
    row(10, f"ids forgotten after {REMEMBERED_MS} ms, a shell that fences each second", HOURS, 0)
