"""Every route of the system that this one replaces, in the order of its workflow, each answers."""

from typing import Any

import httpx2
import pytest

from tests.e2e.customer import Customer

pytestmark = pytest.mark.stack


async def test_each_route_answers_in_the_order_of_the_workflow(
    http: httpx2.AsyncClient, customer: Customer
) -> None:
    name = f"{customer.name}-2"
    who = {"username": name, "password": "a long enough passphrase"}
    headers: dict[str, str] = {"Prefer": "wait=30"}

    async def call(status: int, method: str, path: str, body: Any = None) -> Any:
        base = "" if path == "/health" else "/api/v1"
        answer = await http.request(method, base + path, json=body, headers=headers)
        assert answer.status_code == status, f"{method} {path}: {answer.text}"
        return answer.json() if answer.content else None

    await call(200, "GET", "/health")
    await call(201, "POST", "/auth/register", who | {"email": f"{name}@example.com"})
    login = await call(200, "POST", "/auth/login", who)
    headers["Authorization"] = f"Bearer {login['access_token']}"
    assert (await call(200, "GET", "/auth/me"))["username"] == name
    await call(201, "POST", "/balance/deposit", {"amount": "1000.00"})
    assert (await call(200, "GET", "/balance"))["available"] == "1000.00"
    assert len((await call(200, "GET", "/inventory/assets?limit=200"))["items"]) >= 100
    assert (await call(200, "GET", "/inventory/assets/BTC"))["price"]
    order = await call(
        201, "POST", "/orders", {"asset_id": "BTC", "side": "buy", "notional": "100.00"}
    )
    assert len((await call(200, "GET", "/orders"))["items"]) == 1
    assert (await call(200, "GET", f"/orders/{order['id']}"))["status"] == "filled"
    (holding,) = (await call(200, "GET", "/assets/balances"))["items"]
    assert (await call(200, "GET", "/assets/BTC/balance"))["quantity"] == holding["quantity"]
    assert len((await call(200, "GET", "/assets/BTC/transactions"))["items"]) == 1
    assert (await call(200, "GET", f"/portfolio/{name}"))["positions"]
    await call(201, "POST", "/balance/withdraw", {"amount": "50.00"})
    assert len((await call(200, "GET", "/balance/transactions"))["items"]) == 3
    await call(204, "POST", "/auth/logout")
    await call(401, "GET", "/auth/me")
