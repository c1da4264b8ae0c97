"""Logins that come all at once: row 2 of the security table."""

import asyncio
import os
import sys
from dataclasses import replace

import httpx2
import pytest

from gateway.app import create_app
from gateway.auth import NICE, QUEUE, THREADS
from gateway.deps import Parts
from gateway.rates import PRODUCTION, Rates
from infra.stores.memory_users import MemoryUsers
from infra.stores.users import User
from tests.gateway.conftest import ADA
from tests.gateway.test_process import environ, log_in, person, running

from .conftest import BASE, Client, registered, session
from .growth import ROOM, grown
from .hashing import Counted

__all__ = ["environ"]
FLOOD = 300
LOGIN = f"{BASE}/auth/login"


class Asked(MemoryUsers):
    """names_asked: how often a name was looked up."""

    def __init__(self) -> None:
        super().__init__()
        self.names_asked = 0

    async def by_name(self, username: str) -> User | None:
        self.names_asked += 1
        return await super().by_name(username)


def clients(parts: Parts) -> list[Client]:
    """Returns clients of one edge, each at an address of its own."""
    app = create_app(parts)
    addresses = [f"198.51.{n // 200}.{n % 200 + 1}" for n in range(FLOOD)]
    return [
        httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app, client=(address, 40_000)),
            base_url="https://edge.example.org",
        )
        for address in addresses
    ]


async def test_s02_a_flood_of_logins_is_turned_away_and_leaves_room(
    parts: Parts,
) -> None:
    passwords, users = Counted(), Asked()
    door = replace(parts.door, rates=Rates(PRODUCTION))
    many = clients(replace(parts, users=users, passwords=passwords, door=door))
    await registered(many[0])
    mine = await session(many[0])
    before, asked = passwords.hashings, users.names_asked
    flood = [
        asyncio.create_task(
            client.post(LOGIN, json={"username": f"nobody-{n}", "password": "wrong horse"})
        )
        for n, client in enumerate(many)
    ]
    meanwhile = 0
    while not all(login.done() for login in flood):
        balance = await many[0].get(f"{BASE}/balance", headers=mine)
        assert balance.status_code == 200
        meanwhile += 1
        await asyncio.sleep(0.05)
    answers = await asyncio.gather(*flood)
    assert meanwhile > 1
    assert {answer.status_code for answer in answers} == {401, 503}
    away = [answer for answer in answers if answer.status_code == 503]
    assert {answer.json()["code"] for answer in away} == {"overloaded"}
    assert {answer.headers["Retry-After"] for answer in away} == {"1"}
    # What hashes needs memory, so no more do it at once than there are threads, and few wait.
    assert passwords._threads._max_workers == THREADS == 2
    nice = passwords._threads.submit(os.getpriority, os.PRIO_PROCESS, 0).result()  # a thread's own
    assert nice == (NICE if sys.platform == "linux" else os.getpriority(os.PRIO_PROCESS, 0))
    assert passwords.waiting <= QUEUE == 32
    assert passwords.hashings - before == FLOOD - len(away) <= QUEUE + THREADS
    assert users.names_asked - asked <= QUEUE + THREADS  # the others cost no look-up
    right = {"username": "ada", "password": ADA["password"]}
    assert (await many[1].post(LOGIN, json=right)).status_code == 200


@pytest.mark.stack
async def test_s02_a_process_serves_others_meanwhile(environ: dict[str, str]) -> None:
    ada = person()
    limits = httpx2.Limits(max_connections=FLOOD + 1)
    async with running(environ) as gateway, httpx2.AsyncClient(limits=limits) as client:
        login = gateway.client.base_url.join(LOGIN)
        await gateway.client.post(f"{BASE}/auth/register", json=ada)
        bearer = await log_in(gateway.client, ada)
        wrong = [{"username": f"nobody-{n}", "password": "wrong horse"} for n in range(FLOOD)]
        async with grown({"gateway": gateway.process.pid}) as most:
            flood = asyncio.gather(*(client.post(login, json=each, timeout=60) for each in wrong))
            meanwhile = 0
            while not flood.done():
                me = await gateway.client.get(f"{BASE}/auth/me", headers=bearer, timeout=60)
                assert me.status_code == 200
                meanwhile += not flood.done()
        assert meanwhile
        assert {answer.status_code for answer in await flood} <= {401, 503}
        assert 0 < most["gateway"] <= ROOM
