"""/stream/past on twins: all that was, the oldest first, in as many parts as one likes."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import accumulate

import pytest

from gateway.retelling import MANY
from ops.client.sse import Event
from tests.gateway.backstage import Backstage
from tests.gateway.listener import Follow, Listener, follow

from .conftest import Clock
from .routes.conftest import Customer, backstage, customer, other

__all__ = ["backstage", "customer", "follow", "other"]
LISTS = {"transaction": "/balance/transactions", "trade": "/trades"}


async def busy(customer: Customer, *, rounds: int = 3) -> None:
    await customer.deposit("500.00")
    for _ in range(rounds):
        await customer.order("buy", notional="10.00")
        await customer.order("sell", notional="2.00")


async def told(listener: Listener) -> list[Event]:
    """Returns all of it, the end too."""
    events = [await listener.event()]
    while events[-1].name != "end":
        events.append(await listener.event())
    await listener.ended()
    assert listener.whole
    return events


async def listed(customer: Customer) -> Mapping[str, list[object]]:
    """Returns the lists as their own routes show them, the oldest first."""
    return {
        name: (await customer.get(f"{path}?limit=200"))["items"][::-1]
        for name, path in LISTS.items()
    }


def by_name(events: list[Event]) -> Mapping[str, list[object]]:
    return {name: [event.data for event in events if event.name == name] for name in LISTS}


async def test_it_tells_all_the_oldest_first_and_ends(follow: Follow, customer: Customer) -> None:
    await busy(customer)
    async with follow("/past") as listener:
        assert listener.headers["content-type"].startswith("text/event-stream")
        *events, end = await told(listener)
    assert by_name(events) == await listed(customer)
    assert len(events) == 7 + 6
    times = [event.data["created_at"] for event in events]
    assert times == sorted(times)
    assert end.data == {"more": False}
    position = (await customer.get("/balance"))["as_of"]["position"]
    assert position.startswith(end.id)
    async with follow("/past", last_id=end.id) as listener:
        assert await told(listener) == [end]


async def test_an_account_without_a_past_is_told_the_end(follow: Follow) -> None:
    async with follow("/past") as listener:
        [end] = await told(listener)
    assert end.data == {"more": False}


@pytest.mark.parametrize("limit", [1, 2, 5, 13, 14])
async def test_part_by_part_it_tells_the_same(
    follow: Follow, customer: Customer, limit: int
) -> None:
    await busy(customer)
    async with follow("/past") as listener:
        whole = await told(listener)
    parts: list[Event] = []
    more, last_id = True, None
    while more:
        async with follow(f"/past?limit={limit}", last_id=last_id) as listener:
            *events, end = await told(listener)
        assert len(events) <= limit
        assert end.data["more"] == (len(events) == limit)
        more, last_id = end.data["more"], end.id
        parts += events
    assert [(each.name, each.data) for each in parts] == [(e.name, e.data) for e in whole[:-1]]
    assert [each.id for each in parts] == [each.id for each in whole[:-1]]


async def test_from_each_event_on_it_tells_the_rest(follow: Follow, customer: Customer) -> None:
    await busy(customer, rounds=1)
    async with follow("/past") as listener:
        whole = await told(listener)
    for n, event in enumerate(whole[:-1]):
        async with follow("/past", last_id=event.id) as listener:
            assert await told(listener) == whole[n + 1 :]


async def test_what_takes_several_looks_is_told_whole(
    follow: Follow, customer: Customer, clock: Clock
) -> None:
    """More movements than are asked for at once, and far fewer fills, which come in their turn."""
    for _ in range(MANY + 1):
        await customer.deposit("10.00")
    clock.ms += 1
    await customer.order("buy", notional="10.00")
    clock.ms += 1
    for _ in range(MANY):
        await customer.deposit("10.00")
    async with follow("/past") as listener:
        *events, end = await told(listener)
    names = [event.name for event in events]
    assert names.count("transaction") == 2 * MANY + 2
    [at] = [n for n, name in enumerate(names) if name == "trade"]
    assert at in (MANY + 1, MANY + 2)
    moved = [event.data for event in events if event.name == "transaction"]
    sums = accumulate(Decimal(each["amount"]) for each in moved)
    assert [Decimal(each["balance_after"]) for each in moved] == list(sums)
    assert moved[-1]["balance_after"] == (await customer.get("/balance"))["total"]
    assert end.data == {"more": False}


async def test_one_channel_alone(follow: Follow, customer: Customer) -> None:
    await busy(customer, rounds=1)
    async with follow("/past?channels=trades") as listener:
        *events, end = await told(listener)
    assert {event.name for event in events} == {"trade"}
    assert end.id.startswith("o:")
    assert "b:" not in end.id


async def test_who_could_not_go_on_finds_what_he_missed(follow: Follow, customer: Customer) -> None:
    """The id of an event of the account's stream is good here too, when that has long forgotten it."""
    await busy(customer, rounds=1)
    async with follow() as listener:
        known = (await listener.event("snapshot")).id
    await customer.deposit("7.00")
    await customer.order("buy", notional="10.00")
    async with follow("/past", last_id=known) as listener:
        *events, _ = await told(listener)
    assert [event.name for event in events if event.name == "trade"] == ["trade"]
    amounts = [event.data["amount"] for event in events if event.name == "transaction"]
    assert amounts == ["7.00", "-10.00"]


async def test_nobody_else_s_past_is_told(
    follow: Follow, customer: Customer, other: Customer
) -> None:
    await busy(customer)
    async with follow("/past", of=other, last_id="b:0,o:0") as listener:
        assert [event.name for event in await told(listener)] == ["end"]


@pytest.mark.parametrize("last_id", ["", "b", "o:1", "b:1", "b:-1,o:0", "b:1;o:1", "b:1," * 9])
async def test_a_place_that_is_none_is_refused(customer: Customer, last_id: str) -> None:
    headers = {**customer.headers, "Last-Event-ID": last_id}
    answer = await customer.client.get("/api/v1/stream/past", headers=headers)
    assert answer.status_code == 422
    [fault] = answer.json()["errors"]
    assert fault["pointer"] == "header/Last-Event-ID"


@pytest.mark.parametrize("query", ["channels=orders", "channels=", "limit=0", "limit=1001"])
async def test_a_wrong_question_is_refused(customer: Customer, query: str) -> None:
    answer = await customer.client.get(f"/api/v1/stream/past?{query}", headers=customer.headers)
    assert (answer.status_code, answer.json()["code"]) == (422, "validation_failed")


async def test_while_the_history_is_away_it_is_refused(
    follow: Follow, customer: Customer, backstage: Backstage
) -> None:
    backstage.history.away = True
    assert await customer.refused("/stream/past") == (503, "dependency_unavailable")
    backstage.history.away = False
    async with follow("/past") as listener:
        assert [event.name for event in await told(listener)] == ["end"]
