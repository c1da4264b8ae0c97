"""Passwords that count how often they are hashed, and how many wait for it."""

from collections.abc import Callable
from typing import Any

from gateway.auth import Passwords


class Counted(Passwords):
    """hashings: done or begun; waiting: the most that ever waited at once."""

    def __init__(self) -> None:
        super().__init__()
        self.hashings = self.waiting = 0

    async def _run(self, work: Callable[..., Any], *arguments: str) -> Any:
        def counted(*given: str) -> Any:
            self.hashings += 1
            return work(*given)

        try:
            return await super()._run(self._seen(counted), *arguments)
        finally:
            self.waiting = max(self.waiting, self._waiting)

    def _seen(self, work: Callable[..., Any]) -> Callable[..., Any]:
        self.waiting = max(self.waiting, self._waiting)
        return work
