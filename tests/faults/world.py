"""All services at work on a broker, watched, and judged in the end."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple

from ops.stack.processes import SHELL_SERVICES
from tests.faults.lives import Life, living, now_ms
from tests.faults.load import Load, under_load
from tests.faults.verdict import verdict
from tests.faults.witness import Witness, witnessing


class World(NamedTuple):
    """Every service, each a process by itself; what they are asked, and who watches them."""

    lives: dict[str, Life]
    load: Load
    witness: Witness


@asynccontextmanager
async def busy(kafka: str, folder: Path, **through: str) -> AsyncIterator[World]:
    """Yields a world under load in which every service works; after the block it rests and is judged.

    through: host:port by which a service reaches the broker, if not straight. Raises: AssertionError by the verdict.
    """
    begun = now_ms()
    async with living(kafka, folder, **through) as lives:
        async with witnessing(kafka) as witness, under_load(kafka) as load:
            for service in SHELL_SERVICES:
                await witness.spoke(service, begun)
            yield World(lives, load, witness)
        await verdict({"kafka": kafka})
