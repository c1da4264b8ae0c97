"""What the world does to a run while it lasts."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from random import Random
from typing import TYPE_CHECKING, NamedTuple

from events.topics import BALANCE_COMMANDS, ORDER_COMMANDS, PRICES
from infra.log.life import Life
from infra.log.port import TP
from infra.shell import checkpoint as checkpoints
from infra.shell.repeats import SKEW
from infra.shell.service import Service
from tests.simulation.poison import poison
from tests.simulation.workload import LONG_MS

if TYPE_CHECKING:
    from tests.simulation.world import World

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
OWNER_DAYS = 7
"""For how long a coordinator remembers an owner's name."""


class Trouble(NamedTuple):
    """One thing that happens, at a moment, ms after the start. seed: of how it happens."""

    kind: str
    at: int
    seed: int

    async def strike(self, world: "World") -> None:
        await world.clock.sleep(self.at)
        if not world.healed:  # else the time jumped
            await TROUBLES[self.kind][0](world, Random(self.seed))
            world.seen[self.kind] += 1


async def kill(world: "World", rng: Random) -> None:
    rng.choice(world.processes).kill()


async def usurp(world: "World", rng: Random) -> None:
    """A second owner comes up while the first lives on, and is killed after a while."""
    service, length = rng.choice(world.services), rng.randrange(10_000)
    owned = rng.choice(((0,), (1,), (0, 1)))
    name = f"usurper-{rng.getrandbits(32)}"
    life = Life(world.log, world.faults(name, 1, rng))
    world.usurpers.append(life)
    shell, stop = world.shell(service, life, owned, rng), asyncio.Event()

    async def end() -> None:
        await world.clock.sleep(length)
        if any(process.shell and process.shell.fenced for process in world.processes):
            world.seen["an owner fenced"] += 1
        life.kill()
        stop.set()

    try:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(end())
            tasks.create_task(shell.run(stop))
    except BaseExceptionGroup as deaths:
        world.mourn(deaths, name, 1, life)


async def compact(world: "World", rng: Random) -> None:
    service, p = rng.choice(world.services), rng.randrange(world.partitions)
    tombstones, whole = rng.random() < 0.3, rng.random() < 0.5
    tp = service.state(p)
    before = None if whole else rng.randint(0, world.log.bounds(tp).end)
    world.log.compact(tp, before, tombstones=tombstones)


async def put_poison(world: "World", rng: Random) -> None:
    account_id = rng.choice(world.case.sendings).command.account_id
    tp, draft = poison(rng, account_id, world.clock.now_ms(), world.partitions)
    world.poisoned.add((*tp, world.log.put(tp, [draft]).offset))


async def retain(world: "World", rng: Random) -> None:
    """Commands go up to where their readers' checkpoints stand; prices go whoever has read them."""
    for name in (ORDER_COMMANDS.name, BALANCE_COMMANDS.name):
        for p in range(world.partitions):
            readers = [service for service in world.services if name in service.topics]
            world.delete_before(
                (name, p), min(noted(world, reader, p, (name, p)) for reader in readers)
            )
    start, end = world.log.bounds((PRICES.name, 0))
    world.delete_before((PRICES.name, 0), rng.randint(start, end))


def noted(world: "World", service: Service, p: int, tp: TP) -> int:
    """Returns the position of an input in the newest checkpoint that stands in the service's own topic."""
    for record in reversed(world.log.read(service.output(p))):
        if carried := checkpoints.carried(record.headers):
            return carried.positions.get(tp, 0)
    return 0


async def step_back(world: "World", rng: Random) -> None:
    """A leader's clock runs late for a while."""
    tp = rng.choice(sorted(world.log.partitions))
    length, late_ms = rng.randrange(20_000), rng.randint(1, SKEW)
    world.log.step_back(tp, late_ms)
    await world.clock.sleep(length)
    world.log.step_back(tp, 0)


async def depose(world: "World", rng: Random) -> None:
    """Some partitions have no leader for a while: one, or all that a broker led."""
    every = sorted(world.log.partitions)
    length = rng.choice((50, 2_000, 15_000))
    for tp in rng.sample(every, k=rng.choice((1, len(every) // 3, len(every)))):
        world.log.depose(tp, length)


async def suspend(world: "World", rng: Random) -> None:
    """All processes sleep; after more than a day the brokers know none of their producers any more."""
    slept_ms = rng.choice((HOUR_MS, HOUR_MS, 25 * HOUR_MS, (OWNER_DAYS + 1) * DAY_MS))
    world.clock.jump(slept_ms)
    if slept_ms > DAY_MS:
        for tp in world.log.partitions:
            world.log.forget_producers(tp)
    if slept_ms > OWNER_DAYS * DAY_MS:
        world.log.forget_owners()


async def market_gap(world: "World", rng: Random) -> None:
    world.market_away = True
    await world.clock.sleep(rng.choice((3_000, 15_000)))
    world.market_away = False


async def outage(world: "World", rng: Random) -> None:
    """One service is away for longer than a command may be sent again; clients retry on both sides of it. In between
    nothing happens at all.
    """
    victim, sent = rng.choice(world.processes), world.case.sendings
    victim.held = True
    victim.kill()
    world.prolong(6_000)
    await world.clock.sleep(5_000)
    world.clock.jump(LONG_MS)
    world.prolong(30_000)
    await world.clock.sleep(5_000)
    for sending in rng.sample(sent, k=len(sent) // 2):
        world.send(sending)
    victim.held = False
    await world.clock.sleep(5_000)
    for sending in rng.sample(sent, k=len(sent) // 2):
        world.send(sending)


TROUBLES: Mapping[str, tuple[Callable[["World", Random], Awaitable[None]], int, int]] = {
    "a process killed": (kill, 60, 6),
    "an owner usurped": (usurp, 40, 3),
    "the state compacted": (compact, 50, 4),
    "poison": (put_poison, 40, 8),
    "old records deleted": (retain, 40, 4),
    "a late clock": (step_back, 25, 3),
    "a leader moved": (depose, 40, 4),
    "a suspended machine": (suspend, 10, 1),
    "a gap in the market": (market_gap, 20, 1),
    "a long outage": (outage, 7, 1),
}
"""Each with its chance in a hundred, and how often it happens at most."""
