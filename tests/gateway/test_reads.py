"""What holds for every read that says of which moment it is: its tag, how new it is, how it may be asked."""

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
from fastapi import APIRouter
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel

from gateway.app import routed
from gateway.as_of import AsOfView
from gateway.deps import PUBLIC, Parts
from gateway.openapi import describe
from gateway.read_route import ReadRoute, Timeless, has
from gateway.route import EdgeRoute
from gateway.routes.balance import Amount
from gateway.wanted import Unserved
from tests.gateway.backstage import Backstage
from tests.gateway.conftest import ADA, Twins
from tests.gateway.routes.conftest import BASE, Customer, join, refusal

TAG = re.compile(r'W/"[0-9a-f]{24}"')
OF_ACCOUNT = (
    *("/balance", "/balance/transactions", "/orders", "/trades", "/portfolio/ada"),
    *("/assets/balances", "/assets/BTC/balance", "/assets/BTC/transactions"),
    *("/orders/ORDER", "/orders/by-client-id/mine", "/orders/ORDER/timeline"),
)
OF_ADMINS = ("/admin/audit",)  # tests/security/test_admin.py reads it
OF_MARKET = ("/inventory/assets", "/inventory/assets/BTC")


@pytest.fixture
async def customer(client: httpx2.AsyncClient) -> Customer:
    """Returns somebody who has bought something."""
    joined = await join(client, ADA)
    await joined.deposit("1000.00")
    await joined.order("buy", quantity="0.01", client_order_id="mine")
    return joined


@pytest.fixture
def backstage(twins: Twins) -> Backstage:
    return twins.backstage


async def ask(customer: Customer, path: str, **headers: str) -> httpx2.Response:
    """Returns the answer to a GET. ORDER in the path: the customer's newest."""
    if "ORDER" in path:
        path = path.replace("ORDER", (await customer.get("/orders"))["items"][0]["id"])
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return await customer.client.get(BASE + path, headers=customer.headers | named)


