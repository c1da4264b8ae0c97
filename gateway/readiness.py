"""What is there of all that the edge works with, asked once a second and told at once.

A request is refused only if what it needs is away, so a gateway that has begun stays before its clients: a server is
away for all gateways alike.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping

from infra.unavailable import Unavailable
from infra.views.port import NotReady

WITHIN = 1  # s
EVERY = 1  # s
Components = Mapping[str, Callable[[], Awaitable[object]]]


class Readiness:
    """Says of each component whether it answered when it was last asked; none has before the first time.

    waits_not_for: those without which a gateway begins.
    """

    def __init__(self, components: Components, waits_not_for: Collection[str] = ()) -> None:
        self._components = components
        self._answering = dict.fromkeys(components, False)
        self._begun = {name: False for name in components if name not in waits_not_for}

    def __call__(self) -> Mapping[str, bool]:
        return self._answering

    def begun(self) -> Mapping[str, bool]:
        """Returns of each component whether it has ever answered."""
        return self._begun

    async def ask(self) -> None:
        """Asks every component once."""
        answers = await asyncio.gather(*map(answers_in_time, self._components.values()))
        self._answering = dict(zip(self._components, answers, strict=True))
        self._begun = {name: had or self._answering[name] for name, had in self._begun.items()}

    async def keep_asking(self) -> None:
        """Asks until it is canceled."""
        while True:
            await self.ask()
            await asyncio.sleep(EVERY)


async def answers_in_time(ask: Callable[[], Awaitable[object]]) -> bool:
    try:
        async with asyncio.timeout(WITHIN):
            await ask()
    except (NotReady, Unavailable, TimeoutError):
        return False
    return True
