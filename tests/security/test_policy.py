"""Who may call what: rows 24 and 25 of the security table. Every route, as everybody."""

from pathlib import Path
from typing import Any

import httpx2
import pytest
import yaml
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from starlette.types import ASGIApp

from gateway.app import create_app, require_policies, routed
from gateway.auth import LEEWAY, TOKEN_LIFE
from gateway.deps import PUBLIC, Customer, Parts
from gateway.route import EdgeRoute, Unguarded
from tests.gateway.conftest import Twins
from tests.gateway.listener import listening

from .conftest import BASE, Client, registered, session

TABLE: dict[str, list[str]] = yaml.safe_load(Path(__file__).with_name("policy.yaml").read_text())
ROUTES = [(policy, route) for policy, routes in TABLE.items() for route in routes]
CALLERS = ("anon", "customer", "frozen", "admin", "expired", "revoked")
REFRESH = "POST /api/v1/auth/refresh"
"""Anybody may call it, with a token of its own."""
UUID = "018f0000-0000-7000-8000-000000000000"
EXAMPLES = {
    "session": "0" * 32,
    "order_id": UUID,
    "account_id": UUID,
    "client_order_id": "mine",
    "asset_id": "BTC",
    "name": "favicon.png",
    "username": "nobody",
}
MAY = {
    "public": CALLERS,
    "customer": ("customer", "frozen", "admin"),
    "admin": ("admin",),
}
REFUSED = {
    "anon": (401, "authentication_required"),
    "expired": (401, "token_expired"),
    "revoked": (401, "session_revoked"),
    "customer": (403, "forbidden"),
    "frozen": (403, "forbidden"),
}


def test_s24_the_table_is_the_code_s() -> None:
    declared = {
        f"{method} {context.path}": context.original_route.policy
        for context in iter_route_contexts(routed().routes)
        if isinstance(context.original_route, EdgeRoute)
        for method in context.methods or ()
        if method != "HEAD"
    }
    assert {route: policy for policy, route in ROUTES} == declared


def test_s24_a_route_without_a_policy_stops_the_start() -> None:
    router = APIRouter(route_class=EdgeRoute)

    async def open_to_all() -> None: ...

    async def both(account: Customer) -> None: ...

    with pytest.raises(Unguarded, match="/open"):
        router.get("/open")(open_to_all)
    with pytest.raises(Unguarded, match="/both"):
        router.get("/both", dependencies=[PUBLIC])(both)
    router.get("/known", dependencies=[PUBLIC])(open_to_all)


def test_s24_a_route_of_another_kind_stops_the_start() -> None:
    app = routed()
    plain = APIRouter()
    plain.get("/plain")(lambda: None)
    app.include_router(plain, prefix="/api")
    with pytest.raises(Unguarded, match="/api/plain"):
        require_policies(app)
    app = routed()
    app.mount("/inner", FastAPI())
    with pytest.raises(Unguarded, match="/inner"):
        require_policies(app)
    with pytest.raises(Unguarded, match="/openapi"):
        require_policies(FastAPI())


@pytest.mark.parametrize("caller", CALLERS)
async def test_s25_every_route_lets_in_whom_it_must_and_nobody_else(
    client: Client, parts: Parts, twins: Twins, caller: str
) -> None:
    cells, app = 0, create_app(parts)
    for policy, route in ROUTES:
        headers = await headers_of(client, twins, caller)
        before = len(twins.backstage.commands())
        method, path = route.split(" ")
        body: dict[str, str] | None = {} if method in ("POST", "PUT", "PATCH") else None
        answer = await ask(client, app, method, path.format(**EXAMPLES), headers=headers, json=body)
        if caller in MAY[policy]:
            closed = {403, 405, 500} if route == REFRESH else {401, 403, 405, 500}
            assert answer.status_code not in closed, (route, answer.text)
        else:
            assert (answer.status_code, answer.json()["code"]) == REFUSED[caller], route
            challenged = "WWW-Authenticate" in answer.headers
            assert challenged == (answer.status_code == 401)
        assert len(twins.backstage.commands()) == before  # an empty body asks for nothing
        cells += 1
    assert cells == len(ROUTES)


async def ask(client: Client, app: ASGIApp, method: str, path: str, **more: Any) -> httpx2.Response:
    """Returns the answer; of a stream, which does not end by itself, its beginning."""
    if not path.endswith("/stream"):
        return await client.request(method, path, **more)
    async with listening(app, path.removeprefix(BASE), more["headers"]) as listener:
        await listener.begun.wait()
    return httpx2.Response(listener.status, headers=listener.headers, content=listener.body)


async def headers_of(client: Client, twins: Twins, caller: str) -> dict[str, str]:
    """Returns what such a caller sends, with a session that no other route has ended."""
    if caller == "anon":
        return {}
    name = "root" if caller == "admin" else "ada"
    if name not in twins.users.names:
        account_id = await registered(client, name)
        if caller == "admin":
            twins.users.items[account_id]["role"] = {"S": "admin"}
        if caller == "frozen":
            await freeze(client, twins, account_id)
    headers = await session(client, name)
    if caller == "expired":
        twins.clock.ms += (TOKEN_LIFE + LEEWAY) * 1000 + 1
    if caller == "revoked":
        assert (await client.post(f"{BASE}/auth/logout", headers=headers)).status_code == 204
    return headers


async def freeze(client: Client, twins: Twins, account_id: str) -> None:
    root = await registered(client, "root")
    twins.users.items[root]["role"] = {"S": "admin"}
    answer = await client.post(
        f"{BASE}/admin/users/{account_id}/freeze",
        headers=await session(client, "root"),
        json={"reason": "inquiry"},
    )
    assert answer.status_code == 200
