"""/market/stream on twins: the newest price of each asset, to however many."""

import asyncio
from dataclasses import replace

import httpx2
import pytest

from gateway.app import create_app
from gateway.catalogue import Catalogue
from gateway.deps import Parts
from gateway.streaming import MOST_PUBLIC
from gateway.ticker import Ticker
from infra.views.port import View
from ops.client.sse import Event, Parser
from tests.gateway.backstage import Backstage
from tests.gateway.listener import listening

from .conftest import Twins

STREAM = "/market/stream"


@pytest.fixture
def backstage(twins: Twins) -> Backstage:
    return twins.backstage


def prices(event: Event) -> dict[str, str]:
    return {item["id"]: item["price"] for item in event.data["items"]}


def prices_of(parts: Parts) -> dict[str, str]:
    (event,) = Parser().feed(Ticker(parts.catalogue).since(0, None))
    return prices(event)


async def tick(backstage: Backstage, **told: int) -> None:
    backstage.tick(**told)
    await backstage.fold()


async def test_every_price_comes_first_and_then_what_is_told(
    parts: Parts, client: httpx2.AsyncClient, backstage: Backstage
) -> None:
    assets = (await client.get("/api/v1/inventory/assets")).json()
    async with listening(create_app(parts), STREAM, {}) as listener:
        event = await listener.event("prices")
        assert prices(event) == {asset["id"]: asset["price"] for asset in assets["items"]}
        assert event.id == event.data["as_of"]["position"] == assets["as_of"]["position"]
        await tick(backstage, BTC=70_000_00, DOGE=4_000_00)
        event = await listener.event("prices")
        assert set(prices(event)) == {"BTC", "DOGE"}
        await tick(backstage, DOGE=4_001_00)
        event = await listener.event("prices")
        listed = (await client.get("/api/v1/inventory/assets/DOGE")).json()
        (item,) = event.data["items"]
        same = ("id", "price", "price_time", "price_position")
        assert item == {name: listed[name] for name in same}


async def test_who_reads_slowly_gets_the_newest_alone(parts: Parts, backstage: Backstage) -> None:
    async with listening(create_app(parts), STREAM, {}) as listener:
        await listener.event("prices")
        listener.reading.clear()
        for cents in range(10):
            await tick(backstage, BTC=70_000_00 + cents)
            await parts.catalogue.look()
        listener.reading.set()
        told = [prices(await listener.event("prices"))]
        while told[-1] != {"BTC": prices_of(parts)["BTC"]}:
            told.append(prices(await listener.event("prices")))
        assert len(told) <= 3


async def test_no_client_gets_more_than_four_frames_a_second(
    parts: Parts, backstage: Backstage
) -> None:
    loop = asyncio.get_running_loop()
    async with listening(create_app(parts), STREAM, {}) as listener:
        begun = loop.time()
        for cents in range(4):
            await listener.event("prices")
            await tick(backstage, BTC=70_000_00 + cents)
        await listener.event("prices")
        assert loop.time() - begun >= 1


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("m:1", {"BTC"}),
        ("m:0", {"BTC", "DOGE"}),
        ("m:900", {"BTC", "DOGE"}),
        ("garbage", {"BTC", "DOGE"}),
        ("b:1,o:1,p:1", {"BTC", "DOGE"}),
    ],
)
async def test_it_goes_on_with_what_is_newer(
    parts: Parts, backstage: Backstage, said: str, told: set[str]
) -> None:
    await tick(backstage, BTC=70_000_00)
    await parts.catalogue.look()
    async with listening(create_app(parts), STREAM, {}, said) as listener:
        assert set(prices(await listener.event("prices"))) == told


async def test_assets_are_chosen(
    parts: Parts, client: httpx2.AsyncClient, backstage: Backstage
) -> None:
    async with listening(create_app(parts), f"{STREAM}?assets=BTC", {}) as listener:
        assert set(prices(await listener.event("prices"))) == {"BTC"}
        await tick(backstage, DOGE=4_000_00)
        await tick(backstage, BTC=70_000_00, DOGE=4_001_00)
        assert set(prices(await listener.event("prices"))) == {"BTC"}
    for wrong in ("btc", "BTC,", "NONE", "BTC;DOGE"):
        answer = await client.get(f"/api/v1{STREAM}", params={"assets": wrong})
        assert answer.status_code == 422, wrong


async def test_a_frame_is_made_once_for_all_at_a_position(parts: Parts) -> None:
    ticker = parts.streams.ticker
    assert ticker.since(0, None) is ticker.since(0, None)


async def test_it_gives_signs_of_life(parts: Parts) -> None:
    async with listening(create_app(parts), STREAM, {}) as listener:
        event = await listener.event("prices")
        await asyncio.sleep(1.1)
        assert listener.parser.beats
        assert listener.parser.last_id == event.id


async def test_anybody_s_streams_leave_room_for_accounts(
    parts: Parts, client: httpx2.AsyncClient
) -> None:
    hub, watching = parts.streams.hub, object()
    for _ in range(MOST_PUBLIC):
        hub.admit(watching, None)  # type: ignore[arg-type]
    answer = await client.get(f"/api/v1{STREAM}")
    assert (answer.status_code, answer.json()["code"]) == (503, "overloaded")
    assert hub.count < hub.most


async def test_before_the_first_look_there_is_none(
    parts: Parts, client: httpx2.AsyncClient
) -> None:
    blind = Catalogue(View(parts.streams.live))
    streams = parts.streams._replace(ticker=Ticker(blind))
    transport = httpx2.ASGITransport(create_app(replace(parts, streams=streams)))
    async with httpx2.AsyncClient(transport=transport, base_url="http://edge") as made:
        answer = await made.get(f"/api/v1{STREAM}")
    assert (answer.status_code, answer.json()["code"]) == (503, "view_behind")
