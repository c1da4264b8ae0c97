"""Readiness says what the last asking found."""

import asyncio

from gateway.readiness import Readiness
from infra.unavailable import Unavailable


async def test_nothing_is_ready_before_it_was_asked() -> None:
    async def answers() -> None: ...

    ready = Readiness({"users": answers})
    assert ready() == {"users": False}
    await ready.ask()
    assert ready() == {"users": True}


async def test_what_is_away_or_silent_is_not_ready_and_delays_no_other() -> None:
    async def answers() -> str:
        return "anything"

    async def away() -> None:
        raise Unavailable("users")

    silent = asyncio.Event()
    ready = Readiness({"users": away, "sessions": silent.wait, "kafka": answers})
    await ready.ask()
    assert ready() == {"users": False, "sessions": False, "kafka": True}
    silent.set()
    await ready.ask()
    assert ready() == {"users": False, "sessions": True, "kafka": True}
