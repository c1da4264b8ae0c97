"""Cookies, CSRF, CORS, headers: rows 55 to 57 and 59 of the security table."""

from dataclasses import replace

import httpx2
import pytest

from gateway.cookies import ACCESS_COOKIE, REFRESH_COOKIE
from gateway.deps import Parts
from tests.gateway.conftest import ADA, Twins

from .conftest import BASE, Client, calling, registered, session

ME, LOGIN = f"{BASE}/auth/me", f"{BASE}/auth/login"
ATTRIBUTES = {"Path=/", "Secure", "HttpOnly", "SameSite=strict"}
SAME = {"Sec-Fetch-Site": "same-origin"}


async def in_browser(client: Client) -> httpx2.Response:
    await registered(client)
    body = {"username": "ada", "password": ADA["password"]}
    return await client.post(f"{LOGIN}?cookie=true", json=body)


def cookies(answer: httpx2.Response) -> dict[str, str]:
    """Returns the value of each cookie that is set. All must have the attributes."""
    found = {}
    for line in answer.headers.get_list("set-cookie"):
        pair, *attributes = line.split("; ")
        name, _, value = pair.partition("=")
        assert name.startswith("__Host-")
        assert {each for each in attributes if not each.startswith("Max-Age")} == ATTRIBUTES
        assert "Domain" not in line
        found[name] = value.strip('"')
    return found


async def test_s55_a_browser_s_tokens_are_in_cookies_alone(client: Client) -> None:
    answer = await in_browser(client)
    given = cookies(answer)
    assert set(given) == {ACCESS_COOKIE, REFRESH_COOKIE}
    assert (answer.json()["access_token"], answer.json()["refresh_token"]) == (None, None)
    assert not [value for value in given.values() if value in answer.text]
    assert (await client.get(ME)).status_code == 200  # the client has kept them
    next_ = await client.post(f"{BASE}/auth/refresh", json={}, headers=SAME)
    assert next_.status_code == 200
    assert cookies(next_)[REFRESH_COOKIE] != given[REFRESH_COOKIE]
    assert next_.json()["refresh_token"] is None
    out = await client.post(f"{BASE}/auth/logout", headers=SAME)
    assert (out.status_code, set(cookies(out).values())) == (204, {""})
    assert "storage" in out.headers["Clear-Site-Data"]
    assert (await client.get(ME)).status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (SAME, 201),
        ({"Origin": "https://app.example.org"}, 201),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Sec-Fetch-Site": "none"}, 403),
        ({"Sec-Fetch-Site": "cross-site", "Origin": "https://app.example.org"}, 403),
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({}, 403),
    ],
)
async def test_s56_a_cookie_counts_for_nothing_on_another_site_s_page(
    client: Client, twins: Twins, headers: dict[str, str], status: int
) -> None:
    await in_browser(client)
    answer = await client.post(f"{BASE}/balance/deposit", json={"amount": "1"}, headers=headers)
    assert answer.status_code == status
    assert len(twins.backstage.commands()) == (status == 201)
    if status == 403:
        assert answer.json()["code"] == "csrf"
        refused = await client.post(f"{BASE}/auth/refresh", json={}, headers=headers)
        assert refused.json()["code"] == "csrf"


async def test_s56_two_credentials_at_once_are_none(client: Client) -> None:
    await registered(client, "eve")
    eve = await session(client, "eve")
    await in_browser(client)
    answer = await client.get(ME, headers=eve)
    assert (answer.status_code, answer.json()["code"]) == (400, "bad_request")
    client.cookies.clear()
    cross = eve | {"Sec-Fetch-Site": "cross-site"}
    bearer = await client.post(f"{BASE}/balance/deposit", json={"amount": "1"}, headers=cross)
    assert bearer.status_code == 201  # no browser adds that header by itself


ASSETS = f"{BASE}/inventory/assets"


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "https://app.example.org.evil.example",
        "http://app.example.org",
    ],
)
async def test_s57_pages_of_other_origins_read_nothing(client: Client, origin: str) -> None:
    answer = await client.get(ASSETS, headers={"Origin": origin})
    assert "Access-Control-Allow-Origin" not in answer.headers
    asked = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    preflight = await client.options(f"{BASE}/orders", headers=asked)
    assert preflight.status_code == 400
    assert "Access-Control-Allow-Origin" not in preflight.headers


async def test_s57_a_listed_origin_is_told_so_exactly(client: Client) -> None:
    origin = {"Origin": "https://app.example.org"}
    answer = await client.get(ASSETS, headers=origin)
    assert answer.headers["Access-Control-Allow-Origin"] == "https://app.example.org"
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert "Origin" in answer.headers["Vary"]
    refused = await client.get(ME, headers=origin)
    assert refused.status_code == 401
    assert refused.headers["Access-Control-Allow-Origin"] == "https://app.example.org"
    foreign = await client.options(
        f"{BASE}/orders", headers=origin | {"Access-Control-Request-Method": "FOO"}
    )
    assert foreign.status_code == 400
    assert "FOO" not in foreign.headers.get("Access-Control-Allow-Methods", "")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/health", 200), (ASSETS, 200), (ME, 401), ("/nowhere", 404), (f"{ASSETS}?limit=x", 422)],
)
async def test_s59_every_answer_says_how_it_is_to_be_taken(
    client: Client, path: str, status: int
) -> None:
    answer = await client.get(path)
    assert answer.status_code == status
    headers = answer.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["Cache-Control"] == "no-store"
    assert headers["X-Request-ID"]
    assert not {"Server", "X-Powered-By"} & set(headers)
    assert "Strict-Transport-Security" not in headers


async def test_s59_where_all_come_by_https_a_browser_comes_back_so(parts: Parts) -> None:
    async with calling(replace(parts, door=replace(parts.door, https=True))) as client:
        for path in ("/health", ME, "/nowhere"):
            told = (await client.get(path)).headers["Strict-Transport-Security"]
            assert told == "max-age=31536000; includeSubDomains"
