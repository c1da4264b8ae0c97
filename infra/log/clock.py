"""The clocks: the machine's, and one that never waits."""

import asyncio
import heapq
import time

ALIVE = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)  # goes on while suspended


def alive_ms() -> int:
    """Returns ms since some moment in the past, through every change of the wall clock."""
    return time.clock_gettime_ns(ALIVE) // 1_000_000


class SystemClock:
    """The machine's clock."""

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    async def sleep(self, ms: int) -> None:
        await asyncio.sleep(ms / 1000)

    async def until(self, woken: asyncio.Future[None], ms: int) -> None:
        alarm = asyncio.get_running_loop().call_later(ms / 1000, ring, woken)
        try:
            await woken
        finally:
            alarm.cancel()


class VirtualClock:
    """Stands still while anything can run; then jumps to the next moment that is waited for.

    Deterministic: whoever waits for the same moment goes on in the order of asking. One at a time
    in a loop: two would each wait for the other to stand still. driven: by a loop that calls
    `advance` itself whenever nothing can run.
    """

    def __init__(self, now_ms: int = 1_700_000_000_000, *, driven: bool = False) -> None:
        self._now = now_ms
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._asked = 0
        self._watched = False
        self.driven = driven

    def now_ms(self) -> int:
        return self._now

    def jump(self, ms: int) -> None:
        """Goes on by so much at once, as for a machine that was suspended."""
        self._now += ms

    async def sleep(self, ms: int) -> None:
        if ms <= 0:
            await asyncio.sleep(0)
        else:
            await self.until(asyncio.get_running_loop().create_future(), ms)

    async def until(self, woken: asyncio.Future[None], ms: int) -> None:
        self._asked += 1
        heapq.heappush(self._waiting, (self._now + ms, self._asked, woken))
        if not (self.driven or self._watched):
            self._watched = True
            asyncio.get_running_loop().call_soon(self._watch)
        await woken

    def advance(self) -> bool:
        """Jumps to the next moment that is waited for. Returns whether there is one."""
        self._forget_woken()
        if self._waiting:
            due, _, woken = heapq.heappop(self._waiting)
            self._now = max(self._now, due)
            ring(woken)
            return True
        return False

    def _forget_woken(self) -> None:
        """Drops who was woken early, or cancelled: for them no time passes."""
        while self._waiting and self._waiting[0][2].done():
            heapq.heappop(self._waiting)

    def _watch(self) -> None:
        """Advances if nothing but this function is ready to run; else lets the others go first."""
        loop = asyncio.get_running_loop()
        if not loop._ready:  # type: ignore[attr-defined]  # no public name says: idle
            self.advance()
        self._forget_woken()
        self._watched = bool(self._waiting)
        if self._watched:
            loop.call_soon(self._watch)


def ring(woken: asyncio.Future[None]) -> None:
    if not woken.done():
        woken.set_result(None)
