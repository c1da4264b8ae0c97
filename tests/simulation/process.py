"""A service's process: it owns some partitions, and is started again whenever it dies."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from infra.log.life import Crashed, Life
from infra.log.port import Lost, OutOfRange
from infra.shell.service import Service
from infra.shell.shell import Shell
from tests.simulation.steps import STEPPER

if TYPE_CHECKING:
    from tests.simulation.world import World

STEPS_CRASH_ONE_IN = 30
"""The stepper's long answers are few and soon given."""


def may_end_a_life(death: BaseException) -> bool:
    """Returns whether that is a fault of the run's. Anything else is a bug of ours.

    Prices go whoever has read them; and who was overtaken without knowing it may read what its heir has noted and
    retention has deleted since. One who lost what it needs dies of it again and again: that run is stuck.
    """
    return isinstance(death, Crashed | Lost | TimeoutError) or (
        isinstance(death, OutOfRange) and "deleted before they were read" in str(death)
    )


class Process:
    def __init__(self, world: "World", service: Service, owned: Sequence[int]) -> None:
        self.world, self.service, self.owned = world, service, owned
        self.name = f"{service.name}-{'-'.join(map(str, owned))}"
        self.shell: Shell | None = None
        self.life: Life | None = None
        self.held = False
        self.lives = 0

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            if self.held:
                await self.world.clock.sleep(500)
                continue
            self.lives += 1
            await self.live(stop)

    async def live(self, stop: asyncio.Event) -> None:
        """Returns when this life is over, and the pause before the next."""
        world, rng = self.world, self.world.case.stream(self.name, self.lives)
        faults = world.faults(self.name, self.lives, rng)
        if self.service is STEPPER and faults.crash_one_in:
            faults = replace(faults, crash_one_in=STEPS_CRASH_ONE_IN)
        self.life = life = Life(world.log, faults)
        self.shell = world.shell(self.service, life, self.owned, rng)
        for p in self.owned:
            world.found(self.service, p)
        try:
            await self.shell.run(stop)
        except BaseExceptionGroup as deaths:
            world.mourn(deaths, self.name, self.lives, life)
        world.points[self.name, self.lives] = life.points
        if not stop.is_set():
            await world.clock.sleep(rng.randrange(1, 1_000))

    def kill(self) -> None:
        if self.life:
            self.life.kill()

    def is_at_rest(self) -> bool:
        """Returns whether it has nothing to take, to write or to wait for."""
        if self.life is None or self.life.dead or self.shell is None:
            return False
        if not all(self.shell.ready().values()):
            return False
        return all(
            position > self.world.last(tp)
            for partition in self.shell.partitions.values()
            for tp, position in partition.inputs.positions.items()
        )
