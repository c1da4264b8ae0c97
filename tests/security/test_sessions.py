"""Sessions and refresh tokens: rows 13, 17 to 22 of the security table."""

import asyncio
from dataclasses import replace

import pytest

from events.topics import USER_EVENTS
from events.user import RefreshReuseDetected
from gateway.deps import Parts
from infra.stores.sessions import IDLE, MOST, RACE
from tests.gateway.conftest import Twins
from tests.gateway.test_process import environ, person, running

from .conftest import BASE, Client, bearer, calling, log_in, registered, session

__all__ = ["environ"]
ME, REFRESH, SESSIONS = f"{BASE}/auth/me", f"{BASE}/auth/refresh", f"{BASE}/auth/sessions"
DAY = 86_400_000


async def refreshed(client: Client, token: str) -> tuple[int, dict[str, str]]:
    answer = await client.post(REFRESH, json={"refresh_token": token})
    return answer.status_code, answer.json()


async def test_s13_tokens_are_good_for_one_thing(client: Client) -> None:
    await registered(client)
    pair = (await log_in(client)).json()
    as_access = await client.get(ME, headers=bearer(pair["refresh_token"]))
    assert (as_access.status_code, as_access.json()["code"]) == (401, "invalid_token")
    for wrong in (pair["access_token"], "x", "a.b", f"{pair['refresh_token'][:-1]}!", "é.é", "."):
        status, body = await refreshed(client, wrong)
        assert status == 401, wrong
        assert body["code"] in ("invalid_token", "session_revoked")
    assert (await refreshed(client, pair["refresh_token"]))[0] == 200


async def test_s17_an_old_refresh_token_ends_the_family(client: Client, twins: Twins) -> None:
    await registered(client)
    first = (await log_in(client)).json()["refresh_token"]
    _, second = await refreshed(client, first)
    twins.clock.ms += RACE
    status, body = await refreshed(client, first)
    assert (status, body["code"]) == (401, "refresh_reused")
    status, body = await refreshed(client, second["refresh_token"])
    assert (status, body["code"]) == (401, "session_revoked")
    over = await client.get(ME, headers=bearer(second["access_token"]))
    assert (over.status_code, over.json()["code"]) == (401, "session_revoked")
    told = twins.publisher.read(USER_EVENTS)
    assert [type(event) for event in told].count(RefreshReuseDetected) == 1


async def test_s18_of_two_tabs_that_refresh_at_once_one_does(client: Client) -> None:
    await registered(client)
    token = (await log_in(client)).json()["refresh_token"]
    for _ in range(10):
        answers = await asyncio.gather(*(refreshed(client, token) for _ in range(10)))
        done = [body for status, body in answers if status == 200]
        others = {(status, body.get("code")) for status, body in answers if status != 200}
        assert len(done) == 1
        assert others == {(409, "refresh_in_progress")}
        token = done[0]["refresh_token"]
        assert (await client.get(ME, headers=bearer(done[0]["access_token"]))).status_code == 200


@pytest.mark.stack
async def test_s18_of_two_tabs_at_two_gateways_one_does(environ: dict[str, str]) -> None:
    ada = person()
    async with running(environ) as one, running(environ) as other:
        tabs = [one.client, other.client]
        await one.client.post(f"{BASE}/auth/register", json=ada)
        login = {name: ada[name] for name in ("username", "password")}
        token = (await one.client.post(f"{BASE}/auth/login", json=login)).json()["refresh_token"]
        for _ in range(100):
            tabs.reverse()  # the first to ask has a head start
            answers = sorted(
                await asyncio.gather(*(refreshed(tab, token) for tab in tabs)),
                key=lambda answer: answer[0],
            )
            [(_, done), (_, refused)] = answers
            assert [status for status, _ in answers] == [200, 409]
            assert refused["code"] == "refresh_in_progress"
            assert not {"access_token", "refresh_token"} & refused.keys()
            for tab in tabs:
                me = await tab.get(ME, headers=bearer(done["access_token"]))
                assert me.status_code == 200
            token = done["refresh_token"]


