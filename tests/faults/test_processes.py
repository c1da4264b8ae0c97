"""Processes that die together, again and again, or come back from the dead: the log stays right, and work goes on."""

import asyncio
from collections.abc import Sequence
from itertools import permutations
from pathlib import Path
from signal import SIGCONT, SIGSTOP

import pytest

from ops.stack.folder import RunFolder
from ops.stack.processes import SHELL_SERVICES
from tests.faults.brokers import Behind
from tests.faults.lives import PARTITIONS, Life, now_ms
from tests.faults.load import under_load
from tests.faults.proxy import Api, Exchange, Proxy, strike, unharmed
from tests.faults.table import RUNS, row
from tests.faults.verdict import verdict
from tests.faults.witness import Witness, witnessing
from tests.faults.world import World, busy
from tests.stand import kill, process, standing, until

FENCED = '"message": "fenced"'
ZOMBIES = 10 * RUNS
LIFE_S, WINDOW_S, LOOP_S = 2, 10, 60
CALM_S, STARVED_S = 10, 20
ASLEEP_S, AWAKE_S = 0.08, 0.02

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(900)]


async def test_all_services_at_once_come_back_in_any_order(tmp_path: Path, broker: Behind) -> None:
    orders = [*permutations(SHELL_SERVICES)] * RUNS
    async with busy(broker.address, tmp_path) as world:
        times = [await all_dead_and_back(world, order) for order in orders]
    row(3, "kill -9 of all services at once, back in any order", len(times), 0, times)


async def all_dead_and_back(world: World, order: tuple[str, ...]) -> float:
    """Returns the s from the death of all to the first event of the last. Each starts when the one before has taken
    over.
    """
    died = max(await asyncio.gather(*(world.lives[service].kill() for service in order)))
    for service in order:
        await world.lives[service].start()
        await world.witness.claimed(service, died)
    return max([await world.witness.spoke(service, died) for service in order])


async def test_a_crash_loop_makes_progress_and_is_told(tmp_path: Path) -> None:
    """The supervisor starts it again ever later, up to 5 s, and goes on for ever."""
    with standing(tmp_path / "run", "market", *SHELL_SERVICES) as stack:
        kafka = stack.endpoints()["kafka"]
        async with witnessing(kafka) as witness, under_load(kafka):
            begun = now_ms()
            deaths, died = await dying(stack, witness)
            back = await witness.spoke("order", died)
        windows = range(begun, begun + 1_000 * LOOP_S, 1_000 * WINDOW_S)
        done = [witness.count("order", at, at + 1_000 * WINDOW_S) for at in windows]
        told = stack.log("supervisor").read_text().count('"process_died"')
        restarts = process(stack, "order").restarts
        await verdict({"kafka": kafka})
    assert told == restarts == deaths
    least = f"at least {min(done)} events in {WINDOW_S} s"
    row(4, f"a crash {LIFE_S} s after each start for {LOOP_S} s, {least}", deaths, 0, [back])


async def dying(stack: RunFolder, witness: Witness) -> tuple[int, int]:
    """Kills the order service again and again, each life after some progress. Returns how often, and when last, ms
    since the epoch.
    """
    begun = died = now_ms()
    deaths = 0
    while died < begun + 1_000 * LOOP_S:
        if deaths:
            await witness.claimed("order", died)
        await asyncio.sleep(LIFE_S)
        await witness.progress("order", died)
        kill(stack, "order")
        deaths, died = deaths + 1, now_ms()
    return deaths, died


class Zombie:
    """A fault: stops the process when it appends; its append arrives at once, or after the next owner took over."""

    def __init__(self, life: Life, *, late: bool) -> None:
        self.life, self.late = life, late
        self.stopped_ms = 0
        self._told = life.log.read_text().count(FENCED)
        self.asleep, self.over = asyncio.Event(), asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        self.life.send(SIGSTOP)
        self.stopped_ms = now_ms()
        self.asleep.set()
        if self.late:
            await self.over.wait()
        await unharmed(exchange)

    def knows(self) -> bool:
        """Returns whether it has learnt that it owns nothing any more."""
        told = self.life.log.read_text().count(FENCED) - self._told
        return told == PARTITIONS or self.life.is_over


@pytest.mark.parametrize("service", SHELL_SERVICES)
async def test_a_zombie_writes_nothing_after_the_next_owner(
    tmp_path: Path, broker: Behind, service: str
) -> None:
    times = []
    async with (
        Proxy(broker.inside, broker.outside) as proxy,
        busy(broker.address, tmp_path, **{service: proxy.address}) as world,
    ):
        for n in range(ZOMBIES):
            zombie = Zombie(world.lives[service], late=n % 2 == 1)
            world.lives[service] = Life(service, proxy.address, tmp_path)
            proxy.choice = strike(zombie, Api.PRODUCE, times=1)
            times.append(await succeeded(zombie, world))
    row(9, f"zombie with an append under way: {service}", len(times), 0, times)


async def succeeded(zombie: Zombie, world: World) -> float:
    """Returns the s from the stop of the zombie to its heir's first event; by then the zombie has learnt of it."""
    service = zombie.life.name
    try:
        await zombie.asleep.wait()
        await world.lives[service].start()
        took = await world.witness.spoke(service, zombie.stopped_ms)
        zombie.over.set()
        zombie.life.send(SIGCONT)
        await until(zombie.knows, f"the zombie of {service} does not learn what it is")
    finally:
        await zombie.life.kill()
    return took


async def test_starved_services_are_slow_but_never_fenced(tmp_path: Path, broker: Behind) -> None:
    async with busy(broker.address, tmp_path) as world:
        begun = now_ms()
        await asyncio.sleep(CALM_S)
        starving = now_ms()
        await starve([world.lives[service] for service in SHELL_SERVICES])
        ended = now_ms()
        assert world.witness.take_overs(starving) == 0
        calm = world.witness.count("order", begun, starving) * (ended - starving)
        done = world.witness.count("order", starving, ended) * (starving - begun)
        assert 10 * done > calm
    percent = 100 * done // calm
    row(11, f"stopped for 80 ms of each 100 ms: {percent} % of the calm rate, no take-over", 1, 0)


async def starve(lives: Sequence[Life]) -> None:
    """Lets them run for a fifth of the time."""
    ends = now_ms() + 1_000 * STARVED_S
    while now_ms() < ends:
        for number, pause in ((SIGSTOP, ASLEEP_S), (SIGCONT, AWAKE_S)):
            for life in lives:
                life.send(number)
            await asyncio.sleep(pause)
