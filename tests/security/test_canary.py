"""Secrets said to a whole stack that logs all it can, and then looked for in all that it holds: rows 64, 65 and 72."""

import json
from base64 import b64decode
from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import httpx2
import pytest

from infra.stores.dynamodb import connect
from infra.stores.users import TABLE
from ops.stack.folder import RunFolder
from tests.security.dumps import keys, said, tables, topics
from tests.stand import standing, until

from .conftest import BASE, bearer
from .test_browser import SAME

pytestmark = pytest.mark.stack
MARK = uuid4().hex
PASSWORD, SECOND, WRONG, GARBAGE = (
    f"{what}-{MARK}" for what in ("first", "second", "wrong", "garbage")
)
EMAIL, NEW_EMAIL = (f"{what}-{MARK}@example.org" for what in ("mail", "other"))
PERSONAL = (EMAIL.encode(), NEW_EMAIL.encode(), b"$argon2id$")
"""What the users' table may hold, and nothing else."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    with standing(tmp_path_factory.mktemp("canary") / "run", log_level="DEBUG") as folder:
        yield folder


@pytest.fixture
async def http(stack: RunFolder) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=stack.endpoints()["gateway"], timeout=35) as client:
        yield client


async def joined(http: httpx2.AsyncClient, email: str) -> tuple[dict[str, str], Any]:
    """Returns what somebody new logs in with, and his tokens."""
    login = {"username": f"u{uuid4().hex[:12]}", "password": PASSWORD}
    registered = await http.post(f"{BASE}/auth/register", json=login | {"email": email})
    assert registered.status_code == 201
    return login, (await http.post(f"{BASE}/auth/login", json=login)).json()


async def lived(http: httpx2.AsyncClient) -> set[str]:
    """Does all that a customer does with secrets, rightly and wrongly. Returns the tokens that he had."""
    login, pair = await joined(http, EMAIL)
    assert (
        await http.post(f"{BASE}/auth/login", json=login | {"password": WRONG})
    ).status_code == 401
    await http.post(f"{BASE}/auth/login", json=login | {"unknown": GARBAGE})
    await http.post(f"{BASE}/auth/login", content=f'{{"password":"{GARBAGE}"'.encode())
    await http.get(f"{BASE}/stream", params={"access_token": GARBAGE})
    await http.get(f"{BASE}/auth/me", headers=bearer(GARBAGE) | {"Cookie": f"other={GARBAGE}"})
    mine = bearer(pair["access_token"])
    for path, body in (
        ("/balance/deposit", {"amount": "1000.00"}),
        ("/orders", {"asset_id": "BTC", "side": "buy", "notional": "10.00"}),
    ):
        answer = await http.post(f"{BASE}{path}", json=body, headers=mine | {"Prefer": "wait=30"})
        assert answer.status_code == 201, answer.text
    changed = await http.patch(f"{BASE}/auth/me", headers=mine, json={"email": NEW_EMAIL})
    assert changed.status_code == 200
    new = {"current_password": PASSWORD, "password": SECOND}
    assert (await http.post(f"{BASE}/auth/password", headers=mine, json=new)).status_code == 204
    next_ = await http.post(f"{BASE}/auth/refresh", json={"refresh_token": pair["refresh_token"]})
    assert next_.status_code == 200
    page = await http.post(f"{BASE}/auth/login?cookie=true", json=login | {"password": SECOND})
    pairs = [line.partition(";")[0] for line in page.headers.get_list("set-cookie")]
    assert len(pairs) == 2
    cookie = SAME | {"Cookie": "; ".join(pairs)}
    assert (await http.post(f"{BASE}/auth/logout", headers=cookie)).status_code == 204
    cookies = (each.partition("=")[2] for each in pairs)
    names = ("access_token", "refresh_token")
    return {*(had[name] for had in (pair, next_.json()) for name in names), *cookies}


def sought(stack: RunFolder, tokens: set[str]) -> dict[str, bytes]:
    """Returns by its name each secret, and of a token the part that is one."""
    parts = [token.strip('"').rpartition(".")[2] for token in tokens]
    pems = [path.read_text() for path in (stack.path / "keys").glob("*.pem")]
    assert pems
    lines = ["".join(pem.splitlines()[1:-1]) for pem in pems]
    found = {"password": PASSWORD, "second": SECOND, "wrong": WRONG, "garbage": GARBAGE}
    found |= {f"token {n}": part for n, part in enumerate(parts)}
    found |= {f"key {n}": line for n, line in enumerate(lines)}
    raw = {name: secret.encode() for name, secret in found.items()}
    return raw | {f"raw key {n}": b64decode(line)[-32:] for n, line in enumerate(lines)}


async def test_s65_no_secret_is_anywhere_it_need_not_be(
    stack: RunFolder, http: httpx2.AsyncClient
) -> None:
    secrets = sought(stack, await lived(http))
    hits, seen, at_home = [], {}, 0
    for dump in (topics, tables, keys, said):
        count = 0
        async for place, raw in dump(stack):
            count += 1
            hits += [(name, place) for name, secret in secrets.items() if secret in raw]
            told = [each for each in PERSONAL if each in raw]
            at_home += bool(told) and place == TABLE
            hits += [(each.decode(), place) for each in told if place != TABLE]
        seen[dump.__name__] = count
    print(seen)
    assert min(seen.values()) > 5, seen
    assert at_home  # what is looked for can be found
    assert hits == []


def lines(stack: RunFolder, name: str) -> list[Any]:
    """Returns each line of a process's log. Raises: ValueError if one is no JSON."""
    return [json.loads(line) for line in stack.log(name).read_text().splitlines()]


