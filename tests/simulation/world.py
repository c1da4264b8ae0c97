"""One seeded run: the production shell and deciders on the in-memory log, in virtual time, and whatever goes wrong."""

import asyncio
from collections.abc import Mapping
from hashlib import sha256
from random import Random
from typing import Any, NamedTuple

from events.codec import encode
from events.ids import partition_of, position_id
from events.market import PriceTicked, Quote
from events.topics import ASSETS, PRICES
from infra.log.clock import VirtualClock
from infra.log.life import Crashed, Faults, Life
from infra.log.memory import MemoryLog
from infra.log.port import TP, Draft, Lost
from infra.shell.partition import Partition
from infra.shell.service import Service
from infra.shell.shell import Shell
from ops.provision import SHELL_SERVICES, topic_specs
from tests.messages.envelope import NOW
from tests.messages.markets import ASSETS as LISTED
from tests.simulation.workload import LONG_MS, Sending, workload

PARTITIONS = 2
QUIET_MS = 600_000
DEATHS = (Crashed, Lost, TimeoutError)
"""What may end a life in a run with faults. Anything else is a bug of ours."""


class Stuck(Exception):
    """With everything healed the services did not come to rest."""


class Weather(NamedTuple):
    """How bad a run is; drawn once a seed, so that some runs know one fault only. 0: never."""

    crash_one_in: int
    lose_one_in: int
    hold_one_in: int
    transit_ms: int
    late_ms: int
    kills: int
    usurpers: int
    outage: bool
    market_gap: bool
    compactions: int


def weather(rng: Random) -> Weather:
    return Weather(
        crash_one_in=rng.choice((0, 0, 150, 600)),
        lose_one_in=rng.choice((0, 0, 40, 200)),
        hold_one_in=rng.choice((0, 3, 20)),
        transit_ms=rng.choice((0, 2, 40)),
        late_ms=rng.choice((10, 2_000, 30_000)),
        kills=rng.choice((0, 1, 6)),
        usurpers=rng.choice((0, 0, 1, 3)),
        outage=rng.random() < 0.08,
        market_gap=rng.random() < 0.2,
        compactions=rng.choice((0, 1, 4)),
    )


class Process:
    """A service that is started again whenever it dies."""

    def __init__(self, world: "World", service: Service) -> None:
        self.world, self.service = world, service
        self.rng = Random(world.rng.getrandbits(64))
        self.shell: Shell | None = None
        self.life: Life | None = None
        self.held = False
        self.lives = 0

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            if self.held:
                await self.world.clock.sleep(500)
                continue
            self.life = Life(self.world.log, self.world.faults(self.rng))
            self.shell = self.world.shell(self.service, self.life)
            self.lives += 1
            try:
                await self.shell.run(stop)
            except BaseExceptionGroup as deaths:
                if unexpected := deaths.split(DEATHS)[1]:
                    raise unexpected from None
            if not stop.is_set():
                await self.world.clock.sleep(self.rng.randrange(1, 3_000))

    def kill(self) -> None:
        if self.life:
            self.life.kill()


