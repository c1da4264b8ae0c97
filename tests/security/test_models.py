"""What a body may say, and what an answer says: rows 27 and 28 of the security table."""

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts

from events.topics import ORDER_COMMANDS
from gateway.app import routed
from gateway.openapi import describe
from gateway.route import EdgeRoute
from tests.gateway.conftest import ADA, Twins

from .conftest import BASE, Client, bearer, log_in, registered, session
from .forging import ends

INTERNAL = (
    *("id", "account_id", "user_id", "username", "actor", "role", "status", "frozen", "version"),
    *("price", "limit_price", "stop_price", "average_price", "cost", "fee", "hold", "revision"),
    *("filled_quantity", "created_at", "updated_at", "position", "offset", "partition"),
    *("balance", "available", "held", "daily_limit", "max_notional", "fingerprint"),
    *("password_hash", "session_id", "token", "scale", "tradable", "is_admin", "__class__"),
)
"""What the inside knows by these names: no body may bring it, unless its model documents it."""
ORDER = {"asset_id": "BTC", "side": "buy", "type": "market", "notional": "10.00"}
WHY = {"reason": "inquiry"}
BODIES: Mapping[str, Mapping[str, Any]] = {
    "POST /auth/register": ADA | {"username": "new", "email": "new@example.org"},
    "POST /auth/login": {"username": "ada", "password": ADA["password"]},
    "POST /auth/refresh": {"refresh_token": "x.y"},
    "PATCH /auth/me": {"first_name": "Ada"},
    "POST /auth/password": {"current_password": ADA["password"], "password": "another horse"},
    "POST /balance/deposit": {"amount": "1.00"},
    "POST /balance/withdraw": {"amount": "1.00"},
    "POST /orders": ORDER,
    "POST /orders/preview": ORDER,
    "POST /admin/users/{account_id}/freeze": WHY,
    "POST /admin/users/{account_id}/unfreeze": WHY,
    "PUT /admin/users/{account_id}/role": {"role": "admin"},
}
"""A body of each route that takes one; the document says what else it may have."""
DOCUMENT = describe(routed())


def operations() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yields every documented operation by its route."""
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path.removeprefix(BASE)}", operation


def resolved(schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in schema:
        return resolved(DOCUMENT["components"]["schemas"][schema["$ref"].rpartition("/")[2]])
    return schema


def written(operation: Mapping[str, Any]) -> Mapping[str, Any]:
    """Returns what a route's body may have."""
    content = operation["requestBody"]["content"]["application/json"]["schema"]
    properties: Mapping[str, Any] = resolved(content)["properties"]
    return properties


def test_s28_every_body_is_tried() -> None:
    assert {route for route, operation in operations() if "requestBody" in operation} == set(BODIES)
    taking = {
        f"{method} {str(context.path).removeprefix(BASE)}"
        for context in iter_route_contexts(routed().routes)
        if isinstance(context.original_route, EdgeRoute) and context.original_route.body_field
        for method in context.methods or ()
    }
    assert taking == set(BODIES)


@pytest.fixture
async def root(client: Client, twins: Twins) -> dict[str, str]:
    """Returns the headers of an admin, whom every route lets in."""
    account_id = await registered(client)
    twins.users.items[account_id]["role"] = {"S": "admin"}
    return await session(client)


@pytest.mark.parametrize("route", BODIES)
async def test_s28_no_body_brings_what_is_the_inside_s(
    client: Client, twins: Twins, root: dict[str, str], route: str
) -> None:
    method, path = route.format(account_id=twins.users.names["ada"]).split()
    documented = written(dict(operations())[route])
    before, users = ends(twins), str(twins.users.items)
    tried = [field for field in INTERNAL if field not in documented]
    assert len(tried) > len(INTERNAL) - 5
    for field in tried:
        for value in ("admin", "1.00", 1, True, None):
            body = {**BODIES[route], field: value}
            answer = await client.request(method, f"{BASE}{path}", json=body, headers=root)
            assert answer.status_code == 422, (field, answer.text)
            faults = [(one["pointer"], one["code"]) for one in answer.json()["errors"]]
            assert faults == [(f"#/{field}", "unknown_field")]
    assert (ends(twins), str(twins.users.items)) == (before, users)


