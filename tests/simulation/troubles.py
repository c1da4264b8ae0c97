"""What the world does to a run while it lasts."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from random import Random
from typing import TYPE_CHECKING, Any

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

DAY_MS = 86_400_000


def troubles(world: "World") -> list[Coroutine[Any, Any, None]]:
    """Returns all that the seed's weather holds."""
    bad, rng, length = world.weather, world.rng, world.length_ms
    times = (
        (kill, bad.kills),
        (usurp, bad.usurpers),
        (compact, bad.compactions),
        (put_poison, bad.poisons),
        (retain, bad.retentions),
        (step_back, bad.skews),
        (suspend, int(bad.suspended_ms > 0)),
        (outage, int(bad.outage)),
    )
    return [
        at(world, rng.randrange(length), trouble) for trouble, count in times for _ in range(count)
    ]


async def at(world: "World", after: int, trouble: Callable[["World"], Awaitable[None]]) -> None:
    await world.clock.sleep(after)
    if not world.healed:  # else the time jumped
        await trouble(world)


async def kill(world: "World") -> None:
    world.rng.choice(world.processes).kill()
    world.seen["a process killed"] += 1


async def usurp(world: "World") -> None:
    """A second owner comes up while the first lives on, and is killed after a while."""
    service, length = world.rng.choice(world.services), world.rng.randrange(10_000)
    owned = world.rng.choice(((0,), (1,), (0, 1)))
    rng, stop = Random(world.rng.getrandbits(64)), asyncio.Event()
    life = Life(world.log, world.faults(rng))
    world.usurpers.append(life)
    shell = world.shell(service, life, owned, rng)

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
        world.mourn(deaths, killed=life.dead)


async def compact(world: "World") -> None:
    service, p = world.rng.choice(world.services), world.rng.randrange(world.partitions)
    tombstones, whole = world.rng.random() < 0.3, world.rng.random() < 0.5
    tp = service.state(p)
    before = None if whole else world.rng.randint(0, world.log.bounds(tp).end)
    world.log.compact(tp, before, tombstones=tombstones)


async def put_poison(world: "World") -> None:
    account_id = world.rng.choice(world.sent).command.account_id
    tp, draft = poison(world.rng, account_id, world.clock.now_ms(), world.partitions)
    world.poisoned.add((*tp, world.log.put(tp, [draft]).offset))


async def retain(world: "World") -> None:
    """Commands go up to where their readers' checkpoints stand; prices go whoever has read them."""
    for name in (ORDER_COMMANDS.name, BALANCE_COMMANDS.name):
        for p in range(world.partitions):
            readers = [service for service in world.services if name in service.topics]
            world.delete_before(
                (name, p), min(noted(world, reader, p, (name, p)) for reader in readers)
            )
    start, end = world.log.bounds((PRICES.name, 0))
    world.log.delete_before((PRICES.name, 0), world.rng.randint(start, end))


def noted(world: "World", service: Service, p: int, tp: TP) -> int:
    """Returns the position of an input in the newest checkpoint that stands in the service's own topic."""
    for record in reversed(world.log.read(service.output(p))):
        if carried := checkpoints.carried(record.headers):
            return carried.positions.get(tp, 0)
    return 0


async def step_back(world: "World") -> None:
    """A leader's clock runs late for a while."""
    tp = world.rng.choice(sorted(world.log.partitions))
    length, late_ms = world.rng.randrange(20_000), world.rng.randint(1, SKEW)
    world.log.step_back(tp, late_ms)
    await world.clock.sleep(length)
    world.log.step_back(tp, 0)


async def suspend(world: "World") -> None:
    """All processes sleep; after more than a day the brokers know none of their producers any more."""
    world.clock.jump(world.weather.suspended_ms)
    if world.weather.suspended_ms > DAY_MS:
        for tp in world.log.partitions:
            world.log.forget_producers(tp)


async def outage(world: "World") -> None:
    """One service is away for longer than a command may be sent again; clients retry on both sides of it."""
    victim = world.rng.choice(world.processes)
    victim.held = True
    victim.kill()
    world.prolong(LONG_MS + 30_000)
    await world.clock.sleep(LONG_MS)
    for sending in world.rng.sample(world.sent, k=len(world.sent) // 2):
        world.send(sending)
    victim.held = False
    await world.clock.sleep(5_000)
    for sending in world.rng.sample(world.sent, k=len(world.sent) // 2):
        world.send(sending)
