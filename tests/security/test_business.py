"""What an account may do in a day and at once, and at what price: rows 29 and 30 of the security table."""

import asyncio
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from events.codec import stamp
from events.money import MAX_NOTIONAL
from events.order import OrderRejected
from events.reasons import Reason
from events.topics import DAY
from gateway.deps import Parts
from gateway.limits import AMPLE, Allowed, Limits
from gateway.settings import GatewaySettings
from services.order.domain import FOLDS, decide
from tests.gateway.conftest import Twins
from tests.messages.markets import BTC
from tests.messages.orders import place
from tests.spec import Spec

from .conftest import BASE, Client, calling, registered, session
from .forging import ends

CURSOR_KEY = "c" * 32


async def asked(client: Client, headers: dict[str, str], path: str, **body: Any) -> httpx2.Response:
    return await client.post(f"{BASE}{path}", headers=headers, json=body)


def refusal(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


async def test_s29_a_day_has_limits_by_role(parts: Parts, twins: Twins) -> None:
    limits: Limits = {"customer": Allowed(10_000, 5_000), "admin": Allowed(0, 0)}
    async with calling(replace(parts, limits=limits)) as client:
        await registered(client)
        ada = await session(client)
        assert (await asked(client, ada, "/balance/deposit", amount="60.00")).status_code == 201
        more = await asked(client, ada, "/balance/deposit", amount="40.01")
        assert refusal(more) == (422, "limit_exceeded")
        assert more.json()["detail"] == (
            "Limit 100.00, used 60.00, resets at 2027-01-16T00:00:00.000Z."
        )
        assert (await asked(client, ada, "/balance/deposit", amount="40.00")).status_code == 201
        out = await asked(client, ada, "/balance/withdraw", amount="50.01")
        assert refusal(out) == (422, "limit_exceeded")
        assert out.json()["detail"] == "Limit 50.00, used 0.00, resets at 2027-01-16T00:00:00.000Z."

        twins.clock.ms += DAY
        ada = await session(client)
        assert (await asked(client, ada, "/balance/deposit", amount="100.00")).status_code == 201


async def test_s29_production_takes_no_deposits_unless_it_is_told_to(parts: Parts) -> None:
    production = GatewaySettings(env="production", cursor_key=CURSOR_KEY)
    async with calling(replace(parts, limits=production.limits)) as client:
        await registered(client)
        ada = await session(client)
        answer = await asked(client, ada, "/balance/deposit", amount="1.00")
        assert refusal(answer) == (403, "deposits_disabled")
        assert "detail" not in answer.json()
        assert (await client.get(f"{BASE}/balance", headers=ada)).json()["total"] == "0.00"
    told = GatewaySettings(env="production", cursor_key=CURSOR_KEY, customer_daily_deposit=100)
    assert told.limits["customer"].deposit == 100
    assert told.limits["admin"].deposit == 0


async def test_s29_of_fifty_withdrawals_of_all_there_is_one_is_accepted(
    client: Client, twins: Twins
) -> None:
    await registered(client)
    ada = await session(client)
    assert (await asked(client, ada, "/balance/deposit", amount="100.00")).status_code == 201
    outs = (asked(client, ada, "/balance/withdraw", amount="100.00") for _ in range(50))
    answers = await asyncio.gather(*outs)
    refused = [refusal(answer) for answer in answers if answer.status_code != 201]
    assert refused == [(422, "insufficient_funds")] * 49
    shown = (await client.get(f"{BASE}/balance", headers=ada)).json()
    assert (shown["available"], shown["held"], shown["total"]) == ("0.00", "0.00", "0.00")
    lines = (await client.get(f"{BASE}/balance/transactions", headers=ada)).json()["items"]
    assert [line["balance_after"] for line in lines] == ["0.00", "100.00"]


async def test_s29_an_order_is_worth_no_more_than_it_may(client: Client, twins: Twins) -> None:
    await registered(client)
    ada = await session(client)
    for terms in ({"notional": f"{MAX_NOTIONAL // 100}.01"}, {"quantity": "1000"}):
        answer = await asked(client, ada, "/orders", asset_id="BTC", side="buy", **terms)
        assert refusal(answer) == (422, "limit_exceeded")
        assert answer.json()["detail"] == "An order may be worth 10000000.00 at most."
        assert answer.json()["resource"]["status"] == "rejected"
    assert (await client.get(f"{BASE}/balance", headers=ada)).json()["held"] == "0.00"


async def test_s29_what_an_order_may_be_worth_is_a_matter_of_the_role(
    parts: Parts, twins: Twins
) -> None:
    few, many = Allowed(AMPLE, AMPLE, order=5_000), Allowed(AMPLE, AMPLE)
    async with calling(replace(parts, limits={"customer": few, "admin": many})) as client:
        account_id = await registered(client)
        ada = await session(client)
        await asked(client, ada, "/balance/deposit", amount="500.00")
        order = {"asset_id": "BTC", "side": "buy"}
        assert (await asked(client, ada, "/orders", **order, notional="50.00")).status_code == 201
        refused = await asked(client, ada, "/orders", **order, notional="50.01")
        assert refusal(refused) == (422, "limit_exceeded")
        assert refused.json()["detail"] == "An order may be worth 50.00 at most."
        before = await asked(client, ada, "/orders/preview", **order, notional="50.01")
        assert before.json()["refusal"] == {
            "code": "limit_exceeded",
            "detail": "An order may be worth 50.00 at most.",
        }
        twins.users.items[account_id]["role"] = {"S": "admin"}
        root = await session(client)
        assert (await asked(client, root, "/orders", **order, notional="50.01")).status_code == 201


@pytest.mark.parametrize(
    "terms",
    [
        {"price": "1.00"},
        {"limit_price": "600000.00"},
        {"stop_price": "1.00"},
        {"average_price": "1.00"},
        {"fee": "0"},
        {"price": None},
        {"type": "limit", "limit_price": "600000.00"},
    ],
    ids=str,
)
async def test_s30_nobody_names_a_price_of_a_market_order(
    client: Client, twins: Twins, terms: dict[str, object]
) -> None:
    await registered(client)
    ada, before = await session(client), ends(twins)
    order = {"asset_id": "BTC", "side": "buy", "quantity": "0.001"} | terms
    answer = await asked(client, ada, "/orders", **order)
    assert refusal(answer) == (422, "validation_failed")
    assert ends(twins) == before


async def test_s30_what_is_filled_is_filled_at_the_market_s_price(
    client: Client, twins: Twins
) -> None:
    await registered(client)
    ada = await session(client)
    await asked(client, ada, "/balance/deposit", amount="1000.00")
    for price in (BTC.listing_price, 2 * BTC.listing_price):
        twins.backstage.tick(BTC=price)
        await twins.backstage.fold()
        for side in ("buy", "sell"):
            done = await asked(client, ada, "/orders", asset_id="BTC", side=side, quantity="0.001")
            assert done.status_code == 201, done.text
            assert done.json()["average_price"] == f"{price // 100}.00"


@pytest.mark.parametrize("field", ["limit_price", "stop_price"])
def test_s30_a_price_in_the_log_changes_nothing(field: str) -> None:
    """Whoever writes past the edge names no price either."""
    command = stamp(place("buy", quantity=100_000), **{field: 10 * BTC.listing_price})
    [event] = Spec(decide, FOLDS).given().when(command)
    assert isinstance(event, OrderRejected)
    assert event.reason == Reason.ORDER_MALFORMED
