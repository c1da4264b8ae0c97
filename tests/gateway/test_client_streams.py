"""The client's streams on a line that is cut, with tokens that end: nothing is missed, nothing comes twice."""

import asyncio
from collections.abc import Iterable
from itertools import pairwise
from random import Random
from time import monotonic
from typing import Any

import httpx2
import pytest

from gateway.auth import LEEWAY, TOKEN_LIFE
from gateway.deps import Parts
from ops.client.asking import BASE, SILENCE
from ops.client.client import Client
from ops.client.errors import NoAnswer, Problem
from ops.client.models import BalanceEvent, SnapshotEvent
from ops.client.stream import AccountNews, Stream
from tests.stand import until

from .conftest import Clock, Twins
from .line import NAME, PASSWORD, Line, ada, line

__all__ = ["ada", "line"]
pytestmark = pytest.mark.timeout(30)
NEVER_MS = 3_600_000
SHORT, LONG, CUTS = 1, 2_500, 30  # bytes that a connection lasts


class Told:
    """What a stream tells, taken as it comes. stream: opened anew."""

    def __init__(self, stream: Stream[AccountNews]) -> None:
        self.stream = stream
        self.events: list[AccountNews] = []
        self.taking: asyncio.Task[None] | None = None

    async def begin(self) -> None:
        self.events.append(await anext(self.stream))
        self.taking = asyncio.create_task(self._take())

    async def _take(self) -> None:
        async for event in self.stream:
            self.events.append(event)

    async def all(self, position: str) -> list[AccountNews]:
        """Returns what was told by when all up to the position was."""
        await until(lambda: self.stream.last_id == position, "the stream has told all")
        assert self.taking
        self.taking.cancel()
        await asyncio.wait({self.taking})
        await self.stream.aclose()
        return self.events


async def position(client: Client) -> str:
    """Returns where all that the account follows stands."""
    return (await client.balance()).as_of.position


def plain(events: Iterable[AccountNews]) -> list[tuple[str, int, Any]]:
    """Returns the events topic by topic, apart from where the other topics stood, which depends on the hour."""
    letter = {"order": "o", "account": "o", "balance": "b", "position": "p"}
    found: list[tuple[str, int, Any]] = []
    for event in events:
        assert event.event in letter, event
        said = event.model_dump(exclude={"data": {"as_of"}})
        own = [place for place in said["id"].split(",") if place[0] == letter[event.event]]
        found.append((own[0][0], int(own[0][2:]), said["data"]))
    return sorted(found, key=lambda each: each[:2])


@pytest.mark.parametrize("seed", range(5))
async def test_wherever_it_is_cut_nothing_is_missed_and_nothing_comes_twice(
    ada: Client, line: Line, seed: int
) -> None:
    whole, cut = Told(ada.follow()), Told(ada.follow())
    await whole.begin()
    await cut.begin()
    rng = Random(seed)
    line.lengths = [rng.randint(SHORT, LONG) for _ in range(CUTS)]
    line.streams[-1].cut()
    while line.lengths:
        await ada.place_order("BTC", "buy", notional="10.00")
        await ada.place_order("BTC", "sell", notional="2.00")
    end = await position(ada)
    [first, *events], [second, *others] = await whole.all(end), await cut.all(end)
    assert isinstance(first, SnapshotEvent)
    assert isinstance(second, SnapshotEvent)
    assert plain(events) == plain(others)
    assert len(events) > CUTS


async def test_a_token_that_ends_is_renewed_and_the_stream_goes_on_at_once(
    ada: Client, line: Line, clock: Clock
) -> None:
    late = Client("", http=ada._http, keeper=ada.session.keeper, now=lambda: 0)
    line.retry_ms = NEVER_MS
    async with late.follow("balance") as stream:
        assert isinstance(await anext(stream), SnapshotEvent)
        clock.ms += (TOKEN_LIFE + LEEWAY + 1) * 1000
        going_on = asyncio.create_task(anext(stream))
        await until(lambda: len(line.streams) == 2, "it comes back")
        await late.deposit("1.00")
        event = await going_on
        assert isinstance(event, BalanceEvent)
        assert event.data.total == "1001.00"
    assert line.paths() == ["/stream", "/auth/refresh", "/stream", "/balance/deposit"]


async def test_it_goes_on_after_a_freeze(ada: Client, line: Line, twins: Twins) -> None:
    line.retry_ms = NEVER_MS
    me = await ada.me()
    user = await twins.users.by_id(me.id)
    assert user
    async with ada.follow("account") as stream:
        await anext(stream)
        await twins.sessions.set_role(me.id, "admin")
        await ada.admin.freeze(me.id, "inquiry")
        frozen = await anext(stream)
        assert (frozen.event, frozen.model_dump()["data"]["frozen"]) == ("account", True)
        await ada.admin.unfreeze(me.id, "inquiry")
        free = await anext(stream)
        assert (free.event, free.model_dump()["data"]["frozen"]) == ("account", False)
    assert len(line.streams) == 2


async def test_who_is_logged_out_elsewhere_is_told_so(
    ada: Client, line: Line, twins: Twins
) -> None:
    other = Client("", http=ada._http)
    await other.login(NAME, PASSWORD)
    async with ada.follow() as stream:
        await anext(stream)
        [old] = [one for one in (await other.sessions()).items if not one.current]
        await other.end_session(old.id)
        with pytest.raises(Problem, match="session_revoked"):
            await anext(stream)
    with pytest.raises(Problem, match="authentication_required"):
        await anext(Client("", http=ada._http).follow())


