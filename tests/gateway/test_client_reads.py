"""What the client asks of reads: no older view than one that was seen, nothing again that is the same, some times."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone

import httpx2
import pytest

from ops.client.client import Client
from ops.client.errors import Problem
from ops.client.tokens import InMemory

from .conftest import Clock, Twins
from .line import NAME, PASSWORD, Line, ada, line

__all__ = ["ada", "line"]
WITHIN_S = 5


def beside(ada: Client, *, keep: int = 0, patience: float = 60) -> Client:
    """Returns another client of Ada's session."""
    keeper, now = ada.session.keeper, ada.session.now
    return Client("", http=ada._http, keeper=keeper, now=now, keep=keep, patience=patience)


@pytest.fixture
def statuses(ada: Client) -> list[int]:
    """Returns what the edge answers from now on."""
    told: list[int] = []

    async def tell(answer: httpx2.Response) -> None:
        told.append(answer.status_code)

    ada._http.event_hooks = {"response": [tell]}
    return told


async def test_another_device_sees_what_the_first_has_seen(ada: Client, twins: Twins) -> None:
    other = Client("", http=ada._http, keeper=InMemory(), now=ada.session.now)
    await other.login(NAME, PASSWORD)
    twins.backstage.live.late = True
    assert (await ada.deposit("5.00", wait=0)).pending
    await twins.backstage.settle()
    before = await other.balance()
    assert before.total == "1000.00"
    topic, _, at = before.as_of.position.partition(":")
    asked = asyncio.create_task(other.at_least(f"{topic}:{int(at) + 1}", wait=30).balance())
    await asyncio.sleep(0)
    await twins.backstage.resume()
    after = await asyncio.wait_for(asked, WITHIN_S)
    assert after.total == "1005.00"
    assert (await other.at_least(after.as_of.position).balance()).total == "1005.00"


@pytest.mark.parametrize(
    "ask",
    [
        lambda client: client.balance(),
        lambda client: anext(client.orders()),
        lambda client: client.preview("BTC", "buy", notional="1.00"),
    ],
)
async def test_a_view_that_stays_behind_is_said_to_be(
    ada: Client, ask: Callable[[Client], Awaitable[object]]
) -> None:
    late = beside(ada, patience=0.01).at_least("b:999", wait=0)
    with pytest.raises(Problem, match="view_behind"):
        await ask(late)


async def test_a_price_that_was_seen_holds_for_the_catalogue_alone(ada: Client) -> None:
    late = beside(ada, patience=0.01).at_least("m:999", wait=0)
    for ask in (late.asset("BTC"), anext(late.assets())):
        with pytest.raises(Problem, match="view_behind"):
            await ask
    assert (await late.balance()).total == "1000.00"
    seen = (await ada.asset("BTC")).as_of.position
    assert (await ada.at_least(seen).asset("BTC")).as_of.position == seen


async def test_positions_add_up(ada: Client, line: Line) -> None:
    late = ada.at_least("b:1,o:0", "m:1").at_least("b:0,p:0", "")
    await late.balance()
    await late.asset("BTC")
    await late.me()
    await ada.at_least("").balance()
    asked = [request.url.params.get("min_position") for request in line.sent]
    assert asked == ["b:1,o:0,p:0", "m:1", None, None]
    assert [request.headers.get("prefer") for request in line.sent] == [*["wait=5"] * 2, None, None]


async def test_who_waits_is_closed_by_whom_he_was_made_of() -> None:
    async with Client("http://edge") as client:
        async with client.at_least("b:1") as late:
            pass
        assert not late._http.is_closed
    assert late._http.is_closed


async def test_an_event_s_id_is_a_position(ada: Client) -> None:
    async with ada.follow("balance") as events:
        assert (await anext(events)).event == "snapshot"
    assert events.last_id
    assert (await ada.at_least(events.last_id).balance()).total == "1000.00"


@pytest.mark.parametrize("position", ["x", "b", "b:", "b:-1", "b=1", "b:1 ", "b:1;o:2", "b:\u0661"])
def test_what_is_no_position_is_none(position: str) -> None:
    with pytest.raises(ValueError, match="is no position"):
        Client("http://edge").at_least("b:1", position)


