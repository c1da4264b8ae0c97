"""A client's names for its commands: rows 49 and 50 of the security table."""

import asyncio

import pytest

from infra.stores.idempotency import LIFE
from tests.gateway.conftest import Twins
from tests.gateway.routes.conftest import BASE, Customer, customer, other, refusal

__all__ = ["customer", "other"]
DEPOSIT = {"amount": "1000.00"}
BUY = {"asset_id": "BTC", "side": "buy", "quantity": "0.01"}
KEY = {"Idempotency_Key": "key-1"}


async def test_s49_names_are_an_account_s_own(
    customer: Customer, other: Customer, twins: Twins
) -> None:
    mine = await customer.post("/balance/deposit", DEPOSIT, **KEY)
    others = await other.post("/balance/deposit", DEPOSIT, **KEY)
    assert (mine.status_code, others.status_code) == (201, 201)
    assert "idempotency-replayed" not in others.headers
    assert mine.json()["id"] != others.json()["id"]
    again = await customer.post("/balance/deposit", DEPOSIT, **KEY)
    assert (again.json(), again.headers["idempotency-replayed"]) == (mine.json(), "true")
    other_body = await other.post("/balance/deposit", {"amount": "5.00"}, **KEY)
    assert refusal(other_body) == (422, "idempotency_conflict")  # with his own, not with another's
    assert len(twins.backstage.commands()) == 2


async def test_s49_an_order_s_name_is_an_account_s_own(customer: Customer, other: Customer) -> None:
    named = BUY | {"client_order_id": "one"}
    orders = []
    for each in (customer, other):
        await each.deposit("1000.00")
        orders.append((await each.post("/orders", named)).json()["id"])
    assert orders[0] != orders[1]
    for each, own in zip((customer, other), orders, strict=True):
        assert (await each.get("/orders/by-client-id/one"))["id"] == own
        assert (await each.post("/orders", named)).json()["id"] == own


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/balance/deposit", {"amount": "1000.01"}),
        ("/balance/withdraw", DEPOSIT),
        ("/orders", BUY),
    ],
)
async def test_s50_a_key_of_another_request_is_refused_and_does_nothing(
    customer: Customer, twins: Twins, path: str, body: dict[str, str]
) -> None:
    await customer.post("/balance/deposit", DEPOSIT, **KEY)
    for passed in (0, LIFE):  # by then only the history knows
        twins.clock.ms += passed
        await customer.log_in()
        answer = await customer.post(path, body, **KEY)
        assert refusal(answer) == (422, "idempotency_conflict")
        true = await customer.post("/balance/deposit", DEPOSIT, **KEY)
        assert true.headers["idempotency-replayed"] == "true"
    assert len(twins.backstage.commands()) == 1


@pytest.mark.parametrize("key", ["", "a:b", "a b", "a" * 65, "a\tb", "a.b", "a/b", "{a}"])
async def test_s50_what_is_no_name_is_refused(customer: Customer, twins: Twins, key: str) -> None:
    headers = customer.headers | {"Idempotency-Key": key}
    answer = await customer.client.post(f"{BASE}/balance/deposit", json=DEPOSIT, headers=headers)
    assert refusal(answer) == (422, "validation_failed")
    assert answer.json()["errors"][0]["pointer"] == "header/Idempotency-Key"
    assert twins.backstage.commands() == []


@pytest.mark.parametrize("key", ["a", "A-Z_0", "a" * 64])
async def test_s50_what_is_a_name_is_taken(customer: Customer, key: str) -> None:
    assert (
        await customer.post("/balance/deposit", DEPOSIT, Idempotency_Key=key)
    ).status_code == 201


async def test_s50_many_equal_ones_at_once_are_one(customer: Customer, twins: Twins) -> None:
    posts = (customer.post("/balance/deposit", DEPOSIT, **KEY) for _ in range(100))
    answers = await asyncio.gather(*posts)
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    assert len(twins.backstage.commands()) == 1
