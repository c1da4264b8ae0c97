"""Readiness says what the last asking found."""

import asyncio
from collections.abc import Awaitable, Callable

from gateway.readiness import Readiness
from infra.unavailable import Unavailable
from infra.views.port import NotReady


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


async def test_who_has_begun_has_and_nobody_waits_for_the_history_to_begin() -> None:
    away: set[str] = {"users", "history"}

    def asked(name: str) -> Callable[[], Awaitable[None]]:
        async def answers() -> None:
            if name in away:
                raise NotReady(name)

        return answers

    names = ("users", "sessions", "history")
    ready = Readiness({name: asked(name) for name in names}, waits_not_for=("history",))
    await ready.ask()
    assert ready.begun() == {"users": False, "sessions": True}
    away.remove("users")
    away.add("sessions")
    await ready.ask()
    assert ready.begun() == {"users": True, "sessions": True}
    assert ready() == {"users": True, "sessions": False, "history": False}
