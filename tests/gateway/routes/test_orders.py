"""/orders, from outside. BTC costs 60,000.00 USD, DOGE 0.15."""

from typing import Any
from uuid import uuid4

import pytest

from events import topics
from events.order import PlaceOrder
from tests.gateway.backstage import Backstage
from tests.gateway.conftest import Twins

from .conftest import Customer, refusal

BUY = {"asset_id": "BTC", "side": "buy", "quantity": "0.01"}


async def test_a_buy_is_answered_when_money_and_assets_have_moved(customer: Customer) -> None:
    await customer.deposit("1000.00")
    order = await customer.order("buy", quantity="0.01", client_order_id="first")
    assert len(order.pop("id")) == 36
    assert order == {
        "client_order_id": "first",
        "asset_id": "BTC",
        "side": "buy",
        "type": "market",
        "time_in_force": "gtc",
        "quantity": "0.01000000",
        "notional": None,
        "limit_price": None,
        "stop_price": None,
        "filled_quantity": "0.01000000",
        "average_price": "60000.00",
        "cost": "600.00",
        "fee": "0.60",
        "status": "filled",
        "reject_reason": None,
        "created_at": "2027-01-15T08:00:00.000Z",
        "updated_at": "2027-01-15T08:00:00.000Z",
        "expires_at": None,
        "as_of": {"time": "2027-01-15T08:00:00.000Z", "position": "b:4,o:2,p:1"},
    }
    balance = await customer.get("/balance")
    assert (balance["available"], balance["held"]) == ("399.40", "0.00")
    assert (await customer.get("/assets/BTC/balance"))["available"] == "0.01000000"


async def test_a_sell_brings_its_proceeds_less_the_fee(customer: Customer) -> None:
    await customer.deposit("1000.00")
    await customer.order("buy", quantity="0.01")
    order = await customer.order("sell", quantity="0.01")
    assert (order["cost"], order["fee"]) == ("600.00", "0.60")
    assert (await customer.get("/balance"))["total"] == "998.80"
    assert (await customer.get("/assets/balances"))["items"] == []


async def test_a_buy_by_notional_spends_no_more(customer: Customer) -> None:
    await customer.deposit("1000.00")
    order = await customer.order("buy", notional="100.00")
    assert (order["quantity"], order["notional"]) == (None, "100.00")
    assert order["filled_quantity"] == "0.00166500"
    assert (order["cost"], order["fee"]) == ("99.90", "0.10")


async def test_an_order_is_found_by_both_its_names(customer: Customer) -> None:
    await customer.deposit("1000.00")
    order = await customer.order("buy", quantity="0.01", client_order_id="my-1")
    assert await customer.get(f"/orders/{order['id']}") == order
    assert await customer.get("/orders/by-client-id/my-1") == order


async def test_an_order_without_funds_is_refused_with_what_it_lacks(customer: Customer) -> None:
    await customer.deposit("600.00")
    answer = await customer.post("/orders", BUY)
    assert refusal(answer) == (422, "insufficient_funds")
    problem = answer.json()
    assert problem["detail"] == "Needed 612.62, available 600.00."
    assert problem["resource"]["status"] == "rejected"
    assert problem["resource"]["reject_reason"] == "insufficient_funds"
    order_id = problem["resource"]["id"]
    assert (await customer.get(f"/orders/{order_id}"))["status"] == "rejected"
    assert (await customer.get("/balance"))["available"] == "600.00"


async def test_a_sale_without_assets_is_refused_with_what_it_lacks(customer: Customer) -> None:
    await customer.deposit("1000.00")
    await customer.order("buy", quantity="0.01")
    answer = await customer.post("/orders", BUY | {"side": "sell", "quantity": "0.02"})
    assert refusal(answer) == (422, "insufficient_assets")
    assert answer.json()["detail"] == "Needed 0.02000000, available 0.01000000."


@pytest.mark.parametrize(
    ("terms", "code"),
    [
        ({"quantity": "0.00000009"}, "quantity_below_minimum"),
        ({"quantity": "0.00001"}, "notional_below_minimum"),
        ({"notional": "0.99"}, "notional_below_minimum"),
        ({"quantity": "167"}, "limit_exceeded"),
        ({"notional": "10000000.01"}, "limit_exceeded"),
    ],
)
async def test_the_order_service_refuses(
    customer: Customer, terms: dict[str, str], code: str
) -> None:
    answer = await customer.post("/orders", {"asset_id": "BTC", "side": "buy"} | terms)
    assert refusal(answer) == (422, code)
    assert answer.json()["resource"]["reject_reason"] == code


