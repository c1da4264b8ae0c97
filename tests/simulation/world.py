"""One seeded run: the production shell and deciders on the in-memory log, in virtual time, and whatever goes wrong."""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Sequence
from hashlib import sha256
from random import Random

from events.codec import encode, stamp
from events.ids import partition_of, position_id
from events.market import PriceTicked, Quote
from events.topics import ASSETS, PRICES
from infra.log.clock import VirtualClock
from infra.log.life import Faults, Life
from infra.log.memory import MemoryLog
from infra.log.port import TP, Draft, Record
from infra.shell import checkpoint as checkpoints
from infra.shell.partition import Partition
from infra.shell.service import Service
from infra.shell.shell import Shell
from infra.shell.snapshot import CLOSING
from ops.provision import SHELL_SERVICES, contract_topic, sides, topic_specs
from tests.messages.envelope import NOW
from tests.messages.markets import BTC, DOGE
from tests.simulation.case import Case, Crash
from tests.simulation.process import Process, may_end_a_life
from tests.simulation.steps import STEPPER
from tests.simulation.workload import Sending

PARTITIONS = 2
LISTED = (BTC, DOGE, stamp(DOGE, asset_id="HALT", tradable=False))
OLD_VERSIONS = {"order_accepted": 1}
MOVES = (0, 0, 1, -1, 20, -20, 150, -150, 400, -400)
"""Of a price, in 1/100 of a percent."""
QUIET_MS = 600_000
KINDS = {
    "a crash point": "Crashed",
    "a change unanswered": "TimeoutError",
    "a lease run out": "asleep for so long",
}
"""What a process died of, and the words that tell."""


class Stuck(Exception):
    """With everything healed the services did not come to rest."""


class World:
    """The brokers, the market, the clients and the services of one run."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.clock = VirtualClock(NOW, driven=True)
        self.log = MemoryLog(topic_specs(PARTITIONS), self.clock)
        self.partitions = PARTITIONS
        self.services = SHELL_SERVICES
        if case.weather.steps:
            self.services += (STEPPER,)
            self.log.create([contract_topic(STEPPER.writes, PARTITIONS, 1)])
            self.log.create(sides(STEPPER, PARTITIONS, 1))
        self.healed = self.market_away = False
        self.length_ms = case.length_ms
        owners = ((0,), (1,)) if case.weather.split else ((0, 1),)
        self.processes = [Process(self, one, owned) for one in self.services for owned in owners]
        self.usurpers: list[Life] = []
        self.prices = {asset.asset_id: asset.listing_price for asset in LISTED}
        self.ticks = self.steps = 0
        self.poisoned: set[tuple[str, int, int]] = set()
        self.deleted: dict[TP, list[Record]] = defaultdict(list)
        self.crashes: list[Crash] = []
        self.points: Counter[tuple[str, int]] = Counter()
        self.seen: Counter[str] = Counter()

    def faults(self, process: str, life: int, rng: Random) -> Faults:
        """Returns what goes wrong in a life."""
        if self.healed:
            return Faults(rng=rng)
        return self.case.weather.faults(rng, crash_at=self.case.crash_at(process, life))

    def shell(self, service: Service, life: Life, owned: Sequence[int], rng: Random) -> Shell:
        old = self.case.weather.old_writers and rng.random() < 0.5
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
        stop, closed = asyncio.Event(), asyncio.Event()
        market = self.case.stream("market")
        self.list_assets(market)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.market(market, closed))
            running = [tasks.create_task(process.run(stop)) for process in self.processes]
            for trouble in self.case.troubles:
                tasks.create_task(trouble.strike(self))
            await self.clients()
            while (left := NOW + self.length_ms - self.clock.now_ms()) > 0:
                await self.clock.sleep(left)
            self.heal()
            await self.clock.sleep(2_000)
            closed.set()
            await self.clock.sleep(self.case.weather.late_ms)  # what the dead sent has arrived
            await self.rest(running)
            stop.set()

    def heal(self) -> None:
        """Ends every fault: whoever lives with one dies once more."""
        self.healed = True
        self.market_away = False
        for tp in self.log.partitions:
            self.log.step_back(tp, 0)
            self.log.depose(tp, 0)
        for process in self.processes:
            process.held = False
            process.kill()
        for life in self.usurpers:
            life.kill()

    async def rest(self, running: list[asyncio.Task[None]]) -> None:
        """Returns when every input is taken to its end."""
        deadline = self.clock.now_ms() + QUIET_MS
        while not all(process.is_at_rest() for process in self.processes):
            if self.clock.now_ms() > deadline:
                raise Stuck(str([one.name for one in self.processes if not one.is_at_rest()]))
            for task in running:
                if task.done():
                    task.result()
            await self.clock.sleep(1_000)

    def last(self, tp: TP) -> int:
        """Returns the offset of the partition's last record, -1 if it has none."""
        records = self.log.partitions[tp].records
        return records[-1].offset if records else -1

    # the outside

    def list_assets(self, rng: Random) -> None:
        for asset in LISTED:
            self.log.put((ASSETS.name, 0), [Draft(asset.asset_id.encode(), encode(asset))])
        self.tick(rng)

    def tick(self, rng: Random) -> None:
        self.ticks += 1
        for asset_id, price in self.prices.items():
            self.prices[asset_id] = max(1, price + price * rng.choice(MOVES) // 10_000)
        quotes = tuple(Quote(asset_id=a, price=price) for a, price in self.prices.items())
        ids = position_id(PRICES.name, 0, self.ticks)
        ticked = PriceTicked(id=ids, occurred_at=self.clock.now_ms(), prices=quotes)
        self.log.put((PRICES.name, 0), [Draft(None, encode(ticked))])

    async def market(self, rng: Random, closed: asyncio.Event) -> None:
        while not closed.is_set():
            await self.clock.sleep(1_000)
            if not self.market_away:
                self.tick(rng)

    async def clients(self) -> None:
        for sending in self.case.sendings:
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

    def mourn(
        self, deaths: BaseExceptionGroup[BaseException], process: str, life: int, lived: Life
    ) -> None:
        """Notes what a life ended of. Raises: that, if it may not end of it."""
        known, unexpected = deaths.split(may_end_a_life)
        if unexpected:
            raise unexpected from None
        while known and isinstance(known.exceptions[0], BaseExceptionGroup):
            known = known.exceptions[0]
        assert known
        crashed = lived.crashed_at
        if crashed:
            self.crashes.append(Crash(process, life, crashed))
        for kind, words in KINDS.items():
            told = words in repr(known.exceptions[0])
            self.seen[kind] += told and (bool(crashed) or words != "Crashed")

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
        """Returns the hash of every record that stands in the log, of how many steps it took, and how long."""
        digest = sha256(b"%d %d" % (self.steps, self.clock.now_ms()))
        for tp in sorted(self.log.partitions):
            for record in self.log.partitions[tp].records:
                digest.update(repr(record).encode())
        return digest.hexdigest()
