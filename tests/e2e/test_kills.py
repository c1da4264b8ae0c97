"""Each process of the stack killed once, under load: no order without an outcome, none doubled, exact books."""

import asyncio
import os
import signal
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random

import httpx2
import pytest

from events.order import OrderAccepted, OrderRejected
from events.topics import ORDER_COMMANDS, ORDER_EVENTS
from ops.client.spelling import Side
from ops.stack.folder import RunFolder
from tests.e2e.customer import Customer
from tests.e2e.reader import closed_books
from tests.stand import Standing

RATE = 20
SIDES: tuple[Side, ...] = ("buy", "buy", "sell")
CUSTOMERS = 8
CALM_S = 1.0
BACK_S = 240  # how long it takes is a matter of tests/faults; here two cores carry other tests too

pytestmark = pytest.mark.stack


@pytest.fixture
def stack(own_stack: Standing, tmp_path: Path) -> Iterator[RunFolder]:
    """A stack of this test's own: nobody else likes what is done to it."""
    with own_stack(tmp_path / "run") as folder:
        yield folder


@pytest.fixture
async def http(stack: RunFolder) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=stack.endpoints()["gateway"], timeout=10) as client:
        yield client


async def load(customers: list[Customer], stop: asyncio.Event) -> None:
    """Places orders at a fixed rate, whatever becomes of the earlier ones."""
    rng, clock = Random(1), asyncio.get_running_loop()
    due = clock.time()
    async with asyncio.TaskGroup() as tasks:
        while not stop.is_set():
            side = rng.choice(SIDES)
            tasks.create_task(
                rng.choice(customers).order(
                    asset_id=rng.choice(("BTC", "ETH")),
                    side=side,
                    notional=f"{rng.randint(1, 99)}.00",
                )
            )
            due += 1 / RATE
            await asyncio.sleep(due - clock.time())


async def kill_each(stack: RunFolder) -> dict[str, int]:
    """Kills every process that runs, one after the other, each when all are back. Returns how often each was started
    again.
    """
    for victim in stack.status().processes:
        await asyncio.sleep(CALM_S)
        now = next(p for p in stack.status().processes if p.name == victim.name)
        assert now.pid
        os.kill(now.pid, signal.SIGKILL)
        for _ in range(BACK_S * 20):
            if back(stack, victim.name, now.pid):
                break
            await asyncio.sleep(0.05)
        else:
            pytest.fail(f"{victim.name} is not back: {stack.status()}")
    return {process.name: process.restarts for process in stack.status().processes}


def back(stack: RunFolder, name: str, dead: int) -> bool:
    status = stack.status()
    return status.is_ready and all(p.pid != dead for p in status.processes if p.name == name)


async def test_a_kill_of_any_process_loses_and_doubles_nothing(
    stack: RunFolder, http: httpx2.AsyncClient
) -> None:
    customers = [await Customer.registered(http) for _ in range(CUSTOMERS)]
    for customer in customers:
        await customer.deposit("5000.00")
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(load(customers, stop))
        restarts = await kill_each(stack)
        await asyncio.sleep(CALM_S)
        stop.set()
    read = await closed_books(stack.endpoints()["kafka"])
    names = Counter(name for customer in customers for name in customer.outcomes)
    placed = Counter(command.client_order_id for command in read.of(ORDER_COMMANDS))
    answered = Counter(
        event.client_order_id
        for event in read.of(ORDER_EVENTS)
        if isinstance(event, OrderAccepted)
        or (isinstance(event, OrderRejected) and event.causation_id == event.command_id)
    )
    assert set(placed) <= set(names)
    assert all(n == 1 for n in answered.values())
    assert set(answered) == set(placed)
    print(f"{sum(answered.values())} orders, restarts {restarts}")
    for customer in customers:
        balance, portfolio = (
            await customer.get("/balance"),
            await customer.get(f"/portfolio/{customer.name}"),
        )
        assert balance["held"] == "0.00"
        assert portfolio["cash"]["total"] == balance["total"]
