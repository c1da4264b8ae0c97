"""Whose streams there are, for how long and how many: rows 61 to 63 of the security table, and streams' part of 73."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from events.codec import stamp
from events.order import FreezeAccount, UnfreezeAccount
from events.topics import ORDER_COMMANDS
from gateway.app import create_app
from gateway.deps import Parts
from gateway.streaming import BEAT_S, MOST, MOST_OF_ONE
from ops.client.sse import Event
from tests.gateway.backstage import Backstage
from tests.gateway.conftest import ADA, Clock, Twins
from tests.gateway.listener import Follow, Listener, follow, listening
from tests.gateway.routes.conftest import BASE, Customer, backstage, customer, other
from tests.messages import orders

from .test_browser import SAME

__all__ = ["backstage", "customer", "follow", "other"]


async def test_s61_whoever_has_no_token_gets_no_byte(customer: Customer, follow: Follow) -> None:
    token = customer.headers["Authorization"].partition(" ")[2]
    answer = await customer.client.get(f"/api/v1/stream?access_token={token}")
    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_required")
    async with follow(f"?access_token={token}") as listener:
        assert listener.status == 200


@pytest.mark.parametrize("name", ["token", "access_token", "authorization", "bearer", "jwt"])
async def test_s61_no_parameter_is_a_token(customer: Customer, name: str) -> None:
    token = customer.headers["Authorization"].partition(" ")[2]
    answer = await customer.client.get(f"{BASE}/stream", params={name: token})
    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_required")
    assert token not in answer.text


async def test_s61_a_cookie_opens_it_for_a_page_of_this_site_alone(
    parts: Parts, customer: Customer
) -> None:
    login = {name: ADA[name] for name in ("username", "password")}
    answer = await customer.client.post(f"{BASE}/auth/login?cookie=true", json=login)
    cookies = "; ".join(line.partition(";")[0] for line in answer.headers.get_list("set-cookie"))
    customer.client.cookies.clear()
    app = create_app(parts)
    async with listening(app, "/stream", {"Cookie": cookies, **SAME}) as listener:
        await listener.event("snapshot")
    evil = {"Cookie": cookies, "Origin": "https://evil.example"}
    async with listening(app, "/stream", evil) as listener:
        assert "access-control-allow-origin" not in listener.headers


async def test_s62_it_ends_with_its_session(follow: Follow, twins: Twins) -> None:
    async with follow() as listener:
        await listener.event("snapshot")
        twins.sessions.rows.clear()  # nobody tells of it
        await listener.event("auth_expired")
        await listener.ended()


async def test_s62_a_logout_ends_it_at_once(
    parts: Parts, follow: Follow, customer: Customer, other: Customer
) -> None:
    parts.streams.hub.beat_s = 60
    async with follow() as listener, follow(of=other) as others:
        await listener.event("snapshot")
        await others.event("snapshot")
        async with asyncio.timeout(1):
            logout = f"{BASE}/auth/logout"
            answer = await customer.client.post(logout, headers=customer.headers)
            assert answer.status_code == 204
            await listener.event("auth_expired")
            await listener.ended()
        assert others.waiting() == []


async def test_s62_it_ends_with_its_token(follow: Follow, clock: Clock) -> None:
    async with follow() as listener:
        await listener.event("snapshot")
        clock.ms += 600_000
        await listener.event("auth_expired")
        await listener.ended()


async def test_s62_a_new_password_ends_the_other_sessions_streams(
    parts: Parts, follow: Follow, customer: Customer
) -> None:
    parts.streams.hub.beat_s = 60
    async with follow() as listener:
        await listener.event("snapshot")
        await customer.log_in()  # from elsewhere
        body = {"current_password": ADA["password"], "password": "another horse battery"}
        async with asyncio.timeout(5):
            assert (await customer.post("/auth/password", body)).status_code == 204
            await listener.event("auth_expired")
            await listener.ended()


async def publish(backstage: Backstage, command: FreezeAccount | UnfreezeAccount) -> None:
    now = backstage.now()
    await backstage.publish(ORDER_COMMANDS, stamp(command, occurred_at=now, created_at=now))


async def coming(listener: Listener, last: str) -> list[Event]:
    """Returns what comes before the first event of that name, and that."""
    events = [await listener.event()]
    while events[-1].name != last:
        events.append(await listener.event())
    return events


@pytest.mark.parametrize("told", [["account"], []])
async def test_s62_a_freeze_ends_it_whatever_it_follows(
    follow: Follow, customer: Customer, backstage: Backstage, told: list[str]
) -> None:
    account_id = (await customer.get("/auth/me"))["id"]
    channels = ",".join([*told, "positions"])
    async with follow(f"?channels={channels}") as listener:
        await publish(backstage, orders.freeze(n=900, account_id=account_id))
        first, *frozen, _ = await coming(listener, "auth_expired")
        await listener.ended()
    assert first.name == "snapshot"
    assert [(event.name, event.data["frozen"]) for event in frozen] == [
        (name, True) for name in told
    ]
    async with follow(f"?channels={channels}", last_id=listener.parser.last_id) as again:
        await publish(backstage, orders.unfreeze(n=901, account_id=account_id))
        await customer.deposit("9.00")
        await customer.order("buy", notional="5.00")
        *thawed, _ = await coming(again, "position")
    assert [(event.name, event.data["frozen"]) for event in thawed] == [
        (name, False) for name in told
    ]


def test_s62_a_session_is_looked_at_often_enough() -> None:
    assert BEAT_S <= 30


async def test_s63_nobody_sees_another_s_whatever_he_resumes_from(
    follow: Follow, customer: Customer, other: Customer
) -> None:
    await customer.deposit("100.00")
    await other.deposit("7.00")
    async with follow() as listener, follow(of=other) as others:
        first = await listener.event("snapshot")
        assert (await others.event("snapshot")).data["balance"]["total"] == "7.00"
        await customer.deposit("1.00")
        assert (await listener.event("balance")).data["total"] == "101.00"
        await other.deposit("1.00")
        assert (await others.event("balance")).data["total"] == "8.00"
        assert listener.waiting() == others.waiting() == []
    async with follow(of=other, last_id=first.id) as foreign:
        assert (await foreign.event("balance")).data["total"] == "8.00"
        assert foreign.waiting() == []


async def test_s63_the_sixth_stream_of_an_account_is_one_too_many(
    follow: Follow, customer: Customer, other: Customer
) -> None:
    async with follow(), follow(), follow(), follow():
        async with follow() as fifth:
            await fifth.event("snapshot")
            answer = await customer.client.get("/api/v1/stream", headers=customer.headers)
            assert (answer.status_code, answer.json()["code"]) == (429, "too_many_streams")
            assert int(answer.headers["Retry-After"])
            async with follow(of=other) as free:
                await free.event("snapshot")
        async with follow() as again:
            await again.event("snapshot")


async def test_s63_a_client_that_takes_nothing_is_dropped(
    parts: Parts, follow: Follow, customer: Customer
) -> None:
    async with follow() as listener:
        await listener.event("snapshot")
        listener.reading.clear()
        await customer.deposit("1.00")
        await listener.cut_off()
        assert parts.streams.hub.count == 0


async def test_s63_a_process_has_only_so_many(
    parts: Parts, follow: Follow, customer: Customer
) -> None:
    hub = parts.streams.hub
    hub.most = 2
    async with follow(), follow():
        assert await customer.refused("/stream") == (503, "overloaded")
    async with follow() as again:
        await again.event("snapshot")


def test_s63_the_bounds_are_the_table_s() -> None:
    assert (MOST_OF_ONE, MOST) == (5, 2_000)


@pytest.mark.parametrize(
    "channels", ["orders:eve", "eve", "orders,eve", "*", "", "orders,,balance", "../eve"]
)
async def test_s63_there_is_no_channel_of_another(customer: Customer, channels: str) -> None:
    assert await customer.refused("/stream", channels=channels) == (422, "validation_failed")


async def test_s73_a_stream_s_fault_says_a_code_and_no_more(
    parts: Parts, customer: Customer
) -> None:
    class Broken:
        partitions = 1
        looks = 0

        async def look(self, *asked: Any) -> Any:
            self.looks += 1
            if self.looks > 1:
                raise RuntimeError("secret://host:1234")
            return await parts.streams.live.look(*asked)

    streams = parts.streams._replace(live=Broken())
    async with listening(
        create_app(replace(parts, streams=streams)), "/stream", customer.headers
    ) as listener:
        await listener.event("snapshot")
        assert (await listener.event("error")).data == {"code": "internal"}
        await listener.ended()
    assert b"secret" not in listener.body
