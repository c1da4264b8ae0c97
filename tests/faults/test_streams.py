"""The gateway killed again and again under its streams, and they cut off by themselves: no gap, nothing twice."""

import asyncio
import os
from functools import partial
from itertools import count
from pathlib import Path

import httpx2
import pytest

from tests.e2e.customer import Customer
from tests.e2e.follower import Follower, compared, going_on, trade
from tests.faults.table import row
from tests.stand import is_back, kill, standing, until

CUTS = int(os.environ.get("FAULT_CUTS", "500"))
KILLS = int(os.environ.get("FAULT_KILLS", "20"))
CUSTOMERS, STREAMS, LONGEST_S, CALM_S = 3, 2, 0.5, 1

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(300 + 30 * KILLS)]


async def test_no_stream_has_a_gap_whatever_is_killed(tmp_path: Path) -> None:
    with standing(tmp_path) as stack:
        address, recoveries = stack.endpoints()["gateway"], []
        async with httpx2.AsyncClient(base_url=address, timeout=10) as http:
            customers = [await Customer.registered(http) for _ in range(CUSTOMERS)]
            followers = {
                each: [Follower(http, each, seed) for seed in range(STREAMS)] for each in customers
            }
            every = [follower for own in followers.values() for follower in own]
            enough = asyncio.Event()
            async with going_on(every, LONGEST_S), asyncio.TaskGroup() as tasks:
                for customer in customers:
                    tasks.create_task(keep_trading(customer, enough))
                for _ in range(KILLS):
                    await asyncio.sleep(CALM_S)
                    back = partial(is_back, stack, "gateway", kill(stack, "gateway"))
                    recoveries.append(await until(back, "it is back"))
                await until(lambda: sum(each.cuts for each in every) >= CUTS, "cuts enough")
                enough.set()
            async with going_on(every, LONGEST_S):
                for customer, own in followers.items():
                    await compared(stack, customer, own)
    cuts, away = sum(f.cuts for f in every), sum(f.away for f in every)
    told, resets = sum(len(f.events) for f in every), sum(f.resets for f in every)
    print(f"{cuts} cuts, {away} without an answer, {told} events, {resets} resets")
    row(46, "gateway killed, streams cut: streams with a gap or a double", KILLS, 0, recoveries)


async def keep_trading(customer: Customer, enough: asyncio.Event) -> None:
    await customer.deposit("50000.00")
    for seed in count(1):
        await trade(customer, 3, seed)
        if enough.is_set():
            return
