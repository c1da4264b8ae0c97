"""A service made to show what the shell must not get wrong: its rows add up, and one command takes many steps."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from events.balance import BalanceCommandRefused, Deposit, FundsDeposited
from events.codec import encode, mirror, stamp
from events.decider import Context, Fold, Rows, Unfinished
from events.envelope import Count, Value
from events.ids import partition_of
from events.topics import BALANCE_COMMANDS, BALANCE_EVENTS, Topic
from infra.log.clock import VirtualClock
from infra.log.life import Crashed, Faults, Life
from infra.log.memory import MemoryLog
from infra.log.port import Draft, Lost, Record, TopicSpec
from infra.shell.partition import Partition
from infra.shell.reading import is_control
from infra.shell.service import Service
from infra.shell.shell import Shell
from tests.messages.balances import deposit
from tests.messages.envelope import ACCOUNT, NOW

QUIET_MS = 60_000


@mirror
class Counted(Value):
    """How many events the account had: a row that a second folding of any event makes wrong."""

    events: Count = 0


@mirror
class Progress(Value):
    """How many of a deposit's events are there."""

    done: Count = 0


def counted(row: Counted | None, _: FundsDeposited) -> Counted:
    return Counted(events=(row or Counted()).events + 1)


def progress(row: Progress | None, event: FundsDeposited) -> Progress | None:
    """The last of a deposit's events carries nothing held: its row goes."""
    return stamp(row or Progress(), done=(row or Progress()).done + 1) if event.held else None


COUNTS = Fold("counted", Counted, (FundsDeposited,), lambda event: (event.account_id,), counted)
STEPS = Fold(
    "progress",
    Progress,
    (FundsDeposited,),
    lambda event: (event.account_id, event.command_id),
    progress,
)


def stepper(size: int) -> Service:
    """Returns a service that answers a deposit of n cents by n events, so many in a step."""

    def decide(rows: Rows, given: Any, _: Context) -> Sequence[FundsDeposited]:
        done = (STEPS.of(rows, given.account_id, given.id) or Progress()).done
        count = (COUNTS.of(rows, given.account_id) or Counted()).events
        n = min(size, given.amount - done)
        events = [
            FundsDeposited(
                account_id=given.account_id,
                amount=1,
                fingerprint=given.fingerprint,
                available=count + i + 1,
                held=given.amount - done - i - 1,
            )
            for i in range(n)
        ]
        return Unfinished(events) if done + n < given.amount else events

    return Service(
        name="stepper",
        reads=(BALANCE_COMMANDS,),
        writes=BALANCE_EVENTS,
        folds=(COUNTS, STEPS),
        decide=decide,
        refuse=lambda command, reason: BalanceCommandRefused(
            account_id=command.account_id,
            command="deposit",
            amount=command.amount,
            reason=reason,
            fingerprint=command.fingerprint,
        ),
    )


class Bench:
    """The stepper's one partition on its own brokers, life after life."""

    def __init__(self, size: int = 3, partitions: int = 1) -> None:
        self.service = stepper(size)
        self.clock = VirtualClock(NOW)
        self.partitions = partitions
        self.log = MemoryLog((), self.clock)
        self.partition: Partition | None = None
        self.reads(BALANCE_COMMANDS)

    def reads(self, *topics: Topic[Any]) -> None:
        """From the next life on it reads these; those that are not there are made."""
        self.service = replace(self.service, reads=topics)
        names = [*self.service.topics, BALANCE_EVENTS.name]
        names += [name for name, _ in self.service.sides(0)]
        compacted = self.service.state(0)[0]
        self.log.create(
            TopicSpec(name, self.partitions, compacted=name == compacted)
            for name in names
            if (name, 0) not in self.log.partitions
        )

    def ask(
        self, *amounts: int, first: int = 1, account_id: str = ACCOUNT, at: int = NOW
    ) -> list[Deposit]:
        """Puts a deposit of each amount into the log, first tried at that time."""
        commands = [
            deposit(amount, n=n, account_id=account_id, at=at)
            for n, amount in enumerate(amounts, first)
        ]
        for command in commands:
            self.put(encode(command), command.account_id)
        return commands

    def put(self, raw: bytes, key: str) -> None:
        """Puts a record into the last of the topics that it reads."""
        p = partition_of(key, self.partitions)
        self.log.put((self.service.reads[-1].name, p), [Draft(key.encode(), raw)])

    async def live(self, faults: Faults | None = None, rest_ms: int = 1_000) -> int:
        """Lives until all is taken, and rest_ms on. Returns the crash points passed. Raises: what it dies of."""
        life, stop = Life(self.log, faults), asyncio.Event()
        self.partition = self.owner(life)
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self.partition.run(stop))
            tasks.create_task(self._stop_at_rest(stop, running, rest_ms))
        return life.points

    def owner(self, life: Life) -> Partition:
        """Returns the owner of partition 0 that this process is."""
        return Partition(
            self.service, 0, life, self.clock, partitions=self.partitions, write_versions={}
        )

    def shell(self, *owned: int) -> Shell:
        """Returns all of another process that owns these."""
        return Shell(
            self.service,
            Life(self.log),
            self.clock,
            owned=owned,
            partitions=self.partitions,
            write_versions={},
        )

    async def _stop_at_rest(
        self, stop: asyncio.Event, running: asyncio.Task[None], rest_ms: int
    ) -> None:
        deadline = self.clock.now_ms() + QUIET_MS
        while not (running.done() or self.at_rest()):
            assert self.clock.now_ms() < deadline, "it does not come to rest"
            await self.clock.sleep(100)
        await self.clock.sleep(rest_ms)
        stop.set()

    def at_rest(self) -> bool:
        assert self.partition
        if not self.partition.figures.caught_up:
            return False
        return all(
            not (records := self.log.read(tp)) or position > records[-1].offset
            for tp, position in self.partition.inputs.positions.items()
        )

    async def die(self, faults: Faults, rest_ms: int = 1_000) -> bool:
        """Returns whether that life crashed."""
        try:
            await self.live(faults, rest_ms)
        except BaseExceptionGroup as deaths:
            if unexpected := deaths.split((Crashed, Lost, TimeoutError))[1]:
                raise unexpected from None
            return True
        return False

    def events(self) -> list[Any]:
        """Returns the own events."""
        return [BALANCE_EVENTS.decode(record.value or b"") for record in self.records()]

    def records(self) -> list[Record]:
        own = self.log.read(self.service.output(0))
        return [record for record in own if not is_control(record)]

    def dead_letters(self) -> list[Record]:
        dead = self.log.read(self.service.dead_letters(BALANCE_COMMANDS.name, 0))
        return [record for record in dead if not is_control(record)]
