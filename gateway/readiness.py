"""Is everything there that the edge can't do without? Asked once a second, told at once."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from infra.unavailable import Unavailable

WITHIN = 1  # s
EVERY = 1  # s
Components = Mapping[str, Callable[[], Awaitable[object]]]


class Readiness:
    """Says of each component whether it answered when it was last asked; none has before the first time."""

    def __init__(self, components: Components) -> None:
        self._components = components
        self._answering = dict.fromkeys(components, False)

    def __call__(self) -> Mapping[str, bool]:
        return self._answering

    async def ask(self) -> None:
        """Asks every component once."""
        answers = await asyncio.gather(*map(answers_in_time, self._components.values()))
        self._answering = dict(zip(self._components, answers, strict=True))

    async def keep_asking(self) -> None:
        """Asks until it is canceled."""
        while True:
            await self.ask()
            await asyncio.sleep(EVERY)


async def answers_in_time(ask: Callable[[], Awaitable[object]]) -> bool:
    try:
        async with asyncio.timeout(WITHIN):
            await ask()
    except (Unavailable, TimeoutError):
        return False
    return True
