"""/stream on twins: a snapshot, then every change, wherever a client was cut off; and how a stream ends."""

import asyncio
from collections.abc import Mapping
from contextlib import AsyncExitStack

import pytest

from gateway.deps import Parts
from infra.views.port import KEPT
from ops.client.sse import Event
from tests.gateway.backstage import Backstage
from tests.gateway.listener import Follow, Listener, follow
from tests.stand import until

from .routes.conftest import Customer, backstage, customer, other

__all__ = ["backstage", "customer", "follow", "other"]
TOPIC = {"account": "order", "order": "order", "balance": "balance", "position": "position"}
FOLLOWED = ("account", "balance", "order", "position")


async def trade(customer: Customer, *, rounds: int = 1) -> None:
    for _ in range(rounds):
        await customer.order("buy", notional="10.00")
        await customer.order("sell", notional="2.00")


async def seen(listener: Listener, customer: Customer) -> list[Event]:
    """Returns what has come once the client knows all that is in view."""
    position = (await customer.get("/balance"))["as_of"]["position"]
    await until(lambda: listener.parser.last_id == position, "the stream has told all")
    events = listener.waiting()
    assert None not in events
    return [event for event in events if event]


def place(event: Event, topic: str) -> str:
    """Returns where the topic stood."""
    return next(part for part in event.id.split(",") if part.startswith(topic[0]))


def is_after(event: Event, snapshot: Event) -> bool:
    own, before = (place(each, TOPIC[event.name]) for each in (event, snapshot))
    return int(own[2:]) > int(before[2:])


def plain(event: Event) -> Event:
    """Returns the event apart from where the other topics stood, which depends on when it was asked for."""
    own = place(event, TOPIC[event.name])
    data = {name: said for name, said in event.data.items() if name != "as_of"}
    return Event(event.name, own, data)


def by_topic(events: list[Event]) -> Mapping[str, list[Event]]:
    """Returns the changes in their topics' orders."""
    return {name: [plain(e) for e in events if e.name == name] for name in FOLLOWED}


async def test_a_snapshot_is_what_the_account_has(follow: Follow, customer: Customer) -> None:
    await customer.deposit("100.00")
    await trade(customer)
    async with follow() as listener:
        assert listener.status == 200
        assert listener.headers["content-type"].startswith("text/event-stream")
        assert listener.headers["cache-control"] == "no-store"
        event = await listener.event("snapshot")
        assert 1_000 <= (listener.parser.retry or 0) < 5_000
    assert event.data["balance"] == await customer.get("/balance")
    assert event.data["positions"] == (await customer.get("/assets/balances"))["items"]
    assert event.data["orders"] == []
    assert event.id == event.data["as_of"]["position"] == event.data["balance"]["as_of"]["position"]


async def test_a_new_account_has_nothing(follow: Follow) -> None:
    async with follow() as listener:
        event = await listener.event("snapshot")
    assert event.data["balance"]["total"] == "0.00"
    assert (event.data["orders"], event.data["positions"]) == ([], [])


async def test_every_change_comes_once_and_in_order(
    follow: Follow, customer: Customer, backstage: Backstage
) -> None:
    async with follow() as listener:
        await listener.event("snapshot")
        await customer.deposit("100.00")
        await trade(customer)
        events = await seen(listener, customer)
    told = by_topic(events)
    balances, orders = told["balance"], told["order"]
    assert [balance.data["total"] for balance in balances][:1] == ["100.00"]
    assert [order.data["status"] for order in orders] == ["pending_new", "filled"] * 2
    assert told["position"][-1].data == (await customer.get("/assets/balances"))["items"][0]
    log = backstage.log
    assert len(balances) == len(log["balance.events.v1"])
    assert len(orders) == len(log["order.events.v1"])
    assert len(told["position"]) == len(log["portfolio.events.v1"])


