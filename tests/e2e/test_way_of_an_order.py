"""Register, deposit, buy, sell, portfolio, withdraw: through REST, on the real stack."""

from typing import Any

import pytest

from tests.e2e.customer import Customer

pytestmark = pytest.mark.stack
PATIENT = {"Prefer": "wait=30"}


def cents(amount: str) -> int:
    return int(amount.replace(".", ""))


async def post(customer: Customer, path: str, body: dict[str, str]) -> Any:
    """Returns the body of a 201."""
    answer = await customer.http.post(
        f"/api/v1{path}", json=body, headers=customer.headers(**PATIENT)
    )
    assert answer.status_code == 201, answer.text
    return answer.json()


async def total(customer: Customer) -> int:
    """Returns cents. Raises: AssertionError unless available and held add up to them."""
    balance = await customer.get("/balance")
    assert cents(balance["available"]) + cents(balance["held"]) == cents(balance["total"])
    return cents(balance["total"])


async def test_the_way_of_an_order(customer: Customer) -> None:
    deposit = await post(customer, "/balance/deposit", {"amount": "10000.00"})
    assert deposit["balance_after"] == "10000.00"
    money = 1_000_000
    assert await total(customer) == money

    buy = await post(customer, "/orders", {"asset_id": "BTC", "side": "buy", "quantity": "0.05"})
    assert (buy["status"], buy["filled_quantity"]) == ("filled", "0.05000000")
    money -= cents(buy["cost"]) + cents(buy["fee"])
    assert await total(customer) == money

    sell = await post(customer, "/orders", {"asset_id": "BTC", "side": "sell", "quantity": "0.02"})
    assert (sell["status"], sell["filled_quantity"]) == ("filled", "0.02000000")
    money += cents(sell["cost"]) - cents(sell["fee"])
    assert await total(customer) == money

    portfolio = await customer.get(f"/portfolio/{customer.name}")
    (position,) = portfolio["positions"]
    assert (position["asset_id"], position["quantity"]) == ("BTC", "0.03000000")
    assert cents(portfolio["total_value"]) == money + cents(position["market_value"])
    gains = cents(portfolio["realized_pnl"]) + cents(portfolio["unrealized_pnl"])
    assert gains == cents(portfolio["total_value"]) - 1_000_000

    withdrawal = await post(customer, "/balance/withdraw", {"amount": "1000.00"})
    money -= 100_000
    assert cents(withdrawal["balance_after"]) == money == await total(customer)

    lines = (await customer.get("/balance/transactions"))["items"]
    assert [line["type"] for line in lines] == ["withdrawal", "sell", "buy", "deposit"]
    assert sum(cents(line["amount"]) for line in lines) == money
    assert [order["id"] for order in (await customer.get("/orders"))["items"]] == [
        sell["id"],
        buy["id"],
    ]
    assert [trade["order_id"] for trade in (await customer.get("/trades"))["items"]] == [
        sell["id"],
        buy["id"],
    ]


async def test_a_get_after_the_201_shows_it_every_time(customer: Customer) -> None:
    money = 0
    for n in range(1, 21):
        await post(customer, "/balance/deposit", {"amount": f"{n}.00"})
        money += 100 * n
        assert await total(customer) == money
    for _ in range(20):
        order = await post(
            customer, "/orders", {"asset_id": "ETH", "side": "buy", "notional": "10.00"}
        )
        money -= cents(order["cost"]) + cents(order["fee"])
        assert await total(customer) == money
        assert (await customer.get(f"/orders/{order['id']}"))["status"] == "filled"
    assert len((await customer.get("/trades"))["items"]) == 20
