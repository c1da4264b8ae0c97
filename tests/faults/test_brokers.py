"""The broker killed, stopped, started again under the load of the whole stack: nothing is lost or told falsely."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager

import httpx2
import psutil
import pytest

from infra.log.port import TP
from ops.stack.endpoints import SERVERS
from ops.stack.folder import RunFolder
from tests.e2e.reader import closed_books
from tests.faults.brokers import Behind, Three
from tests.faults.journal import DEADLINE_S, PATIENCE_S, Journal, written
from tests.faults.lives import now_ms
from tests.faults.table import RUNS, row
from tests.faults.verdict import verdict
from tests.faults.witness import OUTPUTS, Witness, witnessing
from tests.stand import kill, standing, until

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(1_200)]

LONG = (60,) if RUNS > 1 else ()
"""Outages, in s, that are too long for every day."""
CALM_S = 3
GROWTH = 50 << 20  # bytes that a process may need more while it waits
HANG_S = 20
"""Goals are 5 s to be back and 0.2 s beyond an answer's deadline; what takes so long waits for a time-out."""
SPOKEN = (*OUTPUTS["order"], *OUTPUTS["balance"])


@pytest.fixture(scope="module")
def stack(broker: Behind, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    with standing(tmp_path_factory.mktemp("stack") / "run", kafka=broker.address) as folder:
        yield folder


@pytest.fixture(scope="module")
def three(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Three]:
    brokers = Three(tmp_path_factory.mktemp("brokers"))
    asyncio.run(brokers.start())
    yield brokers
    brokers.kill()


@pytest.fixture(scope="module")
def replicated(three: Three, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    """Returns a stack whose topics stand on all three."""
    path = tmp_path_factory.mktemp("replicated") / "run"
    with standing(path, kafka=three.bootstrap, replication="3") as folder:
        yield folder


@asynccontextmanager
async def customers_of(stack: RunFolder) -> AsyncIterator[Journal]:
    gateway, limits = stack.endpoints()["gateway"], httpx2.Limits(max_connections=500)
    async with httpx2.AsyncClient(base_url=gateway, timeout=PATIENCE_S, limits=limits) as http:
        yield await Journal.of_new_customers(http)


@pytest.fixture
async def journal(stack: RunFolder) -> AsyncIterator[Journal]:
    async with customers_of(stack) as journal:
        yield journal


async def back(witness: Witness, since_ms: int) -> float:
    """Returns the s until order and balance have written in all their partitions again."""

    def firsts() -> dict[TP, int]:
        later = {tp: [t for t in witness.events[tp] if t >= since_ms] for tp in SPOKEN}
        return {tp: times[0] for tp, times in later.items() if times}

    await until(lambda: len(firsts()) == len(SPOKEN), "not all partitions speak")
    return (max(firsts().values()) - since_ms) / 1_000


async def judge(journal: Journal, stack: RunFolder) -> None:
    """Raises: AssertionError if anything was lost, doubled or told falsely."""
    print(f"answers {dict(journal.answers())}, the longest after {journal.longest:.2f} s")
    await verdict(stack)
    journal.check(await closed_books(stack.endpoints()["kafka"]))
    assert journal.longest <= DEADLINE_S + HANG_S


def memory(stack: RunFolder) -> dict[str, int]:
    """Returns the bytes that each process of ours holds."""
    processes = [p for p in stack.status().processes if p.pid and p.name not in SERVERS]
    return {p.name: psutil.Process(p.pid).memory_info().rss for p in processes}


@pytest.mark.parametrize("down_s", [1, 2, 10, *LONG])
async def test_a_killed_broker_comes_back(
    broker: Behind, stack: RunFolder, journal: Journal, down_s: int
) -> None:
    recoveries, loads, grown = [], [], list[int]()
    async with witnessing(broker.address) as witness, written(journal):
        for _ in range(RUNS):
            await asyncio.sleep(CALM_S)
            broker.kill()
            before = memory(stack)
            await asyncio.sleep(down_s)
            grown += [size - before.get(name, 0) for name, size in memory(stack).items()]
            begun = now_ms()
            await broker.start()
            loads.append((now_ms() - begun) / 1_000)
            recoveries.append(await back(witness, now_ms()))
        await asyncio.sleep(CALM_S)
    await judge(journal, stack)
    row(17, f"the only broker killed, away for {down_s} s", RUNS, 0, recoveries)
    print(f"unclean starts took {loads} s, memory grew by {max(grown) >> 20} MiB at most")
    print({p.name: p.restarts for p in stack.status().processes})
    assert max(recoveries) <= HANG_S
    assert max(grown) <= GROWTH


@pytest.mark.parametrize("still_s", [5, 20, *LONG])
async def test_a_stopped_broker_goes_on(
    broker: Behind, stack: RunFolder, journal: Journal, still_s: int
) -> None:
    recoveries = []
    async with witnessing(broker.address) as witness, written(journal):
        for _ in range(RUNS):
            await asyncio.sleep(CALM_S)
            broker.freeze()
            await asyncio.sleep(still_s)
            broker.thaw()
            recoveries.append(await back(witness, now_ms()))
        await asyncio.sleep(CALM_S)
    await judge(journal, stack)
    row(18, f"the only broker stopped for {still_s} s", RUNS, 0, recoveries)
    assert max(recoveries) <= HANG_S


async def leading(three: Three, role: str) -> int:
    """Returns the node in the role."""
    match role:
        case "leader":
            return await three.leader(OUTPUTS["order"][0])
        case "transaction coordinator":
            return await three.leader(("__transaction_state", 0))
        case _:
            return await three.controller()


@pytest.mark.parametrize("role", ["leader", "transaction coordinator", "controller"])
async def test_one_of_three_brokers_killed(three: Three, replicated: RunFolder, role: str) -> None:
    recoveries = []
    async with (
        customers_of(replicated) as journal,
        witnessing(three.bootstrap) as witness,
        written(journal),
    ):
        for _ in range(RUNS):
            await three.whole()
            await asyncio.sleep(CALM_S)
            broker = three.brokers[await leading(three, role)]
            broker.kill()
            died_ms = now_ms()
            if role == "transaction coordinator":
                kill(replicated, "order")  # who takes over asks the next one
            recoveries.append(await back(witness, died_ms))
            await broker.start()
        await three.whole()
        await asyncio.sleep(CALM_S)
    await judge(journal, replicated)
    row(19, f"the {role} of three brokers killed", RUNS, 0, recoveries)
    assert max(recoveries) <= HANG_S
