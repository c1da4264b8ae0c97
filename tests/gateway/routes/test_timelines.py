"""/orders/{id}/timeline, from outside."""

from typing import Any

from gateway.projections.outcomes import AGE
from tests.gateway.backstage import Backstage
from tests.gateway.conftest import Twins

from .conftest import Customer

BUY = {"asset_id": "BTC", "side": "buy", "quantity": "0.01"}
STEPS = [
    ("place_order", "order.commands.v1"),
    ("order_accepted", "order.events.v1"),
    ("funds_reserved", "balance.events.v1"),
    ("order_filled", "order.events.v1"),
    ("funds_settled", "balance.events.v1"),
    ("position_changed", "portfolio.events.v1"),
    ("funds_released", "balance.events.v1"),
]


def named(timeline: Any) -> list[tuple[str, str]]:
    return [(step["type"], step["topic"]) for step in timeline["steps"]]


async def test_a_timeline_is_whole_right_after_the_order(customer: Customer) -> None:
    await customer.deposit("1000.00")
    order = await customer.order("buy", quantity="0.01")
    timeline = await customer.get(f"/orders/{order['id']}/timeline")
    assert named(timeline) == STEPS
    assert [step["offset"] for step in timeline["steps"]] == [0, 0, 1, 1, 2, 0, 3]
    assert {step["partition"] for step in timeline["steps"]} == {0}
    assert (timeline["order_id"], timeline["status"]) == (order["id"], "filled")
    assert timeline["as_of"] == order["as_of"]
    sale = await customer.order("sell", quantity="0.01")
    timeline = await customer.get(f"/orders/{sale['id']}/timeline")
    assert [step["type"] for step in timeline["steps"]] == [
        *("place_order", "order_accepted", "assets_reserved", "order_filled"),
        *("funds_settled", "position_changed"),
    ]


async def test_its_latencies_add_up_to_the_whole(
    customer: Customer, backstage: Backstage, twins: Twins
) -> None:
    await customer.deposit("1000.00")
    backstage.down.add(backstage.exchange.balance)
    answer = await customer.post("/orders", BUY, Prefer="wait=0")
    await backstage.settle()
    twins.clock.ms += 7
    backstage.down = {backstage.exchange.portfolio}
    await backstage.settle()
    twins.clock.ms += 30
    await backstage.resume()
    timeline = await customer.get(f"/orders/{answer.json()['id']}/timeline")
    assert named(timeline) == [*STEPS[:5], STEPS[6], STEPS[5]]
    assert [step["latency_ms"] for step in timeline["steps"]] == [0, 0, 7, 0, 0, 0, 30]
    assert timeline["latency_ms"] == 37


async def test_a_refused_order_has_a_timeline_too(customer: Customer) -> None:
    answer = await customer.post("/orders", BUY)
    timeline = await customer.get(f"/orders/{answer.json()['resource']['id']}/timeline")
    assert [step["type"] for step in timeline["steps"]] == [
        *("place_order", "order_accepted", "funds_refused", "order_rejected")
    ]


async def test_a_pending_order_has_no_step_yet(customer: Customer, backstage: Backstage) -> None:
    backstage.down.add(backstage.exchange.order)
    answer = await customer.post("/orders", BUY, Prefer="respond-async")
    timeline = await customer.get(f"/orders/{answer.json()['id']}/timeline")
    assert (timeline["status"], timeline["steps"]) == ("pending_new", [])


async def test_what_the_live_view_has_dropped_comes_from_the_history(
    customer: Customer, backstage: Backstage, twins: Twins
) -> None:
    await customer.deposit("1000.00")
    order = await customer.order("buy", quantity="0.01")
    path = f"/orders/{order['id']}/timeline"
    before = await customer.get(path)
    twins.clock.ms += AGE + 1
    await customer.log_in()
    backstage.history.late = True
    backstage.tick(BTC=6_000_000)
    await customer.order("sell", quantity="0.01")
    assert await customer.refused(path) == (503, "view_behind")
    await backstage.resume()
    after = await customer.get(path)
    assert after["steps"] == before["steps"]
    backstage.live.away = True
    assert (await customer.get(path))["steps"] == before["steps"]
