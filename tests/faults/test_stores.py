"""The stores killed, stopped, filled and emptied: the log goes on, reads are right or refused, all comes back."""

import asyncio
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

import httpx2
import psutil
import pytest
from aiokafka import AIOKafkaProducer
from redis.asyncio import Redis

from events.balance import Deposit
from events.ids import partition_of
from events.topics import BALANCE_COMMANDS, BALANCE_EVENTS
from infra.publisher import HEADERS
from ops.stack.folder import RunFolder
from tests.e2e.customer import Customer
from tests.faults.lives import PARTITIONS
from tests.faults.load import accounts, asking, under_load
from tests.faults.seen import Seen, built_anew, seen_history, seen_live
from tests.faults.table import row
from tests.faults.verdict import verdict
from tests.faults.watch import Buyer, Watch, going_on, savers
from tests.stand import is_back, kill, process, standing, until

SAVERS, RATE, CALM_S = 4, 20, 2
STOPPED_S = 5
EVENTS = int(os.environ.get("FAULT_EVENTS", "100000"))
ACCOUNTS = 25  # times the few that the load has
Fault = Callable[[RunFolder], Awaitable[None]]
FULL = 4 * 2**20  # bytes, less than a server that has just begun holds

pytestmark = [pytest.mark.stack, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    """A stack of these tests' own, its sessions on a server apart from the live view."""
    top = tmp_path_factory.mktemp("stores")
    with (
        standing(top / "sessions", "redis") as sessions,
        standing(top / "run", sessions=sessions.endpoints()["redis"]) as folder,
    ):
        yield folder


@pytest.fixture
async def http(stack: RunFolder) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=stack.endpoints()["gateway"], timeout=35) as client:
        yield client


@asynccontextmanager
async def redis(stack: RunFolder) -> AsyncIterator[Redis]:
    async with Redis.from_url(stack.endpoints()["redis"]) as client:
        yield client


async def emptied(stack: RunFolder) -> None:
    async with redis(stack) as client:
        await client.flushall()


async def killed(stack: RunFolder) -> None:
    dead = kill(stack, "redis")
    await until(lambda: is_back(stack, "redis", dead), "Redis is back")


async def lost(stack: RunFolder) -> None:
    """Its files go first: it is back sooner than anybody could remove them."""
    shutil.rmtree(stack.data("redis"))
    stack.data("redis")
    await killed(stack)


async def stopped(stack: RunFolder) -> None:
    kill(stack, "redis", signal.SIGSTOP)
    await asyncio.sleep(STOPPED_S)
    kill(stack, "redis", signal.SIGCONT)


async def full(stack: RunFolder) -> None:
    async with redis(stack) as client:
        await client.config_set("maxmemory", FULL)
        await asyncio.sleep(STOPPED_S)
        await client.config_set("maxmemory", 0)


class Hit(NamedTuple):
    """What customers met. bought: orders that were taken between the fault and the view being whole; seconds: from
    the end of the fault to that.
    """

    watch: Watch
    buyer: Buyer
    bought: int
    seconds: float


async def hit(stack: RunFolder, http: httpx2.AsyncClient, view: Seen, fault: Fault) -> Hit:
    """Returns what customers met while the fault was there, under load, and until the view was whole again."""
    watch, buyer = Watch(await savers(http, SAVERS)), Buyer((await savers(http, 1))[0])
    async with seen_history(stack) as history:
        await history.is_whole()
    async with going_on(watch.keep_looking()), going_on(buyer.keep_buying()):
        async with under_load(stack.endpoints()["kafka"], RATE):
            await asyncio.sleep(CALM_S)
            before = len(buyer.accepted)
            await fault(stack)
            seconds = await view.is_whole()
            bought = len(buyer.accepted) - before
            await asyncio.sleep(CALM_S)
        await view.is_whole()
    told = f"{fault.__name__}: reads {dict(watch.statuses)}, the longest {watch.longest:.2f} s, "
    print(f"{told} orders {dict(buyer.statuses)}, {bought} meanwhile; wrong: {watch.wrong[:3]}")
    return Hit(watch, buyer, bought, seconds)


