"""Runs one case, from nothing to what must hold."""

import logging
from typing import NamedTuple

import structlog

from tests.simulation.case import Case, Crash, drawn
from tests.simulation.checks import check
from tests.simulation.loop import SeededLoop
from tests.simulation.world import World


class Failure(NamedTuple):
    """kind: what was violated, and where that was noticed; crashes: those of the run."""

    kind: str
    text: str
    crashes: tuple[Crash, ...]


def simulate(run: int | Case) -> World:
    """Returns the world after a seed's run, or a case's. Raises: Violation, Stuck, or what a service died of, with the
    one command that replays a seed.
    """
    case = drawn(run) if isinstance(run, int) else run
    world = World(case)
    try:
        live(world)
    except BaseException as failure:
        failure.add_note(f"replay it by `.venv/bin/orderstream simulate --seed {case.seed}`")
        raise
    return world


def failure_of(case: Case) -> Failure | None:
    """Returns what the case comes to, None if all holds."""
    world = World(case)
    try:
        live(world)
    except KeyboardInterrupt:
        raise
    except BaseException as raised:
        leaf = raised
        while isinstance(leaf, BaseExceptionGroup):
            leaf = leaf.exceptions[0]
        return Failure(kind(leaf), f"{leaf!r}"[:1_000], tuple(world.crashes))
    return None


def live(world: World) -> None:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    chance = world.case.stream("loop") if world.case.weather.shuffled else None
    loop = SeededLoop(world.clock.advance, chance)

    async def whole() -> None:
        await world.run()
        await check(world)

    try:
        loop.run(whole())
    finally:
        world.clock.driven = False  # what was left may be read in any loop
        world.steps = loop.steps


def kind(error: BaseException) -> str:
    """Returns the error's name and that of the function which knew."""
    names, frame = [""], error.__traceback__
    while frame:
        names.append(frame.tb_frame.f_code.co_name)
        frame = frame.tb_next
    knew = [name for name in names if name != "holds"]
    return f"{type(error).__name__} in {knew[-1]}"
