"""A breaker before a store: while it does not answer, few wait for it and all others are told at once."""

from types import TracebackType

from infra.log.clock import alive_ms
from infra.unavailable import Unavailable

PAUSE_MS = 300


class Breaker:
    """A block that raised Unavailable keeps others out for PAUSE_MS, with the same; then some try again."""

    def __init__(self, component: str) -> None:
        self.component = component
        self._shut_until = 0

    def __enter__(self) -> None:
        """Raises: Unavailable while it is shut."""
        if self._shut_until and alive_ms() < self._shut_until:
            raise Unavailable(self.component)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        if isinstance(error, Unavailable):
            self._shut_until = alive_ms() + PAUSE_MS
        elif kind is None:
            self._shut_until = 0
