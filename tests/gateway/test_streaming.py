"""/stream on twins: a snapshot, then every change, wherever a client was cut off; and how a stream ends."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import replace
from typing import Any

import pytest

from gateway.app import create_app
from gateway.deps import Parts
from infra.unavailable import Unavailable
from infra.views.port import KEPT
from tests.gateway.backstage import Backstage
from tests.gateway.listener import Listener, listening
from tests.sse import Event
from tests.stand import until

from .conftest import Clock, Twins
from .routes.conftest import Customer, backstage, customer, other

__all__ = ["backstage", "customer", "other"]
Follow = Callable[..., AbstractAsyncContextManager[Listener]]
FOLLOWED = ("balance", "order", "position")


@pytest.fixture
def follow(parts: Parts, customer: Customer) -> Follow:
    """Returns what follows the customer's account: the path's query, last_id."""
    app = create_app(parts)

    def begin(query: str = "", *, of: Customer = customer, last_id: str | None = None) -> Any:
        return listening(app, f"/stream{query}", of.headers, last_id)

    return begin


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
    own, before = place(event, event.name), place(snapshot, event.name)
    return int(own[2:]) > int(before[2:])


def plain(event: Event) -> Event:
    """Returns the event apart from where the other topics stood, which depends on when it was asked for."""
    own = place(event, event.name)
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


@pytest.mark.parametrize("channels", ["", "prices", "orders,", "orders;balance", "account"])
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


async def test_nobody_sees_another_s(follow: Follow, customer: Customer, other: Customer) -> None:
    await customer.deposit("100.00")
    await other.deposit("7.00")
    async with follow() as listener, follow(of=other) as others:
        first = await listener.event("snapshot")
        assert (await others.event("snapshot")).data["balance"]["total"] == "7.00"
        await customer.deposit("1.00")
        assert (await listener.event("balance")).data["total"] == "101.00"
        await other.deposit("1.00")
        assert (await others.event("balance")).data["total"] == "8.00"
        assert listener.waiting() == others.waiting() == []
    async with follow(of=other, last_id=first.id) as foreign:
        assert (await foreign.event("balance")).data["total"] == "8.00"
        assert foreign.waiting() == []


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


async def test_a_client_that_takes_nothing_is_dropped(
    parts: Parts, follow: Follow, customer: Customer
) -> None:
    async with follow() as listener:
        await listener.event("snapshot")
        listener.reading.clear()
        await customer.deposit("1.00")
        await listener.cut_off()
        assert parts.streams.hub.count == 0


async def test_a_client_that_goes_is_forgotten(
    parts: Parts, follow: Follow, customer: Customer
) -> None:
    async with follow() as listener:
        await listener.event("snapshot")
        assert parts.streams.hub.count == 1
    assert parts.streams.hub.count == 0


async def test_it_gives_signs_of_life_and_moves_on_by_them(
    follow: Follow, customer: Customer, other: Customer
) -> None:
    async with follow() as listener:
        first = await listener.event("snapshot")
        await other.deposit("7.00")
        await until(lambda: listener.parser.beats > 0, "it gives a sign of life")
        assert listener.parser.last_id != first.id
        assert listener.waiting() == []
    async with follow(last_id=listener.parser.last_id) as again:
        await customer.deposit("1.00")
        assert (await again.event("balance")).data["total"] == "1.00"


async def test_the_sixth_stream_of_an_account_is_one_too_many(
    follow: Follow, customer: Customer, other: Customer
) -> None:
    async with follow(), follow(), follow(), follow():
        async with follow() as fifth:
            await fifth.event("snapshot")
            answer = await customer.client.get("/api/v1/stream", headers=customer.headers)
            assert (answer.status_code, answer.json()["code"]) == (429, "too_many_streams")
            assert int(answer.headers["Retry-After"])
            async with follow(of=other) as free:
                await free.event("snapshot")
        async with follow() as again:
            await again.event("snapshot")


async def test_whoever_has_no_token_gets_no_byte(customer: Customer, follow: Follow) -> None:
    token = customer.headers["Authorization"].partition(" ")[2]
    answer = await customer.client.get(f"/api/v1/stream?access_token={token}")
    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_required")
    async with follow(f"?access_token={token}") as listener:
        assert listener.status == 200


async def test_a_view_that_is_away_is_a_problem_before_the_first_byte(
    parts: Parts, customer: Customer, backstage: Backstage
) -> None:
    backstage.live.away = True
    assert await customer.refused("/stream") == (503, "dependency_unavailable")
    backstage.live.away = False
    await backstage.live.show(ready=False)
    assert await customer.refused("/stream") == (503, "view_behind")
    assert parts.streams.hub.count == 0


async def test_a_view_that_goes_away_ends_the_stream_with_a_code(
    follow: Follow, customer: Customer, backstage: Backstage
) -> None:
    async with follow() as listener:
        await listener.event("snapshot")
        backstage.live.away = True
        error = await listener.event("error")
        assert error.data == {"code": "dependency_unavailable"}
        await listener.ended()


async def test_a_fault_of_ours_says_nothing_of_itself(parts: Parts, customer: Customer) -> None:
    class Broken:
        partitions = 1
        looks = 0

        async def look(self, *asked: Any) -> Any:
            self.looks += 1
            if self.looks > 1:
                raise RuntimeError("secret://host:1234")
            return await parts.streams.live.look(*asked)

    streams = parts.streams._replace(live=Broken())
    async with listening(
        create_app(replace(parts, streams=streams)), "/stream", customer.headers
    ) as listener:
        await listener.event("snapshot")
        assert (await listener.event("error")).data == {"code": "internal"}
        await listener.ended()
    assert b"secret" not in listener.body


async def test_it_ends_with_its_session(follow: Follow, customer: Customer, twins: Twins) -> None:
    async with follow() as listener:
        await listener.event("snapshot")
        for session_id in list(twins.sessions.rows):
            await twins.sessions.end(session_id)
        await listener.event("auth_expired")
        await listener.ended()


async def test_it_ends_with_its_token(follow: Follow, clock: Clock) -> None:
    async with follow() as listener:
        await listener.event("snapshot")
        clock.ms += 600_000
        await listener.event("auth_expired")
        await listener.ended()


async def test_it_ends_at_once_when_told(
    parts: Parts, follow: Follow, customer: Customer, other: Customer, twins: Twins
) -> None:
    hub, (first, *_) = parts.streams.hub, twins.sessions.rows
    await customer.log_in()
    account_id = (await customer.get("/auth/me"))["id"]
    async with follow() as one, follow(of=other) as others:
        await one.event("snapshot")
        await others.event("snapshot")
        assert hub.end(session_id=first) == 0
        assert hub.end() == 0
        assert hub.end(account_id=account_id) == 1
        async with asyncio.timeout(1):
            await one.event("auth_expired")
            await one.ended()
        assert hub.count == 1
        assert others.waiting() == []


async def test_it_ends_at_once_though_its_client_reads_nothing(
    parts: Parts, follow: Follow, customer: Customer
) -> None:
    account_id = (await customer.get("/auth/me"))["id"]
    async with follow() as listener:
        await listener.event("snapshot")
        listener.reading.clear()
        await customer.deposit("1.00")
        parts.streams.hub.end(account_id=account_id)
        await listener.cut_off()
        assert parts.streams.hub.count == 0


async def test_sessions_that_nobody_can_look_up_end_it_after_a_while(
    parts: Parts, follow: Follow
) -> None:
    async def find(_: str) -> None:
        raise Unavailable("sessions")

    async with follow() as listener:
        await listener.event("snapshot")
        parts.streams.hub.sessions = type("Away", (), {"find": staticmethod(find)})()
        error = await listener.event("error")
        assert error.data == {"code": "dependency_unavailable"}
        assert listener.parser.beats


async def test_a_process_that_ends_ends_its_streams(
    parts: Parts, follow: Follow, customer: Customer
) -> None:
    async with follow() as listener:
        await listener.event("snapshot")
        parts.streams.hub.close()
        await listener.ended()
    assert listener.whole
    assert await customer.refused("/stream") == (503, "overloaded")


async def test_a_process_has_only_so_many(parts: Parts, follow: Follow, customer: Customer) -> None:
    hub = parts.streams.hub
    hub.most = 2
    async with follow(), follow():
        assert await customer.refused("/stream") == (503, "overloaded")
    async with follow() as again:
        await again.event("snapshot")
