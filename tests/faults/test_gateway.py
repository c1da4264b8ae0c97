"""The gateway killed inside requests: a client that tries again under the same name has one command and one answer."""

import asyncio
import os
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

import httpx2
import pytest

from events.ids import command_id
from infra.crash import Point
from ops.audit.outcomes import Asked
from ops.client.errors import NoAnswer, Problem
from tests.e2e.customer import Customer
from tests.faults.table import row
from tests.faults.verdict import verdict
from tests.stand import process, standing

RETRIED = int(os.environ.get("FAULT_RETRIES", "30"))  # requests, at each point
AT_ONCE, CUSTOMERS, PASSINGS = 16, 4, 24
CENTS = 100
PAUSE_S = 0.1

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(900)]


class Answer(NamedTuple):
    status: int
    body: Any


def timeless(body: dict[str, Any]) -> dict[str, Any]:
    """Returns the answer without what says when it was given: of which moment it is, to which request."""
    return {name: said for name, said in body.items() if name not in ("as_of", "request_id")}


class Client(Customer):
    """Sends each request until it is answered for good. retried: names whose answer was lost on the way."""

    account_id: str
    retried: set[str]
    answers: dict[str, Answer]

    async def ask(self, name: str) -> None:
        """Deposits a dollar under the name, or buys for one."""
        self.answers[name] = await self.insist(name)

    async def insist(self, name: str) -> Answer:
        while True:
            try:
                answer = await self.send(name)
            except httpx2.HTTPError:
                self.retried.add(name)
            else:
                if answer.status_code in (201, 422):
                    return Answer(answer.status_code, timeless(answer.json()))
                assert answer.status_code in (202, 503), answer.text
            await asyncio.sleep(PAUSE_S)

    async def send(self, name: str) -> httpx2.Response:
        if name.startswith("d"):
            path, body, headers = "/balance/deposit", {"amount": "1.00"}, {"Idempotency-Key": name}
        else:
            body = {"asset_id": "BTC", "side": "buy", "notional": "1.00", "client_order_id": name}
            path, headers = "/orders", {"Prefer": "wait=5"}
        return await self.http.post(f"/api/v1{path}", json=body, headers=self.headers(**headers))


async def client_of(http: httpx2.AsyncClient) -> Client:
    """Returns a new customer with a thousand dollars, however often the gateway dies meanwhile."""
    while True:
        try:
            client = await Client.registered(http)
            client.account_id = (await client.get("/auth/me"))["id"]
        except (httpx2.HTTPError, NoAnswer, Problem):
            await asyncio.sleep(PAUSE_S)
        else:
            client.retried, client.answers = set(), {}
            await client.deposit("1000.00")
            return client


async def ask_until_enough(clients: list[Client]) -> None:
    """Has the clients ask, many at once, until enough answers were lost."""
    names = count()

    async def keep_asking(client: Client) -> None:
        while sum(len(each.retried) for each in clients) < RETRIED:
            n = next(names)
            await client.ask(f"{'do'[n % 2]}{n}-{uuid4().hex[:8]}")

    async with asyncio.TaskGroup() as tasks:
        for n in range(AT_ONCE):
            tasks.create_task(keep_asking(clients[n % len(clients)]))


async def repeats_that_differ(client: Client) -> list[str]:
    """Returns the names under which another try is not answered as the first was."""
    return [name for name, first in client.answers.items() if await client.insist(name) != first]


def journal(client: Client) -> list[Asked]:
    """Returns what stands in the log, once each."""
    asked = []
    for name in client.answers:
        deposits = name.startswith("d")
        order, key = (None, name) if deposits else (name, None)
        id_ = command_id(client.account_id, client_order_id=order, key=key)
        asked.append(Asked(str(id_), accepted=True))
    return asked


@pytest.mark.parametrize("point", [Point.EDGE_HELD, Point.EDGE_PUBLISHED, Point.EDGE_SETTLED])
async def test_who_tries_again_has_one_command_and_one_answer(point: Point, tmp_path: Path) -> None:
    with standing(tmp_path, env="test", crash=f"{point}:{PASSINGS}") as stack:
        limits = httpx2.Limits(max_connections=2 * AT_ONCE)
        address = stack.endpoints()["gateway"]
        async with httpx2.AsyncClient(base_url=address, timeout=35, limits=limits) as http:
            clients = [await client_of(http) for _ in range(CUSTOMERS)]
            await ask_until_enough(clients)
            asked = []
            for client in clients:
                asked += journal(client)
                assert await repeats_that_differ(client) == []
        lives = process(stack, "gateway").restarts
        report = await verdict(stack, journal=asked)
    retried = sum(len(client.retried) for client in clients)
    print(f"{point}: {len(asked)} requests, {retried} sent again, {lives} deaths")
    row(5, f"gateway killed at {point}: requests sent again", retried, len(report.violations))
