"""One seeded run: the production shell and deciders on the in-memory log, in virtual time, and whatever goes wrong."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from hashlib import sha256
from random import Random
from typing import Any

from events.codec import encode, stamp
from events.ids import partition_of, position_id
from events.market import PriceTicked, Quote
from events.topics import ASSETS, PRICES
from infra.log.clock import VirtualClock
from infra.log.life import Crashed, Faults, Life
from infra.log.memory import MemoryLog
from infra.log.port import TP, Draft, Lost, OutOfRange, Record
from infra.shell import checkpoint as checkpoints
from infra.shell.partition import Partition
from infra.shell.service import Service
from infra.shell.shell import Shell
from infra.shell.snapshot import CLOSING
from ops.provision import SHELL_SERVICES, contract_topic, sides, topic_specs
from tests.messages.envelope import NOW
from tests.messages.markets import BTC, DOGE
from tests.simulation.steps import STEPPER
from tests.simulation.troubles import troubles
from tests.simulation.weather import weather
from tests.simulation.workload import Sending, workload

PARTITIONS = 2
LISTED = (BTC, DOGE, stamp(DOGE, asset_id="HALT", tradable=False))
OLD_VERSIONS = {"order_accepted": 1}
QUIET_MS = 600_000
KINDS = {
    "a crash point": "Crashed",
    "an append unanswered": "TimeoutError",
    "a lease run out": "asleep for so long",
}
"""What a process died of, and the words that tell."""


class Stuck(Exception):
    """With everything healed the services did not come to rest."""


def may_end_a_life(death: BaseException) -> bool:
    """Returns whether that is a fault of the run's. Anything else is a bug of ours."""
    return isinstance(death, Crashed | Lost | TimeoutError) or (
        isinstance(death, OutOfRange) and PRICES.name in str(death)
    )


class Process:
    """What owns some partitions of a service, and is started again whenever it dies."""

    def __init__(self, world: "World", service: Service, owned: Sequence[int]) -> None:
        self.world, self.service, self.owned = world, service, owned
        self.rng = Random(world.rng.getrandbits(64))
        self.shell: Shell | None = None
        self.life: Life | None = None
        self.held = self.killed = False
        self.lives = 0

    async def run(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            if self.held:
                await self.world.clock.sleep(500)
                continue
            faults = self.world.faults(self.rng)
            if self.service is STEPPER and faults.crash_one_in:
                faults = replace(faults, crash_one_in=60)  # its long answers are few and soon given
            self.life = Life(self.world.log, faults)
            self.shell = self.world.shell(self.service, self.life, self.owned, self.rng)
            self.lives, self.killed = self.lives + 1, False
            for p in self.owned:
                self.world.found(self.service, p)
            try:
                await self.shell.run(stop)
            except BaseExceptionGroup as deaths:
                self.world.mourn(deaths, killed=self.killed)
            if not stop.is_set():
                await self.world.clock.sleep(self.rng.randrange(1, 3_000))

    def kill(self) -> None:
        if self.life and not self.life.dead:
            self.killed = True
            self.life.kill()


class World:
    """The brokers, the market, the clients and the services of one seed."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.clock = VirtualClock(NOW)
        self.log = MemoryLog(topic_specs(PARTITIONS), self.clock)
        self.partitions = PARTITIONS
        self.weather = weather(self.rng)
        self.services = SHELL_SERVICES
        if self.weather.steps:
            self.services += (STEPPER,)
            self.log.create([contract_topic(STEPPER.writes, PARTITIONS, 1)])
            self.log.create(sides(STEPPER, PARTITIONS, 1))
        self.healed = False
        self.length_ms = self.rng.choice((5_000, 20_000, 60_000))
        self.sent: list[Sending] = workload(self.rng, NOW, self.length_ms)
        owners = ((0,), (1,)) if self.weather.split else ((0, 1),)
        self.processes = [Process(self, one, owned) for one in self.services for owned in owners]
        self.prices = {asset.asset_id: asset.listing_price for asset in LISTED}
        self.ticks = 0
        self.poisoned: set[tuple[str, int, int]] = set()
        self.usurpers: list[Life] = []
        self.deleted: dict[TP, list[Record]] = defaultdict(list)
        self.seen: Counter[str] = Counter()

    def faults(self, rng: Random) -> Faults:
        return Faults(rng=rng) if self.healed else self.weather.faults(rng)

    def shell(self, service: Service, life: Life, owned: Sequence[int], rng: Random) -> Shell:
        old = self.weather.old_writers and rng.random() < 0.5
        return Shell(
            service,
            life,
            self.clock,
            owned=owned,
            partitions=PARTITIONS,
            write_versions=OLD_VERSIONS if old else {},
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
            for trouble in troubles(self):
                tasks.create_task(trouble)
            await self.clients()
            while (left := NOW + self.length_ms - self.clock.now_ms()) > 0:
                await self.clock.sleep(left)
            self.heal()
            await self.clock.sleep(5_000)
            closed.set()
            await self.clock.sleep(self.weather.late_ms)  # what the dead sent has arrived by then
            await self.rest(running)
            stop.set()

    def heal(self) -> None:
        """Ends every fault: whoever lives with one dies once more."""
        self.healed = True
        for tp in self.log.partitions:
            self.log.step_back(tp, 0)
        for process in self.processes:
            process.held = False
            process.kill()
        for life in self.usurpers:
            life.kill()

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

    # what happened

    def prolong(self, ms: int) -> None:
        """Has the run end no sooner than in so many ms."""
        self.length_ms = max(self.length_ms, self.clock.now_ms() - NOW + ms)

    def delete_before(self, tp: TP, offset: int) -> None:
        self.deleted[tp] += [record for record in self.log.read(tp) if record.offset < offset]
        self.log.delete_before(tp, offset)

    def found(self, service: Service, p: int) -> None:
        """Notes what a life begins with."""
        if any(record.key == CLOSING for record in self.log.read(service.state(p))):
            self.seen["a snapshot restored"] += 1
        for record in reversed(self.log.read(service.output(p))):
            if carried := checkpoints.carried(record.headers):
                at, prices = (
                    carried.positions.get((PRICES.name, 0)),
                    self.log.bounds((PRICES.name, 0)),
                )
                self.seen["prices gone past the checkpoint"] += at is not None and at < prices.start
                self.seen["a step across a restart"] += carried.step > 0
                return

    def mourn(self, deaths: BaseExceptionGroup[BaseException], *, killed: bool) -> None:
        """Notes what a process died of. Raises: that, if it may not die of it."""
        known, unexpected = deaths.split(may_end_a_life)
        if unexpected:
            raise unexpected from None
        while known and isinstance(known.exceptions[0], BaseExceptionGroup):
            known = known.exceptions[0]
        assert known
        death = known.exceptions[0]
        for kind, words in KINDS.items():
            self.seen[kind] += words in repr(death) and not killed

    # what it left

    def records(self) -> dict[TP, list[Record]]:
        """Returns all that ever stood in the topics but the state topics', and but what was poison."""
        return {
            tp: [
                record
                for record in self.deleted[tp] + self.log.read(tp)
                if (*tp, record.offset) not in self.poisoned
            ]
            for tp in self.log.partitions
        }

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
