"""One subscription, however many follow."""

import asyncio
from collections.abc import AsyncIterator

from gateway.hearing import Hearing
from infra.views.port import Changed

CHANGED = Changed("topic", 0, 7, frozenset({"a"}), {})


class Source:
    """subscribed: how often."""

    def __init__(self) -> None:
        self.told: asyncio.Queue[Changed | None] = asyncio.Queue()
        self.subscribed = 0

    async def changes(self) -> AsyncIterator[Changed | None]:
        self.subscribed += 1
        yield None
        while True:
            yield await self.told.get()


async def test_all_who_follow_hear_each_change_by_one_subscription() -> None:
    source = Source()
    hearing = Hearing(source)
    one, other = hearing.changes(), hearing.changes()
    assert await anext(one) is await anext(other) is None
    task = asyncio.create_task(hearing.keep_hearing())
    assert await anext(one) is await anext(other) is None  # the subscription began
    source.told.put_nowait(CHANGED)
    assert await anext(one) == await anext(other) == CHANGED

    await one.aclose()  # type: ignore[attr-defined]
    source.told.put_nowait(None)
    assert await anext(other) is None
    assert source.subscribed == 1
    task.cancel()
