"""Many buys of one account at once, worth ten times its money, each sent twice: money exact, one order a name."""

import asyncio
from collections import Counter

import httpx2
import pytest

from events.order import OrderAccepted
from events.topics import ORDER_EVENTS
from ops.stack.folder import RunFolder
from tests.e2e.customer import Customer
from tests.e2e.reader import closed_books

pytestmark = pytest.mark.stack
BUYS, MONEY, EACH = 60, "600.00", "100.00"


def cents(amount: str) -> int:
    return int(amount.replace(".", ""))


async def buy(customer: Customer, name: str) -> httpx2.Response:
    """Returns the final answer: an edge too busy to say is asked again, as its Retry-After says."""
    body = {"asset_id": "BTC", "side": "buy", "notional": EACH, "client_order_id": name}
    headers = customer.headers(Prefer="wait=30")
    while True:
        answer = await customer.http.post("/api/v1/orders", json=body, headers=headers)
        if answer.status_code != 503:
            return answer
        await asyncio.sleep(int(answer.headers["Retry-After"]))


async def test_no_money_is_spent_twice_and_no_name_buys_twice(
    customer: Customer, stack: RunFolder
) -> None:
    await customer.deposit(MONEY)
    names = [f"race-{n}" for n in range(BUYS)]
    answers = await asyncio.gather(*(buy(customer, name) for name in names * 2))

    for first, second in zip(answers[:BUYS], answers[BUYS:], strict=True):
        assert first.status_code == second.status_code
    assert Counter(answer.status_code for answer in answers) == {201: 12, 422: 108}
    refused = [answer.json() for answer in answers if answer.status_code == 422]
    assert {problem["code"] for problem in refused} == {"insufficient_funds"}

    filled = {
        order["id"]: order
        for answer in answers
        if answer.status_code == 201
        for order in [answer.json()]
    }
    assert len(filled) == 6
    spent = sum(cents(order["cost"]) + cents(order["fee"]) for order in filled.values())
    balance = await customer.get("/balance")
    assert (cents(balance["available"]), balance["held"]) == (cents(MONEY) - spent, "0.00")

    orders = (await customer.get("/orders?limit=200"))["items"]
    assert Counter(order["client_order_id"] for order in orders) == Counter(names)
    read = await closed_books(stack.endpoints()["kafka"])
    accepted = Counter(
        event.order_id for event in read.of(ORDER_EVENTS) if isinstance(event, OrderAccepted)
    )
    assert {accepted[order["id"]] for order in orders} == {1}
