"""What admins may do to others: rows 21 and 31 of the security table, feature A19."""

from collections.abc import Awaitable

import httpx2
import pytest

from events.topics import USER_EVENTS
from events.user import RoleChanged
from infra.stores.sessions import RACE
from tests.gateway.conftest import ADA, Twins

from .conftest import BASE, Client, bearer, log_in, registered, session

USERS = f"{BASE}/admin/users"
ORDER = {"asset_id": "BTC", "side": "buy", "type": "market", "notional": "10.00"}


@pytest.fixture
async def ada(client: Client) -> str:
    return await registered(client, "ada")


@pytest.fixture
async def root(client: Client, twins: Twins) -> dict[str, str]:
    """Returns the headers of an admin's session."""
    account_id = await registered(client, "root")
    twins.users.items[account_id]["role"] = {"S": "admin"}
    return await session(client, "root")


async def test_s21_who_is_frozen_orders_nothing_until_he_is_not(
    client: Client, root: dict[str, str], ada: str
) -> None:
    mine = await session(client)
    await client.post(f"{BASE}/balance/deposit", headers=mine, json={"amount": "100.00"})
    frozen = await client.post(f"{USERS}/{ada}/freeze", headers=root, json={"reason": "inquiry"})
    assert frozen.status_code == 200
    assert frozen.json() | {"since": "", "by": ""} == {
        "frozen": True,
        "reason": "inquiry",
        "by": "",
        "since": "",
    }
    for path, body in (("/orders", ORDER), ("/balance/withdraw", {"amount": "1.00"})):
        refused = await client.post(f"{BASE}{path}", headers=mine, json=body)
        assert (refused.status_code, refused.json()["code"]) == (403, "account_frozen")
    assert (await client.get(f"{BASE}/balance", headers=mine)).json()["total"] == "100.00"
    seen = (await client.get(f"{USERS}/{ada}", headers=root)).json()
    assert (seen["username"], seen["freeze"]) == ("ada", frozen.json())

    thawed = await client.post(f"{USERS}/{ada}/unfreeze", headers=root, json={"reason": "clear"})
    assert (thawed.status_code, thawed.json()["frozen"]) == (200, False)
    assert (await client.post(f"{BASE}/orders", headers=mine, json=ORDER)).status_code == 201


async def test_a_freeze_is_one_whatever_is_repeated(
    client: Client, root: dict[str, str], ada: str, twins: Twins
) -> None:
    # The customer's own names for commands are another name space.
    mine = await session(client) | {"Idempotency-Key": "once"}
    await client.post(f"{BASE}/balance/deposit", headers=mine, json={"amount": "100.00"})
    asked = root | {"Idempotency-Key": "once"}
    answers = [
        await client.post(f"{USERS}/{ada}/freeze", headers=asked, json={"reason": "inquiry"})
        for _ in range(3)
    ]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert "Idempotency-Replayed" in answers[-1].headers
    assert [c.type for c in twins.backstage.commands()].count("freeze_account") == 1
    other = await client.post(f"{USERS}/{ada}/freeze", headers=asked, json={"reason": "other"})
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_conflict")


async def test_a_freeze_whose_outcome_is_not_known_is_202(
    client: Client, root: dict[str, str], ada: str, twins: Twins
) -> None:
    twins.backstage.down.add(twins.backstage.exchange.order)
    asked = root | {"Prefer": "respond-async"}
    answer = await client.post(f"{USERS}/{ada}/freeze", headers=asked, json={"reason": "inquiry"})
    assert (answer.status_code, answer.headers["Location"]) == (202, f"{USERS}/{ada}")
    await twins.backstage.resume()
    assert (await client.get(f"{USERS}/{ada}", headers=root)).json()["freeze"]["frozen"]


@pytest.mark.parametrize("path", ["", "/freeze", "/unfreeze", "/role"])
async def test_of_nobody_nothing_is_known(
    client: Client, root: dict[str, str], path: str, twins: Twins
) -> None:
    nobody = f"{USERS}/018f0000-0000-7000-8000-000000000000{path}"
    method, body = {
        "": ("GET", None),
        "/role": ("PUT", {"role": "admin"}),
    }.get(path, ("POST", {"reason": "inquiry"}))
    answer = await client.request(method, nobody, headers=root, json=body)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert not twins.backstage.commands()


