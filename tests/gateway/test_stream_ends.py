"""How a stream of an account ends, on twins, and how many there may be."""

import asyncio

from gateway.deps import Parts
from tests.gateway.backstage import Backstage
from tests.gateway.listener import Follow, follow
from tests.stand import until

from .conftest import Twins
from .routes.conftest import Customer, backstage, customer, other

__all__ = ["backstage", "customer", "follow", "other"]


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
