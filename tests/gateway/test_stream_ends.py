"""How a stream of an account ends, on twins, and how many there may be."""

import asyncio
from dataclasses import replace
from typing import Any

from gateway.app import create_app
from gateway.deps import Parts
from tests.gateway.backstage import Backstage
from tests.gateway.listener import Follow, follow, listening
from tests.stand import until

from .conftest import Clock, Twins
from .routes.conftest import BASE, Customer, backstage, customer, other

__all__ = ["backstage", "customer", "follow", "other"]


async def test_a_client_that_takes_nothing_is_dropped(
    parts: Parts, follow: Follow, customer: Customer
) -> None:
    async with follow() as listener:
        await listener.event("snapshot")
        listener.reading.clear()
        await customer.deposit("1.00")
        await listener.cut_off()
        assert parts.streams.hub.count == 0


async def test_a_client_that_goes_is_forgotten(
    parts: Parts, follow: Follow, customer: Customer
) -> None:
    async with follow() as listener:
        await listener.event("snapshot")
        assert parts.streams.hub.count == 1
    assert parts.streams.hub.count == 0


async def test_it_gives_signs_of_life_and_moves_on_by_them(
    follow: Follow, customer: Customer, other: Customer
) -> None:
    async with follow() as listener:
        first = await listener.event("snapshot")
        await other.deposit("7.00")
        await until(lambda: listener.parser.beats > 0, "it gives a sign of life")
        assert listener.parser.last_id != first.id
        assert listener.waiting() == []
    async with follow(last_id=listener.parser.last_id) as again:
        await customer.deposit("1.00")
        assert (await again.event("balance")).data["total"] == "1.00"


async def test_the_sixth_stream_of_an_account_is_one_too_many(
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


async def test_whoever_has_no_token_gets_no_byte(customer: Customer, follow: Follow) -> None:
    token = customer.headers["Authorization"].partition(" ")[2]
    answer = await customer.client.get(f"/api/v1/stream?access_token={token}")
    assert (answer.status_code, answer.json()["code"]) == (401, "authentication_required")
    async with follow(f"?access_token={token}") as listener:
        assert listener.status == 200


async def test_a_view_that_is_away_is_a_problem_before_the_first_byte(
    parts: Parts, customer: Customer, backstage: Backstage
) -> None:
    backstage.live.away = True
    assert await customer.refused("/stream") == (503, "dependency_unavailable")
    backstage.live.away = False
    await backstage.live.show(ready=False)
    assert await customer.refused("/stream") == (503, "view_behind")
    assert parts.streams.hub.count == 0


async def test_a_view_that_goes_away_ends_the_stream_with_a_code(
    follow: Follow, customer: Customer, backstage: Backstage
) -> None:
    async with follow() as listener:
        await listener.event("snapshot")
        backstage.live.away = True
        error = await listener.event("error")
        assert error.data == {"code": "dependency_unavailable"}
        await listener.ended()


async def test_a_fault_of_ours_says_nothing_of_itself(parts: Parts, customer: Customer) -> None:
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


async def test_it_ends_with_its_session(follow: Follow, twins: Twins) -> None:
    async with follow() as listener:
        await listener.event("snapshot")
        twins.sessions.rows.clear()  # nobody tells of it
        await listener.event("auth_expired")
        await listener.ended()


async def test_a_logout_ends_it_at_once(
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


async def test_who_may_have_missed_the_end_of_a_session_looks(
    parts: Parts, follow: Follow, twins: Twins
) -> None:
    parts.streams.hub.beat_s = 60
    async with follow() as listener:
        await listener.event("snapshot")
        twins.sessions.rows.clear()
        again = asyncio.create_task(parts.streams.hub.follow_endings())
        await listener.event("auth_expired")
        again.cancel()


async def test_it_ends_with_its_token(follow: Follow, clock: Clock) -> None:
    async with follow() as listener:
        await listener.event("snapshot")
        clock.ms += 600_000
        await listener.event("auth_expired")
        await listener.ended()


async def test_it_ends_at_once_when_told(
    parts: Parts, follow: Follow, customer: Customer, other: Customer, twins: Twins
) -> None:
    hub, (first, *_) = parts.streams.hub, twins.sessions.rows
    await customer.log_in()
    *_, newest = twins.sessions.rows
    async with follow() as one, follow(of=other) as others:
        await one.event("snapshot")
        await others.event("snapshot")
        assert hub.end(first) == 0
        assert hub.end(newest) == 1
        async with asyncio.timeout(1):
            await one.event("auth_expired")
            await one.ended()
        assert hub.count == 1
        assert others.waiting() == []


async def test_it_ends_at_once_though_its_client_reads_nothing(
    parts: Parts, follow: Follow, customer: Customer, twins: Twins
) -> None:
    [session_id] = twins.sessions.rows
    async with follow() as listener:
        await listener.event("snapshot")
        listener.reading.clear()
        await customer.deposit("1.00")
        parts.streams.hub.end(session_id)
        await listener.cut_off()
        assert parts.streams.hub.count == 0


async def test_sessions_that_nobody_can_look_up_end_it_after_a_while(
    follow: Follow, twins: Twins
) -> None:
    async with follow() as listener:
        await listener.event("snapshot")
        twins.sessions.away = True
        error = await listener.event("error")
        assert error.data == {"code": "dependency_unavailable"}
        assert listener.parser.beats


async def test_a_process_that_ends_ends_its_streams(
    parts: Parts, follow: Follow, customer: Customer
) -> None:
    async with follow() as listener:
        await listener.event("snapshot")
        parts.streams.hub.close()
        await listener.ended()
    assert listener.whole
    assert await customer.refused("/stream") == (503, "overloaded")


async def test_a_process_has_only_so_many(parts: Parts, follow: Follow, customer: Customer) -> None:
    hub = parts.streams.hub
    hub.most = 2
    async with follow(), follow():
        assert await customer.refused("/stream") == (503, "overloaded")
    async with follow() as again:
        await again.event("snapshot")
