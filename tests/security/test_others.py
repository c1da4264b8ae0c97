"""Another's thing looks like no thing: row 26 of the security table. Every way to name one, of every route."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx2
import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import iter_route_contexts

from gateway.app import create_app, routed
from gateway.deps import Parts
from gateway.route import EdgeRoute
from tests.gateway.conftest import Twins
from tests.gateway.listener import listening

from .conftest import BASE, Client, registered, session
from .forging import ends

NAMES = re.compile(r"(^|_)id$|^username$|^session$|^cursor$|^Last-Event-ID$|^channels$")
"""What by its name stands for a thing."""
OF_ALL: Mapping[str, str] = {
    "asset_id": "what is listed is everybody's; what an account has of it is looked up under the account",
    "channels": "names kinds of the account's own things",
}
Way = Callable[["Things"], tuple[str, str]]


@dataclass(frozen=True)
class Things:
    """What B has."""

    account: str
    order: str
    session: str
    cursors: Mapping[str, str]
    event: str


def path_of(template: str, thing: Callable[[Things], str], other: Callable[[], str]) -> Way:
    return lambda things: (template.format(thing(things)), template.format(other()))


def uuid() -> str:
    return str(uuid4())


def ordered(template: str) -> Way:
    return path_of(template, lambda things: things.order, uuid)


def about(template: str) -> Way:
    return path_of(template, lambda things: things.account, uuid)


def cursor(path: str) -> Way:
    def pages(things: Things) -> tuple[str, str]:
        theirs = things.cursors[path]
        other = theirs[:-4] + ("AAAA" if theirs[-4:] != "AAAA" else "BBBB")
        joint = "&" if "?" in path else "?"
        return f"{path}{joint}cursor={theirs}", f"{path}{joint}cursor={other}"

    return pages


FILTER = ordered("/trades?order_id={}")
WAYS: Mapping[tuple[str, str], tuple[int, Way]] = {
    ("GET /orders/{order_id}", "order_id"): (404, ordered("/orders/{}")),
    ("GET /orders/{order_id}/timeline", "order_id"): (404, ordered("/orders/{}/timeline")),
    ("GET /orders/by-client-id/{client_order_id}", "client_order_id"): (
        404,
        lambda _: ("/orders/by-client-id/theirs", "/orders/by-client-id/nobodys"),
    ),
    ("GET /portfolio/{username}", "username"): (
        404,
        lambda _: ("/portfolio/eve", "/portfolio/nobody"),
    ),
    ("DELETE /auth/sessions/{session}", "session"): (
        404,
        path_of("/auth/sessions/{}", lambda things: things.session, lambda: uuid4().hex),
    ),
    ("GET /trades", "order_id"): (200, FILTER),
    ("GET /orders", "cursor"): (400, cursor("/orders")),
    ("GET /trades", "cursor"): (400, cursor("/trades")),
    ("GET /balance/transactions", "cursor"): (400, cursor("/balance/transactions")),
    ("GET /assets/{asset_id}/transactions", "cursor"): (400, cursor("/assets/BTC/transactions")),
    ("GET /admin/users", "cursor"): (403, cursor("/admin/users")),
    ("GET /admin/audit", "cursor"): (403, about("/admin/audit?account_id={}&cursor=AAAA")),
    ("GET /admin/audit", "account_id"): (403, about("/admin/audit?account_id={}")),
    ("GET /admin/users/{account_id}", "account_id"): (403, about("/admin/users/{}")),
    ("POST /admin/users/{account_id}/freeze", "account_id"): (403, about("/admin/users/{}/freeze")),
    ("POST /admin/users/{account_id}/unfreeze", "account_id"): (
        403,
        about("/admin/users/{}/unfreeze"),
    ),
    ("PUT /admin/users/{account_id}/role", "account_id"): (403, about("/admin/users/{}/role")),
}
"""By route and parameter: the status with which A is answered, and B's thing and one that there isn't."""
EVERYBODY_S = {
    ("GET /docs/assets/{name}", "name"),
    ("GET /inventory/assets", "cursor"),
    ("GET /market/stream", "Last-Event-ID"),
}
"""What they lead to is the same for all."""
RESUMED = {("GET /stream", "Last-Event-ID"), ("GET /stream/past", "Last-Event-ID")}
"""Have tests of their own: what a stream answers is no document."""


def named(dependant: Dependant) -> Iterator[str]:
    """Yields the parameters of a route that stand for things."""
    for each in (*dependant.path_params, *dependant.query_params, *dependant.header_params):
        if NAMES.search(each.alias) or each in dependant.path_params:
            yield each.alias
    for one in dependant.dependencies:
        yield from named(one)


def ways() -> set[tuple[str, str]]:
    """Returns every route's ways to name a thing that may be somebody's."""
    return {
        (f"{method} {str(context.path).removeprefix(BASE)}", name)
        for context in iter_route_contexts(routed().routes)
        if isinstance(context.original_route, EdgeRoute)
        for method in context.methods or ()
        for name in named(context.original_route.dependant)
        if name not in OF_ALL
    }


def test_s26_every_way_to_name_a_thing_is_tried() -> None:
    assert ways() == {*WAYS, *EVERYBODY_S, *RESUMED}


@pytest.fixture
async def eve(client: Client, parts: Parts, twins: Twins) -> Things:
    """Returns what Eve has: money, trades, two sessions, cursors to all of it, and where her stream stood."""
    account = await registered(client, "eve")
    await registered(client, "zoe")
    headers = await session(client, "eve")
    await session(client, "eve")
    async with listening(create_app(parts), "/stream", headers) as listener:
        event = (await listener.event("snapshot")).id
    for _ in range(2):
        answer = await client.post(
            f"{BASE}/balance/deposit", headers=headers, json={"amount": "90.00"}
        )
        assert answer.status_code == 201
    for name in ("theirs", "others"):
        body = {"asset_id": "BTC", "side": "buy", "notional": "20.00", "client_order_id": name}
        placed = await client.post(f"{BASE}/orders", headers=headers, json=body)
        assert placed.status_code == 201
    order = (await client.get(f"{BASE}/orders/by-client-id/theirs", headers=headers)).json()["id"]
    sessions = (await client.get(f"{BASE}/auth/sessions", headers=headers)).json()["items"]
    twins.users.items[account]["role"] = {"S": "admin"}
    root = await session(client, "eve")
    paths = [path for _, path in lists()]
    cursors = {
        path: (await client.get(f"{BASE}{path}?limit=1", headers=root)).json()["next_cursor"]
        for path in paths
    }
    twins.users.items[account]["role"] = {"S": "customer"}
    return Things(account, order, sessions[-1]["id"], cursors, event)


def lists() -> Iterator[tuple[str, str]]:
    for route in ("/orders", "/trades", "/balance/transactions", "/assets/BTC/transactions"):
        yield "customer", route
    yield "admin", "/admin/users"


def body_of(route: str) -> dict[str, str] | None:
    if route.startswith("PUT"):
        return {"role": "customer"}
    return {"reason": "inquiry"} if route.startswith("POST") else None


def seen(answer: httpx2.Response) -> tuple[int, Any, list[tuple[str, str]]]:
    """Returns all that a client sees of an answer, but for what is each request's own."""
    own = {"x-request-id", "ratelimit", "x-ratelimit-remaining", "x-ratelimit-reset"}
    headers = [each for each in answer.headers.multi_items() if each[0] not in own]
    return answer.status_code, answer.json() | {"request_id": ""}, headers