async def test_a_frame_has_the_shape_of_its_resource(follow: Follow, customer: Customer) -> None:
    async with follow() as listener:
        await listener.event("snapshot")
        await customer.deposit("100.00")
        placed = await customer.order("buy", notional="10.00")
        events = await seen(listener, customer)
        order = [event.data for event in events if event.name == "order"][-1]
        assert order | {"as_of": placed["as_of"]} == placed
        last = next(e for e in reversed(events) if e.name == "balance")
        shown = await customer.get("/balance")
        assert last.data["as_of"].keys() == shown["as_of"].keys()
        assert last.data | {"as_of": shown["as_of"]} == shown


async def test_it_goes_on_at_every_cut(follow: Follow, customer: Customer) -> None:
    async with follow() as listener:
        snapshot = await listener.event("snapshot")
        await customer.deposit("100.00")
        await trade(customer, rounds=2)
        events = await seen(listener, customer)
    whole = by_topic(events)
    for cut, last in enumerate([snapshot, *events]):
        async with follow(last_id=last.id) as again:
            rest = await asyncio.gather(*(again.event() for _ in events[cut:]))
            assert again.waiting() == []
        assert by_topic([*events[:cut], *rest]) == whole, last.id


async def test_whoever_begins_in_the_middle_of_it_all_misses_nothing(
    follow: Follow, customer: Customer
) -> None:
    await customer.deposit("500.00")
    async with follow() as first, AsyncExitStack() as stack:
        await first.event("snapshot")
        trading = asyncio.create_task(trade(customer, rounds=6))
        begun: list[tuple[Listener, Event]] = []
        early = []
        while len(begun) < 4:
            listener = await stack.enter_async_context(follow())
            begun.append((listener, await listener.event("snapshot")))
            early += [await first.event() for _ in range(3)]
        assert not trading.done()
        await trading
        whole = [*early, *await seen(first, customer)]
        for listener, snapshot in begun:
            since = [event for event in whole if is_after(event, snapshot)]
            assert by_topic(await seen(listener, customer)) == by_topic(since)
        assert 0 < len(since) < len(whole)


async def test_channels_are_chosen(follow: Follow, customer: Customer) -> None:
    async with follow("?channels=orders") as listener:
        snapshot = await listener.event("snapshot")
        assert snapshot.data["balance"] is snapshot.data["positions"] is None
        await customer.deposit("100.00")
        await trade(customer)
        assert (await listener.event("order")).data["status"] == "pending_new"
        assert (await listener.event("order")).data["status"] == "filled"
        assert (await listener.event("order")).id.startswith("o:")


@pytest.mark.parametrize("channels", ["", "prices", "orders,", "orders;balance", "profile"])
async def test_an_unknown_channel_is_an_error(customer: Customer, channels: str) -> None:
    assert await customer.refused("/stream", channels=channels) == (422, "validation_failed")


@pytest.mark.parametrize(
    "said",
    [
        "garbage",
        "o:-1,b:0,p:0",
        "b:99999999999999999999,o:0,p:0",
        "b:900,o:900,p:900",
        "m:1",
        "b:0",
    ],
)
async def test_a_place_where_nobody_can_be_is_answered_with_a_reset(
    follow: Follow, customer: Customer, said: str
) -> None:
    await customer.deposit("100.00")
    async with follow(last_id=said) as listener:
        await listener.event("reset")
        snapshot = await listener.event("snapshot")
        assert snapshot.data["balance"]["total"] == "100.00"
        await customer.deposit("1.00")
        assert (await listener.event("balance")).data["total"] == "101.00"


async def test_no_place_at_all_is_the_beginning(follow: Follow) -> None:
    async with follow(last_id="") as listener:
        await listener.event("snapshot")


async def test_who_falls_too_far_behind_is_told_anew_and_costs_no_more(
    parts: Parts, follow: Follow, customer: Customer
) -> None:
    parts.streams.hub.patience_s = 60
    async with follow() as listener:
        await listener.event("snapshot")
        listener.reading.clear()
        for _ in range(KEPT + 30):
            await customer.deposit("0.01")
        listener.reading.set()
        assert (await listener.event("balance")).data["total"] == "0.01"
        await listener.event("reset")
        assert (await listener.event("snapshot")).data["balance"]["total"] == "1.30"
        await customer.deposit("0.01")
        assert (await listener.event("balance")).data["total"] == "1.31"
        assert listener.waiting() == []