class World:
    """The brokers, the market, the clients and the services of one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.clock = VirtualClock(NOW)
        self.log = MemoryLog(topic_specs(PARTITIONS), self.clock)
        self.weather = weather(self.rng)
        self.healed = False
        self.length_ms = self.rng.choice((5_000, 20_000, 60_000))
        self.sent: list[Sending] = workload(self.rng, NOW, self.length_ms)
        self.processes = [Process(self, service) for service in SHELL_SERVICES]
        self.prices = {asset.asset_id: asset.listing_price for asset in LISTED}
        self.ticks = 0

    def faults(self, rng: Random) -> Faults:
        if self.healed:
            return Faults(rng=rng)
        bad = self.weather
        return Faults(
            rng=rng,
            crash_one_in=bad.crash_one_in,
            lose_one_in=bad.lose_one_in,
            hold_one_in=bad.hold_one_in,
            transit_ms=bad.transit_ms,
            late_ms=bad.late_ms,
        )

    def shell(self, service: Service, life: Life) -> Shell:
        return Shell(
            service,
            life,
            self.clock,
            owned=range(PARTITIONS),
            partitions=PARTITIONS,
            write_versions={},
        )

    async def run(self) -> None:
        """Returns when the services are at rest and stopped. Raises: Stuck, and whatever a service dies of that
        it should not.
        """
        self.list_assets()
        stop, closed = asyncio.Event(), asyncio.Event()
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.market(closed))
            running = [tasks.create_task(process.run(stop)) for process in self.processes]
            for trouble in self.troubles():
                tasks.create_task(trouble)
            await self.clients()
            await self.clock.sleep(max(0, NOW + self.length_ms - self.clock.now_ms()))
            self.heal()
            await self.clock.sleep(5_000)
            closed.set()
            await self.rest(running)
            stop.set()

    def heal(self) -> None:
        """Ends every fault: whoever lives with one dies once more."""
        self.healed = True
        for process in self.processes:
            process.held = False
            process.kill()

    async def rest(self, running: list[asyncio.Task[None]]) -> None:
        """Returns when every input is taken to its end."""
        deadline = self.clock.now_ms() + QUIET_MS
        while not self.at_rest():
            if self.clock.now_ms() > deadline:
                raise Stuck(str([process.service.name for process in self.processes]))
            for task in running:
                if task.done():
                    task.result()
            await self.clock.sleep(1_000)

    def at_rest(self) -> bool:
        """Returns whether no service has anything to take, to write or to wait for."""
        return all(self.served(process) for process in self.processes)

    def served(self, process: Process) -> bool:
        if process.life is None or process.life.dead or process.shell is None:
            return False
        if not all(process.shell.ready().values()):
            return False
        return all(
            partition.inputs.positions[tp] > self.last(tp)
            for partition in process.shell.partitions.values()
            for tp in partition.inputs.positions
        )

    def last(self, tp: TP) -> int:
        """Returns the offset of the partition's last record, -1 if it has none."""
        records = self.log.partitions[tp].records
        return records[-1].offset if records else -1

    # the outside

    def list_assets(self) -> None:
        for asset in LISTED:
            self.log.put((ASSETS.name, 0), [Draft(asset.asset_id.encode(), encode(asset))])
        self.tick()

    def tick(self) -> None:
        self.ticks += 1
        for asset_id, price in self.prices.items():
            move = self.rng.choice(
                (0, 0, 1, -1, 20, -20, 150, -150, 400, -400)
            )  # 1/100 of a percent
            self.prices[asset_id] = max(1, price + price * move // 10_000)
        quotes = tuple(Quote(asset_id=a, price=price) for a, price in self.prices.items())
        ids = position_id(PRICES.name, 0, self.ticks)
        ticked = PriceTicked(id=ids, occurred_at=self.clock.now_ms(), prices=quotes)
        self.log.put((PRICES.name, 0), [Draft(None, encode(ticked))])

    async def market(self, closed: asyncio.Event) -> None:
        gap = self.rng.randrange(self.length_ms) if self.weather.market_gap else None
        while not closed.is_set():
            await self.clock.sleep(1_000)
            if gap is not None and self.clock.now_ms() - NOW > gap:
                await self.clock.sleep(15_000)
                gap = None
            self.tick()

    async def clients(self) -> None:
        for sending in self.sent:
            await self.clock.sleep(max(0, NOW + sending.at - self.clock.now_ms()))
            self.send(sending)

    def send(self, sending: Sending) -> None:
        command = sending.command
        tp = (sending.topic.name, partition_of(command.account_id, PARTITIONS))
        self.log.put(tp, [Draft(command.account_id.encode(), encode(command))])

    # the troubles

    def troubles(self) -> list[Any]:
        bad, rng = self.weather, self.rng
        kills = [self.kill(rng.randrange(self.length_ms)) for _ in range(bad.kills)]
        usurpers = [self.usurp(rng.randrange(self.length_ms)) for _ in range(bad.usurpers)]
        compactions = [self.compact(rng.randrange(self.length_ms)) for _ in range(bad.compactions)]
        return kills + usurpers + compactions + ([self.outage()] if bad.outage else [])

    async def kill(self, after: int) -> None:
        victim = self.rng.choice(self.processes)
        await self.clock.sleep(after)
        victim.kill()

    async def usurp(self, after: int) -> None:
        """A second owner comes up while the first lives on, and is killed after a while."""
        service, length = self.rng.choice(SHELL_SERVICES), self.rng.randrange(10_000)
        rng, stop = Random(self.rng.getrandbits(64)), asyncio.Event()
        await self.clock.sleep(after)
        life = Life(self.log, self.faults(rng))
        shell = self.shell(service, life)

        async def end() -> None:
            await self.clock.sleep(length)
            life.kill()
            stop.set()

        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(end())
                tasks.create_task(shell.run(stop))
        except BaseExceptionGroup as deaths:
            if unexpected := deaths.split(DEATHS)[1]:
                raise unexpected from None

    async def compact(self, after: int) -> None:
        service, p = self.rng.choice(SHELL_SERVICES), self.rng.randrange(PARTITIONS)
        tombstones = self.rng.random() < 0.3
        await self.clock.sleep(after)
        self.log.compact(service.state(p), tombstones=tombstones)

    async def outage(self) -> None:
        """One service is away for longer than a command may be sent again; clients retry on both sides of it."""
        victim = self.rng.choice(self.processes)
        await self.clock.sleep(self.rng.randrange(self.length_ms))
        victim.held = True
        victim.kill()
        self.length_ms = self.clock.now_ms() - NOW + LONG_MS + 30_000
        await self.clock.sleep(LONG_MS)
        for sending in self.rng.sample(self.sent, k=len(self.sent) // 2):
            self.send(sending)
        victim.held = False
        await self.clock.sleep(5_000)
        for sending in self.rng.sample(self.sent, k=len(self.sent) // 2):
            self.send(sending)

    # what it left

    async def restored(self, service: Service, p: int) -> Partition:
        """Returns the partition as a new owner finds it."""
        partition = Partition(
            service,
            p,
            Life(self.log),
            self.clock,
            partitions=PARTITIONS,
            write_versions={},
        )
        await partition.take_over()
        return partition

    def trace(self) -> str:
        """Returns the hash of every record that ever stood in the log."""
        digest = sha256()
        partitions: Mapping[TP, Any] = self.log.partitions
        for tp in sorted(partitions):
            for record in partitions[tp].records:
                digest.update(repr(record).encode())
        return digest.hexdigest()
