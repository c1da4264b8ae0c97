"""A breaker before a store: while it does not answer, few wait for it and all others are told at once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
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

    @asynccontextmanager
    async def within(self, ms: int) -> AsyncIterator[None]:
        """Is the block, which moreover has so many ms. Raises: Unavailable if it is shut, or they were not enough."""
        with self:
            try:
                async with asyncio.timeout(ms / 1_000):
                    yield
            except TimeoutError as failure:
                raise Unavailable(self.component) from failure

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
