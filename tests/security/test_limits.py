"""Rate limits, and the sessions' store away: rows 4, 51 to 53 of the security table."""

from dataclasses import replace
from ipaddress import ip_network

import httpx2
import pytest

from gateway.address import address
from gateway.deps import Parts
from gateway.rates import PRODUCTION, Rates, budget, rates_of
from tests.gateway.conftest import ADA, Twins

from .conftest import BASE, Client, calling, log_in, registered, session

PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


async def test_s04_an_address_registers_five_users_an_hour(parts: Parts, twins: Twins) -> None:
    door = replace(parts.door, rates=Rates(PRODUCTION))
    async with calling(replace(parts, door=door)) as client:
        for n in range(5):
            await registered(client, f"user-{n}")
        who = ADA | {"username": "user-5", "email": "user-5@example.org"}
        refused = await client.post(f"{BASE}/auth/register", json=who)
        assert (refused.status_code, refused.json()["code"]) == (429, "rate_limited")
        assert refused.headers["Retry-After"] == "720"
    async with calling(replace(parts, door=door), "198.51.100.1") as other:
        assert (await other.post(f"{BASE}/auth/register", json=who)).status_code == 201


async def test_s04_a_taken_name_tells_nothing_of_who_has_it(client: Client) -> None:
    await registered(client)
    for taken, code in (
        (ADA | {"email": "eve@example.org"}, "username_taken"),
        (ADA | {"username": "eve"}, "email_taken"),
    ):
        answer = await client.post(f"{BASE}/auth/register", json=taken)
        assert (answer.status_code, answer.json()["code"]) == (409, code)
        assert set(answer.json()) == {"type", "title", "status", "code", "request_id"}
        assert "ada" not in answer.text.replace(answer.json()["request_id"], "")


async def test_s51_an_account_sends_a_burst_and_then_so_many_a_second(
    strict: Client, parts: Parts, twins: Twins
) -> None:
    for name in ("ada", "eve"):
        await registered(strict, name)
    ada, eve = await session(strict), await session(strict, "eve")
    answers = [await deposited(strict, ada) for _ in range(60)]
    assert [answer.status_code for answer in answers] == [201] * 40 + [429] * 20
    first, last = answers[0].headers, answers[-1].headers
    assert first["RateLimit-Policy"] == '"commands";q=40;w=2'
    assert first["RateLimit"] == '"commands";r=39;t=1'
    assert (first["X-RateLimit-Limit"], first["X-RateLimit-Remaining"]) == ("40", "39")
    assert (last["RateLimit"], last["Retry-After"]) == ('"commands";r=0;t=2', "1")
    assert len(twins.backstage.commands()) == 40  # what was refused is not in the log
    async with calling(replace(parts, door=replace(parts.door, rates=Rates(PRODUCTION)))) as two:
        refused = await deposited(two, ada)
        assert refused.status_code == 429  # gateways count together
    assert (await strict.get(f"{BASE}/balance", headers=ada)).status_code == 200
    assert (await deposited(strict, eve)).status_code == 201
    twins.clock.ms += 500
    answers = [await deposited(strict, ada) for _ in range(12)]
    assert [answer.status_code for answer in answers] == [201] * 10 + [429] * 2


async def deposited(client: Client, headers: dict[str, str]) -> httpx2.Response:
    return await client.post(f"{BASE}/balance/deposit", headers=headers, json={"amount": "1.00"})


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/api/v1/nowhere", {}),
        ("/api/v1/inventory/assets", {}),
        ("/api/v1/balance", {}),
        ("/api/v1/balance", {"Authorization": "Bearer guessed"}),
    ],
)
async def test_s51_who_has_no_session_is_counted_by_address_whatever_he_asks(
    strict: Client, path: str, headers: dict[str, str]
) -> None:
    answers = [await strict.get(path, headers=headers) for _ in range(102)]
    assert {answer.status_code for answer in answers[:100]} != {429}
    assert {answer.status_code for answer in answers[100:]} == {429}
    assert all("RateLimit" in answer.headers for answer in answers)


@pytest.mark.parametrize(
    ("peer", "forwarded", "counts_as"),
    [
        ("192.0.2.1", "1.2.3.4", "192.0.2.1"),  # no proxy of ours
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "1.2.3.4", "1.2.3.4"),
        ("10.0.0.1", "6.6.6.6, 1.2.3.4", "1.2.3.4"),  # the client's own word does not count
        ("10.0.0.1", "6.6.6.6, 1.2.3.4, 10.0.0.2", "1.2.3.4"),
        ("10.0.0.1", "1.2.3.4, nonsense", "10.0.0.1"),
        ("10.0.0.1", "::ffff:1.2.3.4", "1.2.3.4"),
        ("2001:db8:1:2:3:4:5:6", "", "2001:db8:1:2::/64"),
        ("fd00::1", "2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("not an address", "", "unknown"),
    ],
)
def test_s52_an_address_is_what_our_own_proxies_say(
    peer: str, forwarded: str, counts_as: str
) -> None:
    headers = [(b"x-forwarded-for", forwarded.encode())] if forwarded else []
    assert address({"client": (peer, 1), "headers": headers}, PROXIES) == counts_as


async def test_s53_without_the_sessions_nobody_is_let_in_and_what_is_public_goes_on(
    strict: Client, twins: Twins
) -> None:
    await registered(strict)
    ada = await session(strict)
    twins.sessions.away = True
    for path in ("/balance", "/orders", "/auth/me", "/auth/sessions"):
        away = await strict.get(f"{BASE}{path}", headers=ada)
        assert (away.status_code, away.json()["code"]) == (503, "dependency_unavailable")
        assert away.headers["Retry-After"] == "1"
    assert (await strict.get("/health")).status_code == 200
    answers = [await strict.get(f"{BASE}/inventory/assets") for _ in range(101)]
    assert [answer.status_code for answer in answers] == [200] * 100 + [429]
    assert len({answer.headers["RateLimit"] for answer in answers}) > 50  # this process counts

    twins.sessions.away = False
    twins.sessions.rows.clear()  # wiped
    assert (await strict.get(f"{BASE}/balance", headers=ada)).json()["code"] == "session_revoked"
    assert (await log_in(strict)).status_code == 200


@pytest.mark.parametrize("wrong", ["", "20", "20/day", "0/s", "20/s:0", "-1/s", "20/s:4x"])
def test_a_rate_that_can_t_be_read_is_refused_by_name(wrong: str) -> None:
    with pytest.raises(ValueError, match="commands: a rate is written"):
        budget("commands", wrong)


def test_a_limit_that_there_isn_t_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match="no such rate: ordes; there are commands, reads"):
        rates_of("production", {"ordes": "1/s"})
    assert rates_of("production", {"reads": "1/s"}) == {**PRODUCTION, "reads": "1/s"}
