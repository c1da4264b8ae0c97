"""Passwords and login: rows 1, 5, 8, 9 of the security table."""

import re
from dataclasses import replace

from gateway.auth import Passwords
from gateway.deps import Parts
from infra.stores.failures import FIRST_WAIT, FREE
from tests.gateway.conftest import ADA, Twins

from .conftest import BASE, Client, calling, log_in, registered, session


async def test_s01_hashes_are_argon2id_with_today_s_parameters(
    parts: Parts, twins: Twins, weak_hash: str
) -> None:
    strong = re.compile(r"\$argon2id\$v=19\$m=(19456|[2-9]\d{4,}),t=[2-9],p=1\$.+")
    async with calling(replace(parts, passwords=Passwords())) as client:
        for name in ("ada", "eve"):
            await registered(client, name)
        hashes = [item["password_hash"]["S"] for item in twins.users.items.values()]
        assert all(map(strong.fullmatch, hashes))
        assert len(set(hashes)) == 2
        [ada, _] = twins.users.items.values()
        ada["password_hash"] = {"S": weak_hash}
        assert (await log_in(client)).status_code == 200
    assert strong.fullmatch(twins.users.items[ada["account_id"]["S"]]["password_hash"]["S"])


async def test_s05_after_five_failures_a_name_must_wait_whoever_has_it(
    client: Client, twins: Twins
) -> None:
    await registered(client)
    await registered(client, "eve")
    open_session = await session(client)
    for name in ("ada", "nobody"):
        wrong = [await log_in(client, name, password="wrong horse") for _ in range(FREE)]
        assert {answer.status_code for answer in wrong} == {401}
        refused = await log_in(client, name)  # with the right password too
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert int(refused.headers["Retry-After"]) >= 60
    assert (await client.get(f"{BASE}/auth/me", headers=open_session)).status_code == 200
    assert (await log_in(client, "eve")).status_code == 200

    twins.clock.ms += FIRST_WAIT
    assert (await log_in(client, password="wrong horse")).status_code == 401
    assert int((await log_in(client)).headers["Retry-After"]) == 2 * FIRST_WAIT // 1000
    twins.clock.ms += 2 * FIRST_WAIT
    assert (await log_in(client)).status_code == 200  # and all is forgotten
    assert (await log_in(client, password="wrong horse")).status_code == 401
    assert (await log_in(client)).status_code == 200


async def test_s05_an_address_has_ten_logins_a_minute(strict: Client, twins: Twins) -> None:
    names = [f"nobody-{n}" for n in range(11)]
    statuses = [(await log_in(strict, name)).status_code for name in names]
    assert statuses == [401] * 10 + [429]
    twins.clock.ms += 6_000
    assert (await log_in(strict, "nobody")).status_code == 401


async def test_s08_a_new_password_needs_the_old_one_and_ends_the_other_sessions(
    client: Client,
) -> None:
    await registered(client)
    mine, other = await session(client), await session(client)
    new = {"password": "another horse battery"}
    path = f"{BASE}/auth/password"
    missing = await client.post(path, headers=mine, json=new)
    assert missing.status_code == 422
    wrong = await client.post(path, headers=mine, json=new | {"current_password": "wrong horse"})
    assert (wrong.status_code, wrong.json()["code"]) == (401, "invalid_credentials")
    right = new | {"current_password": ADA["password"]}
    assert (await client.post(path, headers=mine, json=right)).status_code == 204
    assert (await client.get(f"{BASE}/auth/me", headers=mine)).status_code == 200
    ended = await client.get(f"{BASE}/auth/me", headers=other)
    assert (ended.status_code, ended.json()["code"]) == (401, "session_revoked")
    assert (await log_in(client)).status_code == 401
    assert (await log_in(client, **new)).status_code == 200


async def test_s09_a_planted_session_is_not_taken_on(client: Client, twins: Twins) -> None:
    await registered(client)
    planted = {"Cookie": "__Host-access=planted; __Host-refresh=planted.secret"}
    body = {"username": "ada", "password": ADA["password"]}
    answer = await client.post(f"{BASE}/auth/login?cookie=true", json=body, headers=planted)
    cookies = answer.headers.get_list("set-cookie")
    assert len(cookies) == 2
    assert "planted" not in str(cookies)
    assert "planted" not in twins.sessions.rows
