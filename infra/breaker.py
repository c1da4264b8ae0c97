"""A breaker before a store: while it does not answer, few wait for it and all others are told at once."""

import asyncio
from types import TracebackType

from infra.log.clock import alive_ms
from infra.unavailable import Unavailable

PAUSE_MS = 300


class Breaker:
    """A block that raised Unavailable keeps others out for PAUSE_MS, with the same; then one tries again, and the
    others stay out until that one knows.
    """

    def __init__(self, component: str) -> None:
        self.component = component
        self._shut_until = 0
        self._trying = False

    def within(self, ms: int) -> "Within":
        """Is the block, which moreover has so many ms. Raises: Unavailable if it is shut, or they were not enough."""
        return Within(self, ms)

    def __enter__(self) -> None:
        """Raises: Unavailable while it is shut."""
        if not self._shut_until:
            return
        if self._trying or alive_ms() < self._shut_until:
            raise Unavailable(self.component)
        self._trying = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._trying = False
        if isinstance(error, Unavailable):
            self._shut_until = alive_ms() + PAUSE_MS
        elif kind is None or issubclass(kind, Exception):  # it has answered, whatever it said
            self._shut_until = 0


class Within:
    """The block of `Breaker.within`."""

    def __init__(self, breaker: Breaker, ms: int) -> None:
        self._breaker, self._limit = breaker, asyncio.timeout(ms / 1_000)

    async def __aenter__(self) -> None:
        self._breaker.__enter__()
        await self._limit.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        try:
            await self._limit.__aexit__(kind, error, at)
        except TimeoutError as failure:
            unavailable = Unavailable(self._breaker.component)
            self._breaker.__exit__(Unavailable, unavailable, None)
            raise unavailable from failure
        self._breaker.__exit__(kind, error, at)
