"""Waiting for something that others bring about, woken when anything has changed: nobody polls."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

from infra.log.clock import alive_ms
from infra.views.port import Changed

T = TypeVar("T")


class Moves:
    """Who waits for the rows of a place to change."""

    def __init__(self) -> None:
        self._next: dict[str, asyncio.Future[None]] = {}

    async def until(
        self, place: str, seconds: int, look: Callable[[], Awaitable[T | None]]
    ) -> T | None:
        """Returns what look() returns once that is something, asked at each change; None if it is not in time."""
        deadline = alive_ms() + 1_000 * seconds
        while True:
            moved = self._moved(place)  # before the look, so that no change is missed
            if (found := await look()) is not None:
                return found
            left = deadline - alive_ms()
            if left <= 0:
                return None
            await asyncio.wait([moved], timeout=left / 1_000)

    def tell(self, changed: Changed | None) -> None:
        """Wakes who waits for the change. None: anything may have changed."""
        for place in list(self._next) if changed is None else [str(changed.partition)]:
            if moved := self._next.pop(place, None):
                moved.set_result(None)

    def _moved(self, place: str) -> asyncio.Future[None]:
        if place not in self._next:
            self._next[place] = asyncio.get_running_loop().create_future()
        return self._next[place]
