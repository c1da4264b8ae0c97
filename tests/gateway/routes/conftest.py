"""A customer of the edge on twins."""

from collections.abc import Mapping
from typing import Any

import httpx2
import pytest

from tests.gateway.backstage import Backstage
from tests.gateway.conftest import ADA, Twins

EVE = {"username": "eve", "email": "eve@example.org", "password": "correct horse battery"}
BASE = "/api/v1"


class Customer:
    """Somebody who is logged in; every answer that isn't expected to be a refusal must be none."""

    def __init__(self, client: httpx2.AsyncClient, who: Mapping[str, str]) -> None:
        self.client, self.who = client, who
        self.headers: dict[str, str] = {}

    async def log_in(self) -> None:
        login = {name: self.who[name] for name in ("username", "password")}
        answer = await self.client.post(f"{BASE}/auth/login", json=login)
        self.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"

    async def post(self, path: str, body: Any, **headers: str) -> httpx2.Response:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(BASE + path, json=body, headers=self.headers | named)

    async def get(self, path: str, **query: Any) -> Any:
        """Returns the body of a 200."""
        answer = await self.client.get(BASE + path, params=query, headers=self.headers)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def refused(self, path: str, **query: Any) -> tuple[int, str]:
        """Returns the status and code of a GET that is refused."""
        return refusal(await self.client.get(BASE + path, params=query, headers=self.headers))

    async def deposit(self, amount: str) -> Any:
        answer = await self.post("/balance/deposit", {"amount": amount})
        assert answer.status_code == 201, answer.text
        return answer.json()

    async def order(self, side: str, asset_id: str = "BTC", **terms: str) -> Any:
        """Returns the body of a 201. terms: quantity or notional, client_order_id."""
        answer = await self.post("/orders", {"asset_id": asset_id, "side": side} | terms)
        assert answer.status_code == 201, answer.text
        return answer.json()


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    """Returns the status and the code of a problem."""
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    return answer.status_code, answer.json()["code"]


async def join(client: httpx2.AsyncClient, who: dict[str, str]) -> Customer:
    """Returns somebody who has just registered and logged in."""
    await client.post(f"{BASE}/auth/register", json=who)
    customer = Customer(client, who)
    await customer.log_in()
    return customer


@pytest.fixture
async def customer(client: httpx2.AsyncClient) -> Customer:
    return await join(client, ADA)


@pytest.fixture
async def other(client: httpx2.AsyncClient) -> Customer:
    return await join(client, EVE)


@pytest.fixture
def backstage(twins: Twins) -> Backstage:
    return twins.backstage
