"""A projector's life: it folds what is there and what comes, whoever else writes, whatever it dies of."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from events.topics import PRICES
from gateway.building import topics_of
from gateway.projections.market import PRICE
from gateway.projector import Projector
from gateway.views import LIVE
from infra.log.clock import VirtualClock
from infra.log.life import Crashed, Faults, Life
from infra.log.memory import MemoryLog
from infra.log.port import TP, Draft, OutOfRange
from infra.unavailable import Unavailable
from infra.views.memory import MemoryGeneration, MemoryStore
from infra.views.port import All, Batch, Mark, View, Written, inputs
from ops.provision import topic_specs
from tests.gateway.projections.logs import fold, simulated, topics_at_end, whole
from tests.messages.envelope import NOW
from tests.messages.markets import ticked
from tests.simulation.world import PARTITIONS

SEED = 1
INPUTS = inputs(topics_of(LIVE), PARTITIONS)
TICKS: TP = (PRICES.name, 0)
Digests = dict[str, bytes]


@pytest.fixture
def brokers() -> MemoryLog:
    """Returns brokers with all that a simulated run left; what comes now comes after."""
    run = simulated(SEED)
    log = MemoryLog(topic_specs(PARTITIONS), VirtualClock(run.clock.now_ms()))
    for tp, partition in run.partitions.items():
        log.partitions[tp].records = list(partition.records)
        log.partitions[tp].end = partition.end
    return log


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore(INPUTS, PARTITIONS, now=lambda: NOW)


def projector(brokers: MemoryLog, store: MemoryStore, faults: Faults | None = None) -> Projector:
    return Projector("live", store, LIVE, Life(brokers, faults), brokers.clock)


@asynccontextmanager
async def running(*projectors: Projector) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for each in projectors:
            tasks.create_task(each.run(stop))
        yield
        stop.set()


async def caught_up(brokers: MemoryLog, store: MemoryStore) -> None:
    """Returns once the serving generation was folded to the last record of every topic."""
    generation = await store.open(await store.serving())
    while any(
        (records := brokers.partitions[source.topic, source.partition].records)
        and mark.position <= records[-1].offset
        for source, mark in (await generation.marks()).items()
    ):
        await brokers.clock.sleep(10)


async def digests(store: MemoryStore) -> Digests:
    return dict(await (await store.open(await store.serving())).digests())


async def expected(brokers: MemoryLog) -> Digests:
    """Returns what the topics come to, folded in one piece."""
    return await digests(await fold(LIVE, topics_at_end(brokers, LIVE), whole))


async def test_it_folds_what_is_there_and_is_ready_then(
    brokers: MemoryLog, store: MemoryStore
) -> None:
    live = projector(brokers, store)
    assert not live.ready
    async with running(live):
        await caught_up(brokers, store)
        await brokers.clock.sleep(1_000)
        assert live.ready
    assert await digests(store) == await expected(brokers)


async def test_it_folds_what_comes(brokers: MemoryLog, store: MemoryStore) -> None:
    async with running(projector(brokers, store)):
        await caught_up(brokers, store)
        brokers.put(TICKS, [Draft(None, PRICES.encode(ticked(BTC=7)))])
        await caught_up(brokers, store)
        _, prices = await View(store).read(None, All(PRICE))
        assert prices["BTC"].price == 7


async def test_its_successor_goes_on_where_it_ended(brokers: MemoryLog, store: MemoryStore) -> None:
    async with running(projector(brokers, store)):
        await caught_up(brokers, store)
    brokers.put(TICKS, [Draft(None, PRICES.encode(ticked(BTC=7)))])
    async with running(projector(brokers, store)):
        await caught_up(brokers, store)
    assert await digests(store) == await expected(brokers)


async def test_whoever_else_writes_no_row_is_folded_twice(
    brokers: MemoryLog, store: MemoryStore
) -> None:
    slow = Faults(hold_one_in=2, most=3, transit_ms=5)
    async with running(*(projector(brokers, store, slow) for _ in range(3))):
        await caught_up(brokers, store)
    assert await digests(store) == await expected(brokers)


@pytest.mark.parametrize("point", range(1, 12))
async def test_a_crash_anywhere_loses_nothing(
    point: int, brokers: MemoryLog, store: MemoryStore
) -> None:
    with pytest.raises(BaseExceptionGroup) as died:
        async with running(
            projector(brokers, store, Faults(crash_at=point, hold_one_in=2, most=5))
        ):
            await brokers.clock.sleep(10_000)
    assert died.group_contains(Crashed)
    async with running(projector(brokers, store)):
        await caught_up(brokers, store)
    assert await digests(store) == await expected(brokers)


class Unanswering(MemoryGeneration):
    """Of three writes one is not done, one is done and not answered."""

    writes = 0

    async def write(self, batch: Batch) -> Written:
        self.writes += 1
        if self.writes % 3 == 1:
            raise Unavailable("redis")
        written = await super().write(batch)
        if self.writes % 3 == 2:
            raise Unavailable("redis")
        return written


async def test_a_store_that_is_away_is_asked_where_it_stands_when_it_is_back(
    brokers: MemoryLog, store: MemoryStore
) -> None:
    store.generations[1] = Unanswering(store, 1)
    live = projector(brokers, store)
    async with running(live):
        await caught_up(brokers, store)
        while not live.ready:
            await brokers.clock.sleep(10)
    assert await digests(store) == await expected(brokers)


def empty(generation: MemoryGeneration) -> None:
    """Has it forget all, as a server that is wiped while it runs."""
    generation.shelves.clear()
    generation.checkpoint = dict.fromkeys(generation.checkpoint, Mark(0, 0))
    generation.is_ready = False


async def test_an_emptied_view_is_built_anew_although_nothing_comes(
    brokers: MemoryLog, store: MemoryStore
) -> None:
    async with running(projector(brokers, store)):
        await caught_up(brokers, store)
        empty(store.generations[1])
        await caught_up(brokers, store)
        await brokers.clock.sleep(1_000)
        assert store.generations[1].is_ready
    assert await digests(store) == await expected(brokers)


async def test_it_waits_while_its_generation_is_sealed(
    brokers: MemoryLog, store: MemoryStore
) -> None:
    generation = await store.open(1)
    await generation.seal(NOW + 1)
    async with running(projector(brokers, store)):
        await brokers.clock.sleep(2_000)
        assert await digests(store) == {}
        await generation.seal(0)
        await caught_up(brokers, store)
    assert await digests(store) == await expected(brokers)


async def test_it_follows_to_the_generation_that_serves(
    brokers: MemoryLog, store: MemoryStore
) -> None:
    async with running(projector(brokers, store)):
        await caught_up(brokers, store)
        new = await store.create()
        await (await store.open(1)).seal(NOW + 1)
        assert await store.switch(1, new.number)
        await store.drop(1)
        brokers.put(TICKS, [Draft(None, PRICES.encode(ticked(BTC=7)))])
        await caught_up(brokers, store)
    assert await digests(store) == await expected(brokers)


async def test_prices_of_which_the_oldest_are_gone_are_folded_from_the_first_left(
    brokers: MemoryLog, store: MemoryStore
) -> None:
    brokers.delete_before(TICKS, 20)
    async with running(projector(brokers, store)):
        await caught_up(brokers, store)
    assert await digests(store) == await expected(brokers)


async def test_a_view_is_never_built_of_events_of_which_the_oldest_are_gone(
    brokers: MemoryLog, store: MemoryStore
) -> None:
    tp = next(
        tp for tp, p in brokers.partitions.items() if tp[0] == "order.events.v1" and p.records
    )
    brokers.delete_before(tp, 3)
    with pytest.raises(BaseExceptionGroup) as died:
        async with running(projector(brokers, store)):
            await brokers.clock.sleep(60_000)
    assert died.group_contains(OutOfRange)