@pytest.mark.parametrize(("route", "name"), WAYS, ids=lambda each: each)
async def test_s26_another_s_thing_looks_like_no_thing(
    client: Client, twins: Twins, eve: Things, route: str, name: str
) -> None:
    await registered(client)
    ada, before = await session(client), ends(twins)
    status, way = WAYS[route, name]
    answers = []
    for path in way(eve):
        method = route.partition(" ")[0]
        answers.append(
            await client.request(method, f"{BASE}{path}", headers=ada, json=body_of(route))
        )
    theirs, nobody_s = map(seen, answers)
    assert theirs == nobody_s
    assert theirs[0] == status
    assert "items" not in theirs[1] or theirs[1]["items"] == []
    assert ends(twins) == before
    assert not any(each in answers[0].text for each in (eve.account, eve.session))


@pytest.mark.parametrize(
    "path", ["/balance", "/assets/balances", "/assets/BTC/balance", "/orders", "/trades"]
)
async def test_s26_what_is_one_s_own_is_empty_whatever_others_have(
    client: Client, eve: Things, path: str
) -> None:
    await registered(client)
    shown = (await client.get(f"{BASE}{path}", headers=await session(client))).json()
    amounts = [shown[name] for name in ("available", "total", "quantity") if name in shown]
    assert shown.get("items", []) == []
    assert all(set(amount) <= set("0.") for amount in amounts)
    assert amounts or "items" in shown


@pytest.mark.parametrize("name", ["balance,orders,positions", "balance"])
async def test_s26_a_stream_goes_on_from_nobody_else_s_place(
    client: Client, parts: Parts, eve: Things, name: str
) -> None:
    """From where Eve's stood before she had anything, there is nothing for Ada; from nowhere, what Ada has."""
    await registered(client)
    ada, app = await session(client), create_app(parts)
    for n, last_id in enumerate((eve.event, "o:999,b:999,p:999"), 1):
        async with listening(app, f"/stream?channels={name}", ada, last_id) as listener:
            if last_id != eve.event:
                await listener.event("reset")
                snapshot = (await listener.event("snapshot")).data
                assert snapshot["balance"]["total"] == "1.00"
                assert not snapshot["orders"]
                assert not snapshot["positions"]
            await client.post(f"{BASE}/balance/deposit", headers=ada, json={"amount": "1.00"})
            assert (await listener.event("balance")).data["total"] == f"{n}.00"
            assert listener.waiting() == []
