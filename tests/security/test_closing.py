"""A user who goes: feature A20, what is erased and what stays."""

import json

from events.topics import USER_EVENTS
from events.user import UserErased
from tests.gateway.conftest import ADA, Twins

from .conftest import BASE, Client, log_in, registered, session

CLOSE, ME = f"{BASE}/auth/close", f"{BASE}/auth/me"
FAREWELL = {"password": ADA["password"]}


async def test_nothing_of_the_person_is_left(client: Client, twins: Twins) -> None:
    account_id = await registered(client)
    mine, other = await session(client), await session(client)
    assert (await client.post(CLOSE, headers=mine, json=FAREWELL)).status_code == 204
    for headers in (mine, other):
        over = await client.get(ME, headers=headers)
        assert (over.status_code, over.json()["code"]) == (401, "session_revoked")
    assert (await log_in(client)).status_code == 401
    assert account_id not in twins.users.items
    left = json.dumps(
        [twins.users.names, twins.users.emails, *map(str, twins.users.items.values())]
    )
    assert "ada" not in left
    told = [e for e in twins.publisher.read(USER_EVENTS) if isinstance(e, UserErased)]
    assert [event.account_id for event in told] == [account_id]
    assert await registered(client) != account_id  # the name is free, the account is another


async def test_whoever_has_something_stays(client: Client) -> None:
    await registered(client)
    mine = await session(client)
    for path, amount, status in (("deposit", "1.00", 409), ("withdraw", "1.00", 204)):
        body = {"amount": amount}
        moved = await client.post(f"{BASE}/balance/{path}", headers=mine, json=body)
        assert moved.status_code == 201
        answer = await client.post(CLOSE, headers=mine, json=FAREWELL)
        assert answer.status_code == status
        if status == 409:
            assert answer.json()["code"] == "account_not_empty"


async def test_it_takes_the_password(client: Client) -> None:
    await registered(client)
    mine = await session(client)
    answer = await client.post(CLOSE, headers=mine, json={"password": "not her password"})
    assert (answer.status_code, answer.json()["code"]) == (401, "invalid_credentials")
    assert (await client.get(ME, headers=mine)).status_code == 200


async def test_the_last_admin_stays(client: Client, twins: Twins) -> None:
    account_id = await registered(client)
    twins.users.items[account_id]["role"] = {"S": "admin"}
    answer = await client.post(CLOSE, headers=await session(client), json=FAREWELL)
    assert (answer.status_code, answer.json()["code"]) == (409, "last_admin")


async def test_a_browser_forgets(client: Client) -> None:
    await registered(client)
    await client.post(f"{BASE}/auth/login?cookie=true", json={"username": "ada", **FAREWELL})
    same = {"Sec-Fetch-Site": "same-origin"}
    answer = await client.post(CLOSE, headers=same, json=FAREWELL)
    assert answer.status_code == 204
    assert len(answer.headers.get_list("set-cookie")) == 2
    assert all("Max-Age=0" in line for line in answer.headers.get_list("set-cookie"))
    assert answer.headers["Clear-Site-Data"]