async def test_s19_a_logout_holds_on_every_gateway(client: Client, parts: Parts) -> None:
    await registered(client)
    pair = (await log_in(client)).json()
    headers = bearer(pair["access_token"])
    assert (await client.post(f"{BASE}/auth/logout", headers=headers)).status_code == 204
    async with calling(replace(parts)) as other:
        assert (await other.get(ME, headers=headers)).json()["code"] == "session_revoked"
        assert (await refreshed(other, pair["refresh_token"]))[1]["code"] == "session_revoked"


async def test_s20_sessions_end_when_idle_and_after_their_time(
    client: Client, twins: Twins
) -> None:
    await registered(client)
    idle = (await log_in(client)).json()["refresh_token"]
    used = (await log_in(client)).json()
    for _ in range(30 * DAY // (IDLE - 1)):
        twins.clock.ms += IDLE - 1
        status, used = await refreshed(client, used["refresh_token"])
        assert status == 200
    assert (await refreshed(client, idle))[1]["code"] == "session_revoked"
    twins.clock.ms += 30 * DAY % (IDLE - 1)
    assert (await refreshed(client, used["refresh_token"]))[1]["code"] == "session_revoked"


async def test_s20_an_eleventh_session_ends_the_first(client: Client, twins: Twins) -> None:
    await registered(client)
    opened = []
    for _ in range(MOST + 1):
        twins.clock.ms += 1
        opened.append(await session(client))
    statuses = [(await client.get(ME, headers=each)).status_code for each in opened]
    assert statuses == [401] + [200] * MOST


async def test_s21_rights_are_read_at_each_request(client: Client, twins: Twins) -> None:
    for name in ("root", "ada"):
        await registered(client, name)
    twins.users.items[twins.users.names["root"]]["role"] = {"S": "admin"}
    root, ada = await session(client, "root"), await session(client, "ada")
    users = f"{BASE}/admin/users"
    role = f"{users}/{twins.users.names['ada']}/role"
    assert (await client.get(users, headers=ada)).json()["code"] == "forbidden"
    assert (await client.put(role, headers=root, json={"role": "admin"})).status_code == 200
    assert (await client.get(users, headers=ada)).status_code == 200
    assert (await client.put(role, headers=root, json={"role": "customer"})).status_code == 200
    refused = await client.get(users, headers=ada)
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")


async def test_s22_the_list_of_sessions_is_one_s_own_and_opens_nothing(
    client: Client, twins: Twins
) -> None:
    for name in ("ada", "eve"):
        await registered(client, name)
    ada, eve = await session(client, "ada"), await session(client, "eve")
    other = (
        await client.post(
            f"{BASE}/auth/login",
            json={"username": "ada", "password": "correct horse battery"},
            headers={"User-Agent": "curl/8"},
        )
    ).json()
    listed = (await client.get(SESSIONS, headers=ada)).json()["items"]
    fields = {"id", "created_at", "last_seen", "user_agent", "address", "current"}
    assert [set(one) for one in listed] == [fields, fields]
    assert sorted((one["user_agent"] == "curl/8", one["current"]) for one in listed) == [
        (False, True),
        (True, False),
    ]
    assert {one["address"] for one in listed} == {"192.0.2.0/24"}
    assert not [id_ for id_ in twins.sessions.rows if id_ in str(listed)]
    [theirs] = (await client.get(SESSIONS, headers=eve)).json()["items"]
    for unknown in (theirs["id"], "0" * 32):
        answer = await client.delete(f"{SESSIONS}/{unknown}", headers=ada)
        assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    mine = next(one["id"] for one in listed if not one["current"])
    assert (await client.delete(f"{SESSIONS}/{mine}", headers=ada)).status_code == 204
    ended = await client.get(ME, headers=bearer(other["access_token"]))
    assert ended.json()["code"] == "session_revoked"
    assert (await client.get(ME, headers=ada)).status_code == 200


@pytest.mark.parametrize("target", ["self", "last"])
async def test_s31_nobody_makes_himself_more_or_all_less(
    client: Client, twins: Twins, target: str
) -> None:
    root, ada = await registered(client, "root"), await registered(client, "ada")
    twins.users.items[root]["role"] = {"S": "admin"}
    headers = await session(client, "root" if target == "self" else "ada")
    about = root if target == "self" else ada
    answer = await client.put(
        f"{BASE}/admin/users/{about}/role", headers=headers, json={"role": "customer"}
    )
    assert answer.status_code == 403
    assert answer.json()["code"] == ("own_role" if target == "self" else "forbidden")
