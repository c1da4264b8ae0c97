"""Deprecated routes: each answer of theirs says so, and the document does."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import APIRouter, FastAPI

from gateway.deps import PUBLIC, Parts
from gateway.entrance import Entrance
from gateway.openapi import describe
from gateway.problems import Refused
from gateway.retiring import deprecated
from gateway.route import EdgeRoute

TOLD = {
    "deprecation": "@1798761600",
    "sunset": "Fri, 02 Jul 2027 00:00:00 GMT",
    "link": '</api/v2/thing>; rel="successor-version"',
}
HEADERS = set(TOLD)
router = APIRouter(route_class=EdgeRoute, dependencies=[PUBLIC])


@router.get("/old")
@deprecated(since="2027-01-01", sunset="2027-07-02", instead="/api/v2/thing")
async def old(fail: bool = False) -> str:
    if fail:
        raise Refused("not_found", headers={"X-Own": "kept"})
    return "still here"


@router.get("/going")
@deprecated(since="2027-01-01", sunset="2027-07-02")
async def going() -> str:
    return "without a successor"


@router.get("/new")
async def new() -> str:
    return "here to stay"


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx2.AsyncClient]:
    app = FastAPI()
    app.state.parts = parts
    app.router.routes.extend(router.routes)
    transport = httpx2.ASGITransport(Entrance(app))
    async with httpx2.AsyncClient(transport=transport, base_url="http://edge") as made:
        yield made


@pytest.mark.parametrize(
    ("query", "status"), [("", 200), ("?fail=true", 404), ("?fail=x", 422)], ids=str
)
async def test_every_answer_says_until_when_the_route_works(
    client: httpx2.AsyncClient, query: str, status: int
) -> None:
    answer = await client.get(f"/old{query}")
    assert answer.status_code == status
    assert {name: answer.headers[name] for name in TOLD} == TOLD
    assert answer.headers.get("x-own") == ("kept" if status == 404 else None)


async def test_one_without_a_successor_names_none(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/going")
    assert HEADERS & answer.headers.keys() == {"deprecation", "sunset"}


async def test_what_stays_says_nothing(client: httpx2.AsyncClient) -> None:
    assert not HEADERS & (await client.get("/new")).headers.keys()


def test_the_document_marks_it() -> None:
    app = FastAPI()
    app.router.routes.extend(router.routes)
    paths = describe(app)["paths"]
    assert {path: paths[path]["get"].get("deprecated", False) for path in paths} == {
        "/old": True,
        "/going": True,
        "/new": False,
    }


def test_clients_are_given_half_a_year() -> None:
    deprecated(since="2027-01-01", sunset="2027-06-30")
    with pytest.raises(ValueError, match="180 days"):
        deprecated(since="2027-01-01", sunset="2027-06-29")