async def test_users_are_listed_a_page_at_a_time(
    client: Client, root: dict[str, str], ada: str
) -> None:
    await registered(client, "bob")
    first = (await client.get(f"{USERS}?limit=2", headers=root)).json()
    assert [user["username"] for user in first["items"]] == ["ada", "bob"]
    rest = (await client.get(f"{USERS}?cursor={first['next_cursor']}", headers=root)).json()
    assert [user["username"] for user in rest["items"]] == ["root"]
    assert rest["next_cursor"] is None
    assert "password" not in str(first)


async def test_s31_the_last_admin_stays_one_and_each_grant_is_told(
    client: Client, root: dict[str, str], ada: str, twins: Twins
) -> None:
    role = f"{USERS}/{ada}/role"
    given = await client.put(role, headers=root, json={"role": "admin"})
    assert (given.status_code, given.json()["role"]) == (200, "admin")
    assert (await client.put(role, headers=root, json={"role": "admin"})).status_code == 200
    told = [event for event in twins.publisher.read(USER_EVENTS) if isinstance(event, RoleChanged)]
    assert [(event.account_id, event.before, event.after) for event in told] == [
        (ada, "customer", "admin")
    ]
    assert told[0].actor == twins.users.names["root"]
    # root loses it behind the edge's back, but its session still has it: ada is the last one
    twins.users.items[twins.users.names["root"]]["role"] = {"S": "customer"}
    last = await client.put(role, headers=root, json={"role": "customer"})
    assert (last.status_code, last.json()["code"]) == (409, "last_admin")


async def trail_of(client: Client, root: dict[str, str], ada: str, limit: int) -> list[str]:
    """Returns all acts, read page by page."""
    acts, cursor = [], ""
    while True:
        path = f"{BASE}/admin/audit?account_id={ada}&limit={limit}{cursor}"
        page = (await client.get(path, headers=root)).json()
        acts += [one["type"] for one in page["items"]]
        if page["next_cursor"] is None:
            return acts
        cursor = f"&cursor={page['next_cursor']}"


async def acted(client: Client, root: dict[str, str], ada: str, twins: Twins) -> None:
    """Does everything that the trail of an account tells of, once."""

    async def step(answer: Awaitable[httpx2.Response], status: int) -> httpx2.Response:
        twins.clock.ms += RACE
        done = await answer
        assert done.status_code == status, done.text
        return done

    await step(log_in(client, password="wrong horse"), 401)
    pair = (await step(log_in(client), 200)).json()
    mine, old = bearer(pair["access_token"]), {"refresh_token": pair["refresh_token"]}
    await step(client.patch(f"{BASE}/auth/me", headers=mine, json={"first_name": "A"}), 200)
    changed = {"current_password": ADA["password"], "password": "another horse battery"}
    await step(client.post(f"{BASE}/auth/password", headers=mine, json=changed), 204)
    await step(client.put(f"{USERS}/{ada}/role", headers=root, json={"role": "admin"}), 200)
    why = {"reason": "inquiry"}
    await step(client.post(f"{USERS}/{ada}/freeze", headers=root, json=why), 200)
    await step(client.post(f"{USERS}/{ada}/unfreeze", headers=root, json=why), 200)
    await step(client.post(f"{BASE}/auth/refresh", json=old), 200)
    await step(client.post(f"{BASE}/auth/refresh", json=old), 401)
    for event in twins.publisher.read(USER_EVENTS):
        twins.backstage.append(USER_EVENTS, event)
    await twins.backstage.fold()


async def test_s74_each_act_is_told_once_to_admins_alone_and_no_secret(
    client: Client, root: dict[str, str], ada: str, twins: Twins
) -> None:
    await acted(client, root, ada, twins)
    acts = [
        "refresh_reuse_detected",
        "account_unfrozen",
        "account_frozen",
        "role_changed",
        "password_changed",
        "profile_changed",
        "logged_in",
        "login_failed",
        "user_registered",
    ]
    for limit in (1, 2, 200):
        assert await trail_of(client, root, ada, limit) == acts
    whole = await client.get(f"{BASE}/admin/audit?account_id={ada}", headers=root)
    secrets = (ADA["password"], "another horse", "ada@example.org", *twins.sessions.rows)
    assert not [secret for secret in secrets if secret in whole.text]
    [role] = [one for one in whole.json()["items"] if one["type"] == "role_changed"]
    assert (role["actor"], role["before"], role["after"]) == (
        twins.users.names["root"],
        "customer",
        "admin",
    )