async def test_an_old_price_fills_nothing(customer: Customer, twins: Twins) -> None:
    await customer.deposit("1000.00")
    twins.clock.ms += 10_001
    answer = await customer.post("/orders", BUY)
    assert refusal(answer) == (422, "price_stale")


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({}, "#/asset_id", "required"),
        (BUY | {"quantity": 0.01}, "#/quantity", "decimal_string"),
        (BUY | {"quantity": 1}, "#/quantity", "decimal_string"),
        (BUY | {"quantity": True}, "#/quantity", "decimal_string"),
        (BUY | {"quantity": "0"}, "#/quantity", "not_positive"),
        (BUY | {"quantity": "-0.01"}, "#/quantity", "decimal_string"),
        (BUY | {"quantity": "0.000000001"}, "#/quantity", "too_many_digits"),
        (BUY | {"quantity": "90071992.54740992"}, "#/quantity", "too_large"),
        (BUY | {"notional": "5.00"}, "#", "one_of_two"),
        ({"asset_id": "BTC", "side": "buy"}, "#", "one_of_two"),
        ({"asset_id": "BTC", "side": "buy", "notional": "1.001"}, "#/notional", "too_many_digits"),
        (BUY | {"side": "hold"}, "#/side", "invalid"),
        (BUY | {"side": None}, "#/side", "invalid"),
        (BUY | {"type": "limit"}, "#/type", "invalid"),
        (BUY | {"limit_price": "1.00"}, "#/limit_price", "unknown_field"),
        (BUY | {"price": "1.00"}, "#/price", "unknown_field"),
        (BUY | {"account_id": "x"}, "#/account_id", "unknown_field"),
        (BUY | {"asset_id": "btc"}, "#/asset_id", "invalid"),
        (BUY | {"asset_id": ""}, "#/asset_id", "invalid"),
        (BUY | {"client_order_id": "a:b"}, "#/client_order_id", "invalid"),
        (BUY | {"client_order_id": "a\n"}, "#/client_order_id", "invalid"),
        (BUY | {"client_order_id": "a" * 65}, "#/client_order_id", "invalid"),
        (BUY | {"client_order_id": ""}, "#/client_order_id", "invalid"),
    ],
)
async def test_bad_input_publishes_nothing(
    customer: Customer, backstage: Backstage, body: dict[str, Any], pointer: str, code: str
) -> None:
    answer = await customer.post("/orders", body)
    assert refusal(answer) == (422, "validation_failed")
    faults = [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]]
    assert (pointer, code) in faults
    assert backstage.commands() == []


@pytest.mark.parametrize("asset_id", ["NOPE", "USD"])
async def test_nobody_can_order_what_is_not_listed(
    customer: Customer, backstage: Backstage, asset_id: str
) -> None:
    answer = await customer.post("/orders", BUY | {"asset_id": asset_id})
    assert refusal(answer) == (422, "asset_unknown")
    assert answer.json()["errors"][0]["pointer"] == "#/asset_id"
    assert backstage.commands() == []


async def test_a_pending_order_is_found_where_its_answer_says(
    customer: Customer, backstage: Backstage
) -> None:
    await customer.deposit("2000.00")
    backstage.down.add(backstage.exchange.order)
    for name in ({}, {"client_order_id": "later"}):
        answer = await customer.post("/orders", BUY | name, Prefer="respond-async")
        assert answer.status_code == 202
        pending = answer.json()
        assert (pending["status"], pending["as_of"]) == ("pending_new", None)
        found = await customer.get(answer.headers["location"].removeprefix("/api/v1"))
        assert found == pending
    assert await customer.get("/orders/by-client-id/later") == pending

    await backstage.resume()

    order = await customer.get(f"/orders/{pending['id']}")
    assert (order["status"], order["filled_quantity"]) == ("filled", "0.01000000")


async def test_an_order_that_waits_for_its_hold_is_no_outcome(
    customer: Customer, backstage: Backstage
) -> None:
    await customer.deposit("1000.00")
    backstage.down.add(backstage.exchange.portfolio)  # filled, but its assets have not moved
    answer = await customer.post("/orders", BUY)
    assert answer.status_code == 202
    await backstage.resume()
    assert (await customer.get(f"/orders/{answer.json()['id']}"))["status"] == "filled"


@pytest.mark.parametrize("path", ["/orders/1", "/orders/by-client-id/a:b", "/orders/%00"])
async def test_no_name_of_an_order_is_looked_up(customer: Customer, path: str) -> None:
    assert await customer.refused(path) == (422, "validation_failed")


async def test_while_the_live_view_is_away_the_history_answers(
    customer: Customer, backstage: Backstage
) -> None:
    await customer.deposit("1000.00")
    order = await customer.order("buy", quantity="0.01")
    backstage.live.away = True
    assert (await customer.get(f"/orders/{order['id']}"))["status"] == "filled"
    assert (await customer.get("/balance"))["total"] == "399.40"
    assert len((await customer.get("/orders"))["items"]) == 1
    assert await customer.refused(f"/orders/{uuid4()}") == (503, "dependency_unavailable")
    await backstage.live.show(ready=False)
    backstage.live.away = False
    assert await customer.refused(f"/orders/{uuid4()}") == (503, "view_behind")


async def test_a_command_taken_while_the_view_is_away_is_pending(
    customer: Customer, backstage: Backstage
) -> None:
    await customer.deposit("1000.00")
    backstage.live.away = True
    answer = await customer.post("/orders", BUY, Prefer="wait=0")
    assert answer.status_code == 202
    backstage.live.away = False
    await backstage.settle()
    assert (await customer.get(f"/orders/{answer.json()['id']}"))["status"] == "filled"


async def test_the_command_says_who_asked_and_when(
    customer: Customer, backstage: Backstage, twins: Twins
) -> None:
    await customer.post("/orders", BUY | {"client_order_id": "x"}, X_Request_ID="request-1")
    (raw,) = backstage.log[topics.ORDER_COMMANDS.name]
    command = topics.ORDER_COMMANDS.decode(raw.value or b"")
    assert isinstance(command, PlaceOrder)
    assert command.correlation_id == "request-1"
    assert command.created_at == command.occurred_at == twins.clock.ms
    assert (command.quantity, command.client_order_id) == (1_000_000, "x")
    assert len(command.fingerprint) == 64


async def test_a_method_that_orders_do_not_have_is_refused(customer: Customer) -> None:
    answer = await customer.client.put("/api/v1/orders", headers=customer.headers)
    assert refusal(answer) == (405, "method_not_allowed")
