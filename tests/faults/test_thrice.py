"""Every command sent three times at once through two gateways, of which one is killed, while what the edge remembers is
wiped: each has one effect and three equal answers.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from redis.asyncio import Redis

from ops.stack.folder import RunFolder
from tests.faults.table import row
from tests.faults.test_gateway import Answer, Client, client_of, journal
from tests.faults.verdict import verdict
from tests.gateway.test_process import running
from tests.stand import is_back, kill, standing, until

COMMANDS = int(os.environ.get("FAULT_THRICE", "1000"))
AT_ONCE, TIMES = 16, 3
SERVERS = ("kafka", "dynamodb", "redis")

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(900)]


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[RunFolder]:
    """A stack whose sessions are on a server apart from the live view."""
    with (
        standing(tmp_path / "sessions", "redis") as sessions,
        standing(tmp_path / "run", sessions=sessions.endpoints()["redis"]) as folder,
    ):
        yield folder


@asynccontextmanager
async def second(stack: RunFolder, sessions: str) -> AsyncIterator[str]:
    """Returns the address of a gateway beside the stack's own."""
    told = stack.endpoints()
    environ = {f"ORDERSTREAM_{name.upper()}": told[name] for name in SERVERS}
    environ |= {"ORDERSTREAM_SESSIONS": sessions, "ORDERSTREAM_RUN_DIR": str(stack.path)}
    async with running(environ) as gateway:
        yield str(gateway.client.base_url)


async def ask_thrice(clients: list[Client], name: str) -> None:
    """Asks the same of each gateway, of one of them twice, all at once. Raises: AssertionError if answers differ."""
    first, *others = await asyncio.gather(
        *(clients[n % len(clients)].insist(name) for n in range(TIMES))
    )
    assert all(other == first for other in others), (first, others)
    clients[0].answers[name] = first


async def ask_all(clients: list[Client], names: Iterator[str]) -> None:
    async def keep_asking() -> None:
        for name in names:
            await ask_thrice(clients, name)

    async with asyncio.TaskGroup() as asking:
        for _ in range(AT_ONCE):
            asking.create_task(keep_asking())


async def wiped(stack: RunFolder) -> None:
    async with Redis.from_url(stack.endpoints()["redis"]) as redis:
        await redis.flushdb()


async def break_both(stack: RunFolder, answers: dict[str, Answer]) -> None:
    """Kills a gateway when a third is answered, wipes the live view and all tries at two thirds."""
    await until(lambda: len(answers) >= COMMANDS // 3, "a third of the answers")
    dead = kill(stack, "gateway")
    await until(lambda: is_back(stack, "gateway", dead), "the gateway")
    await until(lambda: len(answers) >= COMMANDS * 2 // 3, "two thirds of the answers")
    await wiped(stack)


async def test_a_thousand_commands_sent_thrice_have_a_thousand_effects(
    stack: RunFolder, tmp_path: Path
) -> None:
    sessions = RunFolder(tmp_path / "sessions").endpoints()["redis"]
    limits = httpx2.Limits(max_connections=2 * TIMES * AT_ONCE)
    async with (
        second(stack, sessions) as other,
        httpx2.AsyncClient(base_url=stack.endpoints()["gateway"], timeout=35, limits=limits) as one,
        httpx2.AsyncClient(base_url=other, timeout=35, limits=limits) as two,
    ):
        client = await client_of(one)
        await client.deposit("1000.00")
        twin = Client(two, client.name)
        twin.keeper, twin.account_id = client.keeper, client.account_id
        twin.retried, twin.answers = set(), {}
        names = (f"{'do'[n % 2]}{n}-thrice" for n in range(COMMANDS))
        await asyncio.gather(ask_all([client, twin], names), break_both(stack, client.answers))
        done = {name: answer.status for name, answer in client.answers.items()}
        lines = await effects(client)
    assert len(done) == COMMANDS
    report = await verdict(stack, journal=journal(client))
    assert lines == sum(status == 201 for status in done.values())
    retried = len(client.retried | twin.retried)
    print(f"{COMMANDS} commands, {lines} effects, {retried} sent again")
    row(
        5,
        "each sent thrice, a gateway killed, live and tries wiped",
        COMMANDS,
        len(report.violations),
    )


async def effects(client: Client) -> int:
    """Returns how many of the commands moved money: every line of the ledger but the first deposits'."""
    count, cursor = -2, ""
    while True:
        page = await client.get(f"/balance/transactions?limit=200{cursor}")
        count += len(page["items"])
        if page["next_cursor"] is None:
            return count
        cursor = f"&cursor={page['next_cursor']}"
