"""Waiting for something, but no longer than so many ms of the clock."""

import asyncio
from typing import Any

from infra.log.clock import ring
from infra.log.port import Clock


async def done_within(clock: Clock, work: asyncio.Future[Any], ms: int) -> bool:
    """Returns whether the work is done, as soon as it is, at the latest after so many ms. It is left to run on."""
    woken = asyncio.get_running_loop().create_future()

    def wake(_: object) -> None:
        ring(woken)

    work.add_done_callback(wake)
    try:
        await clock.until(woken, ms)
    finally:
        work.remove_done_callback(wake)
    return work.done()
