"""/orders/preview, from outside: it foretells what the order then comes to. BTC costs 60,000.00 USD, DOGE 0.15."""

from collections import Counter
from random import Random
from typing import Any

import pytest

from events.topics import ORDER_COMMANDS
from gateway.deps import Parts
from tests.gateway.backstage import Backstage
from tests.gateway.conftest import Twins
from tests.messages.markets import BTC, DOGE
from tests.messages.orders import freeze, unfreeze

from .conftest import Customer, refusal

SEEDS, ORDERS = 4, 250
BUY = {"asset_id": "BTC", "side": "buy", "quantity": "0.01"}


async def test_a_preview_says_what_a_buy_costs_and_holds(customer: Customer) -> None:
    await customer.deposit("1000.00")
    answer = await customer.post("/orders/preview", BUY)
    assert answer.status_code == 200
    preview = answer.json()
    assert preview.pop("as_of")["position"] == "b:1"
    assert preview.pop("prices_as_of")["position"] == "m:1"
    assert preview == {
        "asset_id": "BTC",
        "side": "buy",
        "price": "60000.00",
        "quantity": "0.01000000",
        "cost": "600.00",
        "fee": "0.60",
        "hold": "612.62",
        "hold_asset": "USD",
        "refusal": None,
    }


async def test_a_sell_holds_what_it_sells(customer: Customer) -> None:
    await customer.deposit("1000.00")
    await customer.order("buy", quantity="0.01")
    preview = (
        await customer.post("/orders/preview", BUY | {"side": "sell", "quantity": "0.004"})
    ).json()
    assert (preview["hold"], preview["hold_asset"]) == ("0.00400000", "BTC")
    assert (preview["cost"], preview["fee"]) == ("240.00", "0.24")


async def test_nothing_is_published(customer: Customer, backstage: Backstage) -> None:
    await customer.deposit("1000.00")
    before = {name: len(log) for name, log in backstage.log.items()}
    for body in (BUY, BUY | {"client_order_id": "mine"}, BUY | {"quantity": "100"}):
        assert (await customer.post("/orders/preview", body)).status_code == 200
    await backstage.settle()
    assert {name: len(log) for name, log in backstage.log.items()} == before
    assert (await customer.get("/orders"))["items"] == []


async def test_a_refusal_says_what_is_lacking(customer: Customer) -> None:
    await customer.deposit("600.00")
    preview = (await customer.post("/orders/preview", BUY)).json()
    assert preview["refusal"] == {
        "code": "insufficient_funds",
        "detail": "Needed 612.62, available 600.00.",
    }
    assert (preview["hold"], preview["cost"], preview["quantity"]) == ("612.62", None, None)
    preview = (await customer.post("/orders/preview", BUY | {"side": "sell"})).json()
    assert preview["refusal"]["detail"] == "Needed 0.01000000, available 0.00000000."
    preview = (await customer.post("/orders/preview", BUY | {"quantity": "0.00000009"})).json()
    assert preview["refusal"] == {
        "code": "quantity_below_minimum",
        "detail": "The quantity is below the asset's smallest.",
    }
    assert preview["price"] is preview["hold"] is None


async def test_a_frozen_account_is_told_so(customer: Customer, backstage: Backstage) -> None:
    await customer.deposit("1000.00")
    account_id = (await customer.get("/auth/me"))["id"]
    for command, code in (
        (freeze(account_id=account_id), "account_frozen"),
        (unfreeze(n=3, account_id=account_id), None),
    ):
        await backstage.publish(ORDER_COMMANDS, command)
        await backstage.settle()
        preview = (await customer.post("/orders/preview", BUY)).json()
        assert (preview["refusal"] or {}).get("code") == code


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (BUY | {"asset_id": "NOPE"}, 422, "asset_unknown"),
        (BUY | {"quantity": "0.000000001"}, 422, "validation_failed"),
        (BUY | {"account_id": "x"}, 422, "validation_failed"),
        ({}, 422, "validation_failed"),
    ],
)
async def test_what_no_order_can_be_is_refused_as_the_order_is(
    customer: Customer, body: dict[str, Any], status: int, code: str
) -> None:
    previewed, ordered = [
        await customer.post(path, body) for path in ("/orders/preview", "/orders")
    ]
    assert refusal(previewed) == refusal(ordered) == (status, code)
    assert previewed.json().get("errors") == ordered.json().get("errors")


async def test_nobody_previews_without_a_session(customer: Customer) -> None:
    customer.headers.clear()
    answer = await customer.post("/orders/preview", BUY)
    assert refusal(answer) == (401, "authentication_required")


def drawn(rng: Random) -> dict[str, str]:
    """Returns an order: mostly one that may be filled, also far too small, far too large, or of too many digits."""
    asset = rng.choice((BTC, DOGE))
    body = {"asset_id": asset.asset_id, "side": rng.choice(("buy", "sell"))}
    if rng.random() < 0.5:
        cents = int(10 ** rng.uniform(0, 10))
        return body | {"notional": f"{cents // 100}.{cents % 100:02d}"}
    minor = int(10 ** rng.uniform(0, 11))
    whole, part = divmod(minor, 10**asset.scale)
    digit = "1" if rng.random() < 0.02 else ""
    return body | {"quantity": f"{whole}.{part:0{asset.scale}d}{digit}"}


async def move(rng: Random, parts: Parts, twins: Twins) -> None:
    """Moves the prices, or lets them grow old; now and then so far down that an asset is halted."""
    twins.clock.ms += rng.choice((1, 100, 10_001))
    if rng.random() < 0.9:
        factor = 1 if rng.random() < 0.03 else rng.randint(800, 1_200)
        for asset in (BTC, DOGE):
            price = asset.listing_price * factor // 1_000 - (factor == 1)
            twins.backstage.tick(**{asset.asset_id: price})
    await twins.backstage.fold()
    await parts.catalogue.look()


@pytest.mark.parametrize("seed", range(SEEDS))
async def test_a_preview_is_what_the_order_comes_to(
    customer: Customer, parts: Parts, twins: Twins, seed: int
) -> None:
    rng, came_to = Random(seed), Counter[str]()
    await customer.deposit("10000000.00")
    for n in range(ORDERS):
        await move(rng, parts, twins)
        if n % 25 == 0:
            await customer.log_in()  # a session ends after ten minutes
        body = drawn(rng)
        previewed = await customer.post("/orders/preview", body)
        ordered = await customer.post("/orders", body)
        foretold, order = previewed.json(), ordered.json()
        if previewed.status_code != 200:
            assert refusal(previewed) == refusal(ordered)
        elif foretold["refusal"]:
            assert refusal(ordered) == (422, foretold["refusal"]["code"])
            told = order.get("detail") or order["title"]
            assert told == foretold["refusal"]["detail"]
        else:
            assert ordered.status_code == 201, (body, order)
            assert foretold["quantity"] == order["filled_quantity"]
            assert (foretold["cost"], foretold["fee"]) == (order["cost"], order["fee"])
        came_to[order.get("code", "filled")] += 1
    assert came_to["filled"] > ORDERS // 10, came_to
    assert len(came_to) > 7, came_to
