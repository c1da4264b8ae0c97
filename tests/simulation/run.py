"""Runs one case, from nothing to what must hold."""

import logging

import structlog

from tests.simulation.case import Case, drawn
from tests.simulation.checks import check
from tests.simulation.loop import SeededLoop
from tests.simulation.world import World


def simulate(run: int | Case) -> World:
    """Returns the world after a seed's run, or a case's. Raises: Violation, Stuck, or what a service died of, with the
    one command that replays a seed.
    """
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    case = drawn(run) if isinstance(run, int) else run
    world = World(case)
    loop = SeededLoop(world.clock.advance, case.stream("loop") if case.weather.shuffled else None)

    async def whole() -> None:
        await world.run()
        await check(world)

    try:
        loop.run(whole())
    except BaseException as failure:
        failure.add_note(f"replay it by `.venv/bin/orderstream simulate --seed {case.seed}`")
        raise
    finally:
        world.clock.driven = False  # what was left may be read in any loop
    world.seen["a step of the loop"] = loop.steps
    return world
