"""What the public port does not have: row 32 of the security table."""

from dataclasses import replace
from typing import Any

import pytest
from pydantic import ValidationError

from gateway.app import door
from gateway.deps import Parts
from gateway.settings import GatewaySettings
from tests.gateway.conftest import Twins

from .conftest import BASE, Client, calling, registered, session

SECRET: dict[str, Any] = {"env": "production", "cursor_key": "c" * 32}
DOCS = ("/docs", "/redoc", "/openapi.json", "/asyncapi")
ADMIN = (
    ("GET", "/admin/users"),
    ("GET", "/admin/users/{}"),
    ("GET", "/admin/audit?account_id={}"),
    ("POST", "/admin/users/{}/freeze"),
    ("POST", "/admin/users/{}/unfreeze"),
    ("PUT", "/admin/users/{}/role"),
)


def outside(parts: Parts, settings: GatewaySettings) -> Client:
    """Returns a client of the public port of a gateway that is told this, but with as many requests as a test needs."""
    told = door(settings)
    return calling(replace(parts, door=replace(parts.door, docs=told.docs, admin=told.admin)))


async def headers_of_root(client: Client, twins: Twins) -> tuple[str, dict[str, str]]:
    account_id = await registered(client, "root")
    twins.users.items[account_id]["role"] = {"S": "admin"}
    return account_id, await session(client, "root")


async def test_s32_production_shows_neither_documents_nor_admin_nor_metrics(
    parts: Parts, twins: Twins
) -> None:
    async with outside(parts, GatewaySettings(**SECRET)) as client:
        account_id, root = await headers_of_root(client, twins)
        nowhere = await client.get(f"{BASE}/nowhere", headers=root)
        paths = [("GET", path) for path in (*DOCS, "/metrics", "/admin", f"{BASE}/admin")]
        paths += [(method, BASE + path.format(account_id)) for method, path in ADMIN]
        for headers in (root, {}):
            for method, path in paths:
                for spelled in (path, path.replace("?", "/?") if "?" in path else f"{path}/"):
                    body = {"reason": "x"} if method == "POST" else None
                    answer = await client.request(method, spelled, headers=headers, json=body)
                    assert answer.status_code == 404, (method, spelled)
                    own = {"request_id": ""}
                    assert answer.json() | own == nowhere.json() | own
        assert (await client.get("/health")).status_code == 200
        assert (await client.get(f"{BASE}/balance", headers=root)).status_code == 200


async def test_s32_admin_is_there_if_production_says_so(parts: Parts, twins: Twins) -> None:
    async with outside(parts, GatewaySettings(**SECRET, admin=True)) as client:
        _, root = await headers_of_root(client, twins)
        await registered(client)
        assert (await client.get(f"{BASE}/admin/users", headers=root)).status_code == 200
        refused = await client.get(f"{BASE}/admin/users", headers=await session(client))
        assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
        assert (await client.get("/docs")).status_code == 404


async def test_s32_development_shows_all_but_metrics(parts: Parts, twins: Twins) -> None:
    async with outside(parts, GatewaySettings()) as client:
        _, root = await headers_of_root(client, twins)
        statuses = [(await client.get(path)).status_code for path in DOCS]
        assert statuses == [200] * len(DOCS)
        assert (await client.get(f"{BASE}/admin/users", headers=root)).status_code == 200
        assert (await client.get("/metrics")).status_code == 404


def test_s32_each_is_switched_by_a_variable_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERSTREAM_DOCS", "false")
    assert (GatewaySettings().docs, GatewaySettings().admin) == (False, True)
    monkeypatch.setenv("ORDERSTREAM_ADMIN", "false")
    assert not GatewaySettings().admin
    monkeypatch.setenv("ORDERSTREAM_ENV", "production")
    monkeypatch.setenv("ORDERSTREAM_CURSOR_KEY", "c" * 32)
    monkeypatch.delenv("ORDERSTREAM_ADMIN")
    assert (GatewaySettings().docs, GatewaySettings().admin) == (False, False)
    monkeypatch.setenv("ORDERSTREAM_DOCS", "true")
    with pytest.raises(ValidationError, match="ORDERSTREAM_DOCS must be off in production"):
        GatewaySettings()
