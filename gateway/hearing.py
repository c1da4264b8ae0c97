"""One subscription for all in this process who follow what the live view shows."""

import asyncio
from collections.abc import AsyncIterator

from infra.views.port import Changed, Changes


class Hearing:
    """Changes for any number of listeners, none of whom keeps the others waiting."""

    def __init__(self, source: Changes) -> None:
        self._source = source
        self._ears: set[asyncio.Queue[Changed | None]] = set()

    async def keep_hearing(self) -> None:
        """Hears until it is canceled."""
        async for changed in self._source.changes():
            for ear in self._ears:
                ear.put_nowait(changed)

    async def changes(self) -> AsyncIterator[Changed | None]:
        ear: asyncio.Queue[Changed | None] = asyncio.Queue()
        self._ears.add(ear)
        try:
            yield None
            while True:
                yield await ear.get()
        finally:
            self._ears.discard(ear)
