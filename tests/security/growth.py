"""How much memory processes take while they are attacked."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress

import psutil

MEBIBYTE = 1 << 20
ROOM = 64 * MEBIBYTE
LOOK_S = 0.01


@asynccontextmanager
async def grown(pids: Mapping[str, int]) -> AsyncIterator[dict[str, int]]:
    """Returns by name, after the block, the bytes that a process had in memory at most, above what it had before."""
    processes = {name: psutil.Process(pid) for name, pid in pids.items()}
    before = {name: each.memory_info().rss for name, each in processes.items()}
    most = dict.fromkeys(processes, 0)

    async def watch() -> None:
        while True:
            for name, each in processes.items():
                most[name] = max(most[name], each.memory_info().rss - before[name])
            await asyncio.sleep(LOOK_S)

    watching = asyncio.create_task(watch())
    try:
        yield most
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