async def test_s64_a_log_is_one_object_a_line_whatever_is_said(
    stack: RunFolder, http: httpx2.AsyncClient
) -> None:
    forged = '{"level":"error","message":"forged"}'
    for value in (f'x"}}{forged}', f"\x1b[31m{forged}", "a" * 10_000, f"\u2028{forged}"):
        for name in ("X-Request-ID", "User-Agent", "traceparent"):
            answer = await http.get("/health", headers=[(name.encode(), value.encode())])
            assert answer.status_code in (200, 400)  # the server itself takes no control character
            assert value not in answer.headers.get("X-Request-ID", "")
    for path in ("/%0a" + forged, "/api/v1/orders/%0d%0a%7b%7d", "/%1b%5b31m"):
        await http.get(path)
    for process in stack.status().processes:
        if process.name not in ("kafka", "dynamodb", "redis"):
            found = lines(stack, process.name)
            assert all(isinstance(line, dict) for line in found), process.name
            assert not [line for line in found if line.get("message") == "forged"]


async def test_s72_a_fault_is_told_to_the_log_alone_by_the_request_s_id(
    stack: RunFolder, http: httpx2.AsyncClient
) -> None:
    _, pair = await joined(http, f"{uuid4().hex}@example.org")
    mine = bearer(pair["access_token"])
    account_id = (await http.get(f"{BASE}/auth/me", headers=mine)).json()["id"]
    async with connect(stack.endpoints()["dynamodb"]) as client:
        async for page in client.get_paginator("scan").paginate(TableName=TABLE):
            for item in page["Items"]:
                if item.get("account_id") == {"S": account_id} and "email" in item:
                    del item["email"]
                    await client.put_item(TableName=TABLE, Item=item)
    answer = await http.get(f"{BASE}/auth/me", headers=mine)
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert set(answer.json()) == {"type", "title", "status", "code", "request_id"}

    def told() -> list[Any]:
        failed = [one for one in lines(stack, "gateway") if one["message"] == "request_failed"]
        return [one for one in failed if one["request_id"] == answer.json()["request_id"]]

    await until(lambda: bool(told()), "the log tells of it")
    assert "Traceback" in told()[0]["exception"]