async def test_s28_nobody_makes_himself_an_admin_by_his_profile(
    client: Client, twins: Twins
) -> None:
    await registered(client)
    ada = await session(client)
    answer = await client.patch(f"{BASE}/auth/me", headers=ada, json={"role": "admin"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "#/role")
    assert (await client.get(f"{BASE}/auth/me", headers=ada)).json()["role"] == "customer"


def strays(schema: Mapping[str, Any], value: Any, at: str = "#") -> Iterator[str]:
    """Yields where the value has a field that the document doesn't know, or lacks one that it must have."""
    schema = resolved(schema)
    if options := schema.get("anyOf"):
        found = [list(strays(each, value, at)) for each in options if fits(resolved(each), value)]
        yield from min(found, key=len, default=[f"{at}: {type(value).__name__}"])
    elif isinstance(value, dict) and "properties" in schema:
        known = schema["properties"]
        yield from (f"{at}/{name}" for name in value.keys() - known.keys())
        yield from (f"{at}/{name} is missing" for name in {*schema["required"]} - value.keys())
        for name in value.keys() & known.keys():
            yield from strays(known[name], value[name], f"{at}/{name}")
    elif isinstance(value, list):
        for n, each in enumerate(value):
            yield from strays(schema["items"], each, f"{at}/{n}")


def fits(schema: Mapping[str, Any], value: Any) -> bool:
    kinds = {str: "string", dict: "object", list: "array", type(None): "null", bool: "boolean"}
    return schema.get("type") == kinds.get(type(value), "integer")


READS = [
    route for route, each in operations() if route.startswith("GET") and "/stream" not in route
]
SECRET = ("argon2", "password", "hash", "fingerprint", "causation")


@pytest.mark.parametrize("route", READS)
async def test_s28_an_answer_has_what_is_documented_and_no_more(
    client: Client, twins: Twins, root: dict[str, str], route: str
) -> None:
    placed = []
    for path, body in (("/balance/deposit", {"amount": "90.00"}), ("/orders", ORDER)):
        answer = await client.post(f"{BASE}{path}", json=body, headers=root)
        assert answer.status_code == 201
        placed.append(answer.json())
    ids = {
        "order_id": placed[1]["id"],
        "account_id": twins.users.names["ada"],
        "asset_id": "BTC",
        "username": "ada",
    }
    path = route.removeprefix("GET ").format(client_order_id="mine", **ids)
    if "client_order_id" in route:
        named = await client.post(
            f"{BASE}/orders", json=ORDER | {"client_order_id": "mine"}, headers=root
        )
        assert not list(strays(schema_of("POST /orders", "201"), named.json()))
    query = f"?account_id={ids['account_id']}" if path == "/admin/audit" else ""
    base = "" if path.startswith("/health") else BASE
    answer = await client.get(f"{base}{path}{query}", headers=root)
    assert answer.status_code == 200
    assert not list(strays(schema_of(route, "200"), answer.json()))
    secrets = [each for each in SECRET if each in answer.text.replace("password_changed", "")]
    assert not secrets


def schema_of(route: str, status: str) -> Mapping[str, Any]:
    content = dict(operations())[route]["responses"][status]["content"]
    schema: Mapping[str, Any] = content["application/json"]["schema"]
    return schema


async def test_s28_who_logs_in_is_told_what_is_documented(client: Client) -> None:
    await registered(client)
    answer = await log_in(client)
    assert not list(strays(schema_of("POST /auth/login", "200"), answer.json()))
    planted = answer.json() | {"password_hash": "x"}
    assert list(strays(schema_of("POST /auth/login", "200"), planted)) == ["#/password_hash"]


@pytest.mark.parametrize("field", ["account_id", "user_id", "username", "account", "sub"])
async def test_s27_no_body_says_whose_order_it_is(client: Client, twins: Twins, field: str) -> None:
    await registered(client)
    eve = await registered(client, "eve")
    ada, before = await session(client), ends(twins)
    for path, body in (("/orders", ORDER), ("/balance/withdraw", {"amount": "1.00"})):
        for value in (eve, "eve"):
            given = body | {field: value}
            answer = await client.post(f"{BASE}{path}", headers=ada, json=given)
            assert answer.status_code == 422
            assert [(one["pointer"], one["code"]) for one in answer.json()["errors"]] == [
                (f"#/{field}", "unknown_field")
            ]
    assert ends(twins) == before


async def test_s27_nor_does_a_header_or_the_query(client: Client, twins: Twins) -> None:
    mine, eve = await registered(client), await registered(client, "eve")
    pair = (await log_in(client)).json()
    told = dict.fromkeys(("X-User-ID", "X-Account-ID", "X-Forwarded-User", "Remote-User"), eve)
    told |= {"X-Original-URL": f"{BASE}/admin/users", "From": "eve@example.org"}
    headers = bearer(pair["access_token"]) | told
    paid = await client.post(f"{BASE}/balance/deposit", headers=headers, json={"amount": "90.00"})
    query = f"?account_id={eve}&user_id={eve}&username=eve"
    placed = await client.post(f"{BASE}/orders{query}", headers=headers, json=ORDER)
    assert (paid.status_code, placed.status_code) == (201, 201)
    assert {command.account_id for command in twins.backstage.commands()} == {mine}
    assert len(twins.backstage.log[ORDER_COMMANDS.name]) == 1
    assert (await client.get(f"{BASE}/auth/me{query}", headers=headers)).json()["id"] == mine
    held = await client.get(f"{BASE}/balance{query}", headers=await session(client, "eve"))
    assert held.json()["total"] == "0.00"
