"""What a browser may do with an answer and keep of it: rows 58 and 60 of the security table, as far as there is no page
of ours yet.
"""

import pytest

from gateway.problems import MEDIA_TYPE
from tests.gateway.conftest import ADA, Twins

from .conftest import BASE, Client, registered, session
from .test_browser import SAME
from .test_policy import EXAMPLES, ROUTES

OF_THE_API = [
    route for _, route in ROUTES if "/stream" not in route and "/docs/assets" not in route
]
PAGES = {"/docs", "/redoc", "/asyncapi"}
NOTHING = "default-src 'none'; frame-ancestors 'none'"
IMAGE = "<img src=x onerror=alert(1)>"


@pytest.mark.parametrize("route", OF_THE_API)
async def test_s58_no_answer_of_the_api_can_do_anything_as_a_page(
    client: Client, route: str
) -> None:
    await registered(client)
    method, path = route.split(" ")
    for headers in ({}, await session(client), {"Content-Type": "text/html"}):
        answer = await client.request(method, path.format(**EXAMPLES), headers=headers)
        if path in PAGES and answer.headers["content-type"].startswith("text/html"):
            policy = answer.headers["Content-Security-Policy"]
            assert policy.startswith("default-src 'none';")
            assert "frame-ancestors 'none'" in policy
            continue
        assert answer.headers["Content-Security-Policy"] == NOTHING
        kind = answer.headers.get("content-type", "application/json")
        assert kind.partition(";")[0] in ("application/json", MEDIA_TYPE)


async def test_s58_html_in_an_asset_s_or_a_user_s_name_is_data(client: Client) -> None:
    for query in ({"search": IMAGE}, {"sort": IMAGE}, {IMAGE: "1"}, {"cursor": IMAGE}):
        answer = await client.get(f"{BASE}/inventory/assets", params=query)
        assert answer.headers["content-type"] in ("application/json", MEDIA_TYPE)
        assert IMAGE not in answer.text
    await registered(client)
    ada = await session(client)
    named = await client.patch(f"{BASE}/auth/me", headers=ada, json={"first_name": IMAGE})
    assert (named.json()["first_name"], named.headers["content-type"]) == (
        IMAGE,
        "application/json",
    )


async def test_s60_a_browser_is_given_nothing_to_keep_and_told_to_forget(
    client: Client, twins: Twins
) -> None:
    await registered(client)
    login = {"username": "ada", "password": ADA["password"]}
    answer = await client.post(f"{BASE}/auth/login?cookie=true", json=login)
    values = [
        line.split(";")[0].partition("=")[2] for line in answer.headers.get_list("set-cookie")
    ]
    others = {name: value for name, value in answer.headers.items() if name != "set-cookie"}
    for secret in (*values, *twins.sessions.rows):
        assert secret not in f"{answer.text} {others}"
    assert answer.headers["Cache-Control"] == "no-store"
    balance = await client.get(f"{BASE}/balance")
    assert balance.headers["Cache-Control"] == "no-store"  # nothing to see after `back`
    out = await client.post(f"{BASE}/auth/logout", headers=SAME)
    assert '"storage"' in out.headers["Clear-Site-Data"]
    assert '"cache"' in out.headers["Clear-Site-Data"]
