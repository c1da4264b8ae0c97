"""Runs one seed, from nothing to what must hold."""

import asyncio
import logging

import structlog

from tests.simulation.checks import check
from tests.simulation.world import World


def simulate(seed: int) -> World:
    """Returns the world after the run. Raises: Violation, Stuck, or what a service died of, with the one command
    that replays it.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    world = World(seed)

    async def run() -> None:
        await world.run()
        await check(world)

    try:
        asyncio.run(run())
    except BaseException as failure:
        failure.add_note(
            f"seed {seed}: replay it by `.venv/bin/python -m tests.simulation --seed {seed}`"
        )
        raise
    return world
