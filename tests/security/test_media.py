"""What a request says of its body, its method and its parameters: rows 38 and 39 of the security table."""

import gzip
import zlib

import httpx2
import pytest

from tests.gateway.conftest import Twins

from .conftest import BASE, Client, registered, session

JSON = {"Content-Type": "application/json"}
DEPOSIT = b'{"amount":"1.00"}'


@pytest.fixture
async def ada(client: Client) -> dict[str, str]:
    await registered(client)
    return await session(client)


async def deposited(
    client: Client, headers: dict[str, str], content: bytes = DEPOSIT
) -> httpx2.Response:
    return await client.post(f"{BASE}/balance/deposit", headers=headers, content=content)


@pytest.mark.parametrize(
    "media",
    [
        None,
        "",
        "text/plain",
        "text/plain; charset=utf-8",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/problem+json",
        "application/json-patch+json",
        "application/json; charset=utf-16",
        "text/plain, application/json",
        "nonsense",
    ],
)
async def test_s38_only_plain_json_is_a_body(
    client: Client, ada: dict[str, str], twins: Twins, media: str | None
) -> None:
    headers = ada if media is None else ada | {"Content-Type": media}
    for path in ("/balance/deposit", "/auth/login", "/auth/register"):
        answer = await client.post(f"{BASE}{path}", headers=headers, content=DEPOSIT)
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert twins.backstage.commands() == []


@pytest.mark.parametrize("media", ["application/json;charset=UTF-8", "Application/JSON"])
async def test_s38_json_may_be_spelled_in_other_ways(
    client: Client, ada: dict[str, str], media: str
) -> None:
    assert (await deposited(client, ada | {"Content-Type": media})).status_code == 201


@pytest.mark.parametrize("method", ["TRACE", "CONNECT", "FOO", "PROPFIND", "PUT"])
async def test_s38_unknown_methods_are_refused(
    client: Client, ada: dict[str, str], twins: Twins, method: str
) -> None:
    for path in ("/balance/deposit", "/orders", "/auth/me"):
        answer = await client.request(method, f"{BASE}{path}", headers=ada | JSON, content=DEPOSIT)
        assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")
        assert DEPOSIT.decode() not in answer.text
    assert twins.backstage.commands() == []


@pytest.mark.parametrize(
    "name", ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"]
)
async def test_s38_no_header_makes_another_method_of_it(
    client: Client, ada: dict[str, str], name: str
) -> None:
    answer = await client.get(f"{BASE}/auth/me", headers=ada | {name: "DELETE"})
    assert (answer.status_code, answer.json()["username"]) == (200, "ada")
    answer = await deposited(client, ada | JSON | {name: "GET"})
    assert answer.status_code == 201


@pytest.mark.parametrize(
    "path", ["/orders", "/trades", "/balance/transactions", "/inventory/assets", "/balance"]
)
async def test_s38_a_parameter_is_given_once(
    client: Client, ada: dict[str, str], path: str
) -> None:
    for query in ("limit=1&limit=2", "limit=1&limit=1", "l%69mit=1&limit=1"):
        answer = await client.get(f"{BASE}{path}?{query}", headers=ada)
        assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "given_twice")


BOMB = b'{"amount":"' + b"1" * 10_000_000 + b'"}'
"""Some 10 KB once it is compressed."""


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("gzip", gzip.compress(BOMB)),
        ("deflate", zlib.compress(BOMB)),
        ("x-gzip", gzip.compress(DEPOSIT)),
        ("br", DEPOSIT),
        ("zstd", DEPOSIT),
        ("gzip, gzip", gzip.compress(gzip.compress(DEPOSIT))),
        ("identity", DEPOSIT),
        ("", DEPOSIT),
    ],
    ids=lambda given: given if isinstance(given, str) else str(len(given)),
)
async def test_s39_no_body_is_taken_compressed(
    client: Client, ada: dict[str, str], twins: Twins, encoding: str, content: bytes
) -> None:
    answer = await deposited(client, ada | JSON | {"Content-Encoding": encoding}, content)
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")
    assert twins.backstage.commands() == []
