"""Names and other texts from outside: row 37 of the security table."""

from urllib.parse import quote

import pytest

from tests.gateway.conftest import Twins

from .conftest import BASE, Client, registered, session

NO_NAMES = [
    *(
        "with\0nul",
        "a\n",
        "\na",
        "a\r\nb",
        "\x1b[31m",
        "\x85",
        "a\u202eb",
        "a\u2066b",
        "x" * 65,
        "",
    ),
    *("🔑", "ä", "../x", "a/b", "a:b", "{}", "%00", "a b", "a.b", "a'b", 'a"b', "<script>"),
]
CONTROLS = [
    "a\0b",
    "a\nb",
    "a\tb",
    "\x1b[31ma",
    "a\x7f",
    "a\x85b",
    "a\u202eb",
    "\u2066a",
    "a\u200eb",
    "a\u2028b",
]
HTML = "<script>alert(1)</script>"


@pytest.mark.parametrize("name", NO_NAMES, ids=ascii)
async def test_s37_a_name_that_is_none_is_refused_before_any_look_up(
    client: Client, twins: Twins, name: str
) -> None:
    await registered(client)
    ada = await session(client)
    twins.backstage.live.away = twins.backstage.history.away = True  # whoever looks is told so
    body = {"asset_id": "BTC", "side": "buy", "notional": "1.00", "client_order_id": name}
    placed = await client.post(f"{BASE}/orders", headers=ada, json=body)
    assert (placed.status_code, placed.json()["errors"][0]["pointer"]) == (422, "#/client_order_id")
    assert twins.backstage.commands() == []
    spelled = quote(name, safe="")
    if name and "/" not in name:
        found = await client.get(f"{BASE}/orders/by-client-id/{spelled}", headers=ada)
        assert (found.status_code, found.json()["code"]) == (422, "validation_failed")
        for path in (
            f"/orders/{spelled}",
            f"/orders/{spelled}/timeline",
            f"/assets/{spelled}/balance",
        ):
            found = await client.get(f"{BASE}{path}", headers=ada)
            assert found.status_code in (404, 422), path


@pytest.mark.parametrize("text", CONTROLS, ids=ascii)
@pytest.mark.parametrize("field", ["first_name", "last_name", "email"])
async def test_s37_no_text_of_a_profile_has_controls(client: Client, field: str, text: str) -> None:
    await registered(client)
    ada = await session(client)
    wrong = f"{text}@example.org" if field == "email" else text
    answer = await client.patch(f"{BASE}/auth/me", headers=ada, json={field: wrong})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, f"#/{field}")


async def test_s37_html_in_a_name_is_data(client: Client) -> None:
    await registered(client)
    ada = await session(client)
    given = {"first_name": HTML, "last_name": "🔑" * 64}  # a length counts code points
    answer = await client.patch(f"{BASE}/auth/me", headers=ada, json=given)
    assert answer.status_code == 200
    told = await client.get(f"{BASE}/auth/me", headers=ada)
    assert {name: told.json()[name] for name in given} == given
    assert told.headers["content-type"] == "application/json"
    assert told.headers["X-Content-Type-Options"] == "nosniff"
    more = await client.patch(f"{BASE}/auth/me", headers=ada, json={"last_name": "🔑" * 65})
    assert more.status_code == 422