@pytest.mark.faults
@pytest.mark.parametrize("fault", [emptied, killed, lost, stopped, full], ids=lambda f: f.__name__)
async def test_whatever_becomes_of_the_live_view_no_read_is_wrong(
    fault: Fault, stack: RunFolder, http: httpx2.AsyncClient
) -> None:
    async with seen_live(stack) as view:
        met = await hit(stack, http, view, fault)
    found = await built_anew(stack, "live")
    report = await verdict(stack, journal=met.buyer.journal())
    row(32, f"Redis {fault.__name__} under load", 1, len(report.violations), [met.seconds])
    print(found.as_text())
    assert met.watch.wrong == []
    assert met.watch.statuses[200]
    assert met.bought


async def dynamodb_killed(stack: RunFolder) -> None:
    dead = kill(stack, "dynamodb")
    await until(lambda: is_back(stack, "dynamodb", dead), "DynamoDB is back")


async def dynamodb_lost(stack: RunFolder) -> None:
    shutil.rmtree(stack.data("dynamodb"))
    stack.data("dynamodb")
    await dynamodb_killed(stack)


@pytest.mark.faults
@pytest.mark.parametrize("fault", [dynamodb_killed, dynamodb_lost], ids=lambda f: f.__name__)
async def test_whatever_becomes_of_the_history_orders_and_live_reads_go_on(
    fault: Fault, stack: RunFolder, http: httpx2.AsyncClient
) -> None:
    async with seen_history(stack) as view:
        met = await hit(stack, http, view, fault)
    await provisioned(stack)
    found = await built_anew(stack, "history")
    report = await verdict(stack, journal=met.buyer.journal())
    row(34, f"{fault.__name__} under load", 1, len(report.violations), [met.seconds])
    print(found.as_text())
    assert met.watch.wrong == []
    assert set(met.watch.statuses) == {200}
    assert met.bought
    await Customer.registered(http)


async def provisioned(stack: RunFolder) -> None:
    """Makes what is missing, as an operator does who has lost the users: only he may."""
    endpoints = stack.endpoints()
    named = {f"ORDERSTREAM_{name.upper()}": endpoints[name] for name in ("kafka", "dynamodb")}
    command = (sys.executable, "-m", "ops.cli", "run", "provision")
    made = await asyncio.create_subprocess_exec(*command, env={**os.environ, **named})
    assert await made.wait() == 0


async def deposits(kafka: str, count: int) -> None:
    """Has customers of every partition deposit so many times, a cent each."""
    owners = [a for _ in range(ACCOUNTS) for p in range(PARTITIONS) for a in accounts(p)]
    async with AIOKafkaProducer(bootstrap_servers=kafka, linger_ms=5) as producer:
        for n in range(count):
            account_id = owners[n % len(owners)]
            raw = BALANCE_COMMANDS.encode(Deposit(**asking(account_id), amount=1))
            p = partition_of(account_id, PARTITIONS)
            key = account_id.encode()
            await producer.send(BALANCE_COMMANDS.name, raw, key=key, partition=p, headers=HEADERS)
        await producer.flush()


async def answered(view: Seen, count: int) -> bool:
    ends = await view.ends()
    return sum(ends[source] for source in ends if source.topic == BALANCE_EVENTS.name) >= count


def cpu_seconds(stack: RunFolder) -> float:
    """Returns the CPU time of the projector and its store so far, s."""
    pids = [process(stack, name).pid for name in ("projector-live", "redis")]
    times = [psutil.Process(pid).cpu_times() for pid in pids]
    return sum(spent.user + spent.system for spent in times)


@pytest.mark.faults
async def test_a_live_view_of_many_events_is_soon_whole_again(tmp_path: Path) -> None:
    with standing(tmp_path, "balance", "projector-live") as stack:
        await deposits(stack.endpoints()["kafka"], EVENTS)
        async with seen_live(stack) as view:
            await until(lambda: answered(view, EVENTS), "all deposits are answered")
            await view.is_whole()
            before = cpu_seconds(stack)
            await emptied(stack)
            seconds = await view.is_whole()
            cpu = cpu_seconds(stack) - before
    print(f"{EVENTS} events in {seconds:.1f} s, of which projector and Redis worked {cpu:.1f} s")
    row(32, f"Redis emptied, {EVENTS} events to fold ({EVENTS / seconds:.0f}/s)", 1, 0, [seconds])