async def test_an_edge_that_lost_its_view_is_waited_for(
    ada: Client, line: Line, twins: Twins
) -> None:
    async with ada.follow("balance") as stream:
        await anext(stream)
        twins.backstage.live.away = True
        going_on = asyncio.create_task(anext(stream))
        await line.told_no.wait()  # after the stream's `error`
        twins.backstage.live.away = False
        await ada.deposit("1.00")
        assert (await going_on).model_dump()["data"]["total"] == "1001.00"


@pytest.mark.parametrize("most", [1, 3, None])
async def test_the_past_is_told_once_and_ends_however_often_it_is_cut(
    ada: Client, line: Line, most: int | None
) -> None:
    for _ in range(3):
        await ada.place_order("BTC", "buy", notional="10.00")
    wanted = [one.id async for one in ada.transactions()][::-1]
    line.lengths = [Random(most).randint(SHORT, LONG) for _ in range(CUTS)]
    async with ada.past(most=most) as stream:
        events = [event async for event in stream]
    assert [event.data.id for event in events if event.event == "transaction"] == wanted
    assert len([event for event in events if event.event == "trade"]) == 3
    await ada.deposit("1.00")
    async with ada.past("transactions", last_id=stream.last_id) as stream:
        assert [event.data.model_dump()["amount"] async for event in stream] == ["1.00"]


async def test_another_process_goes_on_where_one_was(ada: Client, line: Line) -> None:
    async with ada.follow("balance") as stream:
        await anext(stream)
        await ada.deposit("1.00")
        first = await anext(stream)
        line.streams[-1].cut()
    await ada.deposit("2.00")
    async with ada.follow("balance", last_id=stream.last_id) as other:
        second = await anext(other)
    assert [event.model_dump()["data"]["total"] for event in (first, second)] == [
        "1001.00",
        "1003.00",
    ]


async def test_a_position_that_nobody_knows_is_a_reset(ada: Client) -> None:
    async with ada.follow(last_id="of another edge") as stream:
        assert [(await anext(stream)).event for _ in range(2)] == ["reset", "snapshot"]


async def test_who_goes_closes_the_connection(ada: Client, parts: Parts) -> None:
    async with ada.follow() as stream:
        await anext(stream)
        assert parts.streams.hub.count == 1
    assert parts.streams.hub.count == 0
    with pytest.raises(StopAsyncIteration):
        await anext(stream)
    async for _ in ada.follow():
        break
    await until(lambda: parts.streams.hub.count == 0, "what nobody holds is closed")


async def test_prices_are_those_that_were_asked_for(
    ada: Client, line: Line, twins: Twins, clock: Clock
) -> None:
    async with Client("", http=ada._http).prices("BTC") as stream:
        assert [one.id for one in (await anext(stream)).data.items] == ["BTC"]
        line.streams[-1].cut()
        clock.ms += 1_000
        twins.backstage.tick(BTC=61_000_00, DOGE=14_000_000)
        await twins.backstage.fold()
        assert [one.price for one in (await anext(stream)).data.items] == ["61000.00"]
    with pytest.raises(Problem, match="NOSUCH is not listed"):
        await anext(ada.prices("NOSUCH"))


async def test_opening_is_tried_again_as_all_else(ada: Client, line: Line) -> None:
    line.troubles = ["unreachable", "lost", 503, 429]
    async with ada.follow() as stream:
        await anext(stream)
    assert {request.extensions["timeout"]["read"] for request in line.sent} == {SILENCE}
    assert line.paths() == ["/stream"] * 5
    line.troubles = ["unreachable"] * 100
    hasty = Client("", http=ada._http, keeper=ada.session.keeper, patience=0.01)
    with pytest.raises(NoAnswer, match="GET /api/v1/stream at http://edge: refused"):
        await anext(hasty.follow())


class Later(httpx2.AsyncBaseTransport):
    """An edge of a later release. bodies: what it says, one a connection, then a 410; asked: when."""

    def __init__(self, *bodies: bytes) -> None:
        self.bodies = [*bodies]
        self.asked: list[tuple[float, httpx2.Request]] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append((monotonic(), request))
        if not self.bodies:
            return httpx2.Response(httpx2.codes.GONE, request=request)
        return httpx2.Response(httpx2.codes.OK, content=self.bodies.pop(0), request=request)


async def test_what_it_does_not_know_is_passed_over_and_a_pause_is_kept() -> None:
    said = b'retry: 300\n\n: beat\nid: m:1\n\nid: m:2\nevent: halted\ndata: {"items":"all"}\n\n'
    edge = Later(said, b'event: prices\nid: m:3\ndata: {"items":[')
    async with httpx2.AsyncClient(transport=edge, base_url="http://edge") as http:
        with pytest.raises(Problem, match="410 unknown"):
            await anext(Client("", http=http).prices())
    assert [request.headers.get("last-event-id") for _, request in edge.asked] == [
        None,
        "m:2",
        "m:2",
    ]
    assert {request.url.path for _, request in edge.asked} == {f"{BASE}/market/stream"}
    times = [time for time, _ in edge.asked]
    assert all(later - time >= 0.3 for time, later in pairwise(times))