async def test_what_has_not_changed_is_not_sent_again(ada: Client, statuses: list[int]) -> None:
    polling = beside(ada, keep=10)
    first = await polling.balance()
    assert await polling.balance() is first
    assert statuses == [200, 304]
    await ada.deposit("1.00")
    statuses.clear()
    changed = await polling.balance()
    assert (changed.total, first.total) == ("1001.00", "1000.00")
    assert await polling.balance() is changed
    assert statuses == [200, 304]


async def test_so_is_a_list_page_by_page(ada: Client, statuses: list[int]) -> None:
    for _ in range(50):
        await ada.deposit("1.00")
    polling = beside(ada, keep=10)
    first = [one async for one in polling.transactions()]
    statuses.clear()
    again = [one async for one in polling.transactions()]
    assert [id(one) for one in again] == [id(one) for one in first]
    assert statuses == [304, 304]
    assert (len(first), [one async for one in polling.transactions(kind="buy")]) == (51, [])
    await ada.deposit("2.00")
    assert (await anext(polling.transactions())).amount == "2.00"


async def test_so_many_answers_are_kept(ada: Client, statuses: list[int]) -> None:
    polling = beside(ada, keep=2)
    await polling.balance()
    await polling.holdings()
    await polling.balance()
    await polling.asset("BTC")  # in place of the holdings, which were asked for longer ago
    await polling.balance()
    await polling.holdings()
    assert statuses == [200, 200, 304, 200, 304, 200]


async def test_nothing_is_kept_unless_that_is_asked_for(ada: Client, line: Line) -> None:
    assert await ada.balance() is not await ada.balance()
    assert not [one for one in line.sent if "if-none-match" in one.headers]


async def test_who_must_see_more_is_not_given_what_was_kept_before(
    ada: Client, statuses: list[int]
) -> None:
    polling = beside(ada, keep=10)
    first = await polling.balance()
    second = await polling.at_least(first.as_of.position).balance()
    assert second is not first
    assert await polling.at_least(first.as_of.position).balance() is second
    assert statuses == [200, 200, 304]


async def test_what_was_kept_of_one_user_is_not_another_s(ada: Client) -> None:
    polling = beside(ada, keep=10)
    await polling.register("eve", "eve@example.org", PASSWORD)
    mine = await polling.balance()
    await polling.login("eve", PASSWORD)
    assert ((await polling.balance()).total, mine.total) == ("0.00", "1000.00")


async def test_a_304_that_nobody_asked_for_is_a_problem(ada: Client, line: Line) -> None:
    line.troubles = [304]
    with pytest.raises(Problem, match="304"):
        await ada.balance()


async def test_a_list_is_of_the_times_that_are_asked_for(ada: Client, clock: Clock) -> None:
    begin = datetime.fromtimestamp(clock.ms / 1000, UTC)
    clock.ms += 5_000
    order = await (await ada.place_order("BTC", "buy", notional="10.00")).wait()
    middle = begin + timedelta(seconds=5)
    for made in (
        lambda since, until: ada.orders(since=since, until=until),
        lambda since, until: ada.trades(order_id=order.id, side="buy", since=since, until=until),
        lambda since, until: ada.transactions(kind="buy", since=since, until=until),
        lambda since, until: ada.asset_transactions("BTC", since=since, until=until),
    ):
        assert len([one async for one in made(begin, None)]) == 1
        assert len([one async for one in made(middle, None)]) == 1
        assert [one async for one in made(begin, middle)] == []
        assert [one async for one in made(middle + timedelta(milliseconds=1), None)] == []
    elsewhere = middle.astimezone(timezone(timedelta(minutes=19, seconds=32)))
    assert [one.type async for one in ada.transactions(until=elsewhere)] == ["deposit"]


def test_a_time_has_a_zone(ada: Client) -> None:
    with pytest.raises(ValueError, match="has no time zone"):
        ada.orders(since=datetime(2026, 11, 24))  # noqa: DTZ001 - that is the matter


async def test_the_catalogue_is_asked_for_prices(ada: Client) -> None:
    dear = [one.id async for one in ada.assets(min_price="60000", max_price="60000.00")]
    assert dear == ["BTC"]