def shown() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields each GET of the document whose answer has a moment, by its path."""
    document = describe(routed())
    for path, operations in document["paths"].items():
        answer = operations.get("get", {}).get("responses", {}).get("200", {})
        schema = answer.get("content", {}).get("application/json", {}).get("schema", {})
        model = document["components"]["schemas"].get(schema.get("$ref", "").split("/")[-1], {})
        if "as_of" in model.get("properties", ()):
            yield path, operations["get"]


def test_every_answer_with_a_moment_is_a_read() -> None:
    routes = {c.path: c.original_route for c in iter_route_contexts(routed().routes)}
    reads = {path for path, route in routes.items() if isinstance(route, ReadRoute)}
    assert {path for path, _ in shown()} == reads
    assert len(reads) == len(OF_ACCOUNT) + len(OF_MARKET) + len(OF_ADMINS)


def test_the_document_says_how_a_read_is_asked() -> None:
    for path, operation in shown():
        names = {parameter["name"] for parameter in operation["parameters"]}
        assert {"If-None-Match", "min_position", "Prefer"} <= names, path
        assert "304" in operation["responses"], path
        assert "ETag" in operation["responses"]["200"]["headers"], path


@pytest.mark.parametrize("path", [*OF_ACCOUNT, *OF_MARKET])
async def test_who_has_it_already_is_told_no_more(customer: Customer, path: str) -> None:
    first = await ask(customer, path)
    assert first.status_code == 200
    assert first.headers["content-type"] == "application/json"
    assert list(first.json())[-1] in ("as_of", "prices_as_of")
    tag = first.headers["etag"]
    assert TAG.fullmatch(tag)
    again = await ask(customer, path, If_None_Match=tag)
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert "content-length" not in again.headers
    other = await ask(customer, path, If_None_Match='"another"')
    assert (other.status_code, other.json()) == (200, first.json())


async def test_a_tag_is_of_what_is_shown_and_not_of_when(
    customer: Customer, other: Customer, twins: Twins
) -> None:
    before = await ask(customer, "/balance")
    twins.clock.ms += 1
    await other.deposit("5.00")  # moves the position of the view that both live in
    again = await ask(customer, "/balance")
    assert again.json()["as_of"] != before.json()["as_of"]
    assert again.headers["etag"] == before.headers["etag"]
    await customer.deposit("1.00")
    assert (await ask(customer, "/balance")).headers["etag"] != before.headers["etag"]


@pytest.fixture
async def other(client: httpx2.AsyncClient) -> Customer:
    return await join(client, ADA | {"username": "eve", "email": "eve@example.org"})


@pytest.mark.parametrize(
    ("header", "having"),
    [
        (None, False),
        ("", False),
        ('W/"a"', True),
        ('"a"', True),
        ('"b", W/"a"', True),
        ("*", True),
        ('"aa"', False),
        ("a", False),
    ],
)
def test_tags_are_compared_weakly(header: str | None, *, having: bool) -> None:
    assert has(header, 'W/"a"') is having


@pytest.mark.parametrize("path", OF_ACCOUNT)
async def test_a_view_that_has_come_that_far_answers_at_once(customer: Customer, path: str) -> None:
    there = (await customer.get("/balance"))["as_of"]["position"]
    for position in (there, *there.split(","), "b:0", "p:0,o:1"):
        answer = await ask(customer, f"{path}?min_position={position}", Prefer="wait=0")
        assert answer.status_code == 200, answer.text
        assert answer.headers["preference-applied"] == "wait=0"


@pytest.mark.parametrize("path", [*OF_ACCOUNT, *OF_MARKET])
async def test_one_that_has_not_is_behind(customer: Customer, path: str) -> None:
    letter = "m" if path in OF_MARKET else "b"
    answer = await ask(customer, f"{path}?min_position={letter}:999", Prefer="wait=0")
    assert refusal(answer) == (503, "view_behind")
    assert answer.headers["retry-after"] == "1"


async def test_a_reader_is_woken_when_the_view_has_come_that_far(
    customer: Customer, backstage: Backstage
) -> None:
    backstage.live.late = True
    await customer.post("/balance/deposit", {"amount": "5.00"}, Prefer="wait=0")
    await backstage.settle()
    asked = asyncio.create_task(ask(customer, "/balance?min_position=b:5", Prefer="wait=30"))
    await asyncio.sleep(0)
    assert (await customer.get("/balance"))["total"] == "399.40"
    await backstage.resume()
    answer = await asyncio.wait_for(asked, 5)
    assert (answer.json()["total"], answer.headers["preference-applied"]) == ("404.40", "wait=30")


async def test_a_reader_of_prices_is_woken_too(
    customer: Customer, parts: Parts, backstage: Backstage
) -> None:
    backstage.tick(BTC=6_100_000)
    await backstage.fold()
    path = "/inventory/assets/BTC?min_position=m:2"
    asked = asyncio.create_task(ask(customer, path, Prefer="wait=30"))
    await asyncio.sleep(0)
    await parts.catalogue.look()
    answer = await asyncio.wait_for(asked, 5)
    assert answer.json()["price"] == "61000.00"


@pytest.mark.parametrize(
    "position",
    ["", "x", "b", "b:", "b:-1", "b:1.5", "b:1,", "m:1", "b:1 ", "b:1,b:2", "b:" + "9" * 16, "b=1"],
)
async def test_a_position_is_checked(customer: Customer, position: str) -> None:
    for path in ("/balance", "/orders"):
        assert await customer.refused(path, min_position=position) == (422, "validation_failed")
    refused = await customer.refused("/inventory/assets", min_position="b:1")
    assert refused == (422, "validation_failed")


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/v1/orders"),
        ("GET", "/api/v1/balance"),
        ("GET", "/api/v1/inventory/assets"),
        ("POST", "/api/v1/orders"),
        ("POST", "/api/v1/auth/login"),
        ("GET", "/api/v1/auth/me"),
        ("GET", "/health"),
        ("GET", "/openapi.json"),
    ],
)
async def test_a_parameter_is_given_once(customer: Customer, method: str, path: str) -> None:
    for query in ("limit=1&limit=2", "limit=1&limit=1", "a=&a=", "a&a", "%61=1&a=2"):
        answer = await customer.client.request(
            method,
            f"{path}?{query}",
            headers=customer.headers,
            json={} if method == "POST" else None,
        )
        assert refusal(answer) == (422, "validation_failed"), query
        (fault,) = answer.json()["errors"]
        assert fault["code"] == "given_twice"


@pytest.mark.parametrize("time", ["0.5", "1732490940", "2026-11-24", "2026-11-24T23:29:00", "now"])
async def test_what_is_no_time_with_an_offset_is_none(customer: Customer, time: str) -> None:
    for name in ("from", "to"):
        answer = await ask(customer, f"/orders?{name}={time}")
        assert refusal(answer) == (422, "validation_failed")
        assert answer.json()["errors"][0]["pointer"] == f"query/{name}"
    assert (await ask(customer, "/orders?from=2026-11-24T23:29:00.5%2B01:00")).status_code == 200


async def test_every_fault_of_a_query_has_its_place(customer: Customer) -> None:
    answer = await ask(customer, "/orders?limit=x&from=yesterday&side=hold")
    faults = {(each["pointer"], each["code"]) for each in answer.json()["errors"]}
    assert faults == {("query/limit", "invalid"), ("query/from", "invalid")}
    answer = await ask(customer, "/orders?side=hold")
    assert [each["pointer"] for each in answer.json()["errors"]] == ["query/side"]


@pytest.mark.parametrize("path", OF_ACCOUNT)
async def test_nobody_reads_without_a_session(client: httpx2.AsyncClient, path: str) -> None:
    for query in ("", "?min_position=x", "?limit=0"):
        assert refusal(await client.get(BASE + path + query)) == (401, "authentication_required")


async def test_a_read_knows_no_other_method(customer: Customer) -> None:
    answer = await customer.client.put(f"{BASE}/trades", headers=customer.headers)
    assert refusal(answer) == (405, "method_not_allowed")
    assert answer.headers["allow"] == "GET"


def test_what_a_read_can_not_be_given_stops_the_start() -> None:
    def waits_in_a_thread() -> None: ...

    async def wants_a_body(body: dict[str, str]) -> None: ...

    for endpoint in (waits_in_a_thread, wants_a_body):
        router = APIRouter(route_class=EdgeRoute, dependencies=[PUBLIC])
        with pytest.raises(Unserved):
            router.add_api_route("/x", endpoint, route_class_override=ReadRoute)


class Early(BaseModel):
    as_of: AsOfView
    name: str


def test_an_answer_that_does_not_end_with_its_moment_stops_the_start() -> None:
    async def early() -> Early:
        raise AssertionError

    async def timeless() -> Amount:
        raise AssertionError

    for endpoint in (early, timeless):
        router = APIRouter(route_class=EdgeRoute, dependencies=[PUBLIC])
        with pytest.raises(Timeless):
            router.add_api_route("/x", endpoint, route_class_override=ReadRoute)
