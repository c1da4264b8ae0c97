"""Partition p of one service: exactly once, stateful, owned by one task. See the turn for the heart of it."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import structlog

from events.control import PartitionClaimed, PositionNoted
from events.decider import Context, Unfinished
from events.ids import name_space, position_id
from events.market import Market
from events.reasons import Reason, Unreadable
from infra.crash import Point, passed
from infra.log.port import MAX_BATCH, TP, Clock, Draft, Log, Record, Writer

from . import quarantine, snapshot
from .checkpoint import HEADER, PREVIOUS, Checkpoint
from .emission import Emission, control
from .inputs import Inputs
from .quarantine import Quarantine, SetAside
from .reading import is_control
from .repeats import Answered, untimely
from .restore import read_market, read_snapshot, restore
from .rows import RowStore
from .service import Service
from .snapshot import CHANGED_ROWS, INTERVAL_MS, Closing, Side
from .turn import Turn
from .waiting import done_within

IDLE_MS, WAITING_MS = 500, 50
LAST_SNAPSHOT_MS = 5_000
"""What the end may wait for a snapshot: without it the next start only takes longer."""
HOUR_MS = 3_600_000
MOST_INPUTS = 5_000
"""A turn's: so that a long backlog still moves its checkpoint often."""
log_line = structlog.get_logger()


@dataclass
class Figures:
    """What the partition has done since its take-over, for the metrics."""

    inputs: int = 0
    events: int = 0
    batches: int = 0
    repeats: int = 0
    set_aside: int = 0
    snapshots: int = 0
    rows: int = 0
    hop_ms: int = 0
    caught_up: bool = False


class Partition:
    def __init__(
        self,
        service: Service,
        p: int,
        log: Log,
        clock: Clock,
        *,
        partitions: int,
        write_versions: Mapping[str, int],
    ) -> None:
        self.service, self.p, self.log, self.clock = service, p, log, clock
        self.partitions = partitions
        self.held_back = service.writes.held_back(write_versions)
        self.own: TP = service.output(p)
        self.figures = Figures()
        self.now = 0
        self.step = 0
        self.unfinished: TP | None = None
        self._open = AsyncExitStack()

    async def run(self, stop: asyncio.Event) -> None:
        """Takes p over and serves it until stop. Raises: whatever goes wrong; only a new life heals it."""
        try:
            await self.take_over()
            async with asyncio.TaskGroup() as tasks:
                while not stop.is_set():
                    took = await self.turn()
                    self.snapshot_if_due(tasks)
                    await self.refence_if_due()
                    waiting = self.inputs.waiting()
                    if not (waiting or self.figures.caught_up):  # under load no turn takes nothing
                        self.figures.caught_up = self.inputs.drained()
                    passed(Point.BEFORE_FETCH)
                    await self.inputs.fetch((0 if took else WAITING_MS) if waiting else IDLE_MS)
                await self.last_snapshot(tasks)
        finally:
            await self._open.aclose()

    async def take_over(self) -> None:
        """Shuts every older owner out, then reads all that they got in.

        Who was overtaken between its two fences would read a state topic that another still writes, and that may
        lose an older row to compaction meanwhile: so the first fence must stand when the second one does.
        """
        claim = self._claim()
        sides = self.service.sides(self.p)
        side = await self.log.take_over(
            f"{self.service.name}-{self.p}-side", sides, claim, 2 * MAX_BATCH
        )
        self._open.push_async_callback(side.stop)
        self.writer: Writer = await self.log.take_over(
            f"{self.service.name}-{self.p}", [self.own], claim
        )
        self._open.push_async_callback(self.writer.stop)
        await side.refence()
        self.side = Side(side)
        self.fenced = self.snapped = self.clock.now_ms()
        self._snapshot: asyncio.Task[None] | None = None
        await self._restore(side.claims)

    async def _restore(self, side_claims: Mapping[TP, int]) -> None:
        claim = self.writer.claims[self.own]
        stored = await read_snapshot(self.log, self.service, self.p, side_claims)
        passed(Point.ROWS_READ)
        restored = await restore(self.log, self.service, self.p, stored, claim)
        passed(Point.EVENTS_READ)
        self.store: RowStore = restored.store
        self.answered: Answered = restored.answered
        self.emission = Emission(self.service, self.store, self.held_back)
        self.previous = claim
        positions = await self._positions(restored.checkpoint)
        self.noted = restored.checkpoint or Checkpoint({}, 0)
        _, self.now, self.step, self.unfinished = self.noted
        self.noted_ms = self.now or self.clock.now_ms()
        named = self.noted.positions.items()
        self.unread = {tp: offset for tp, offset in named if tp not in positions}
        dead = await quarantine.dead_origins(
            self.log, self.service, self.p, dict(side_claims), positions, now=self.now
        )
        self.quarantine = Quarantine(self.service, self.p, self.side, dead)
        self.market: Market = await read_market(self.log, self.service, positions, self.now)
        self.context = Context(self.now, self.market)
        reader = await self.log.reader(positions)
        self._open.push_async_callback(reader.stop)
        self.inputs = Inputs(reader, positions)
        passed(Point.SOUGHT)
        log_line.info("taken_over", service=self.service.name, partition=self.p, claim=claim)

    async def _positions(self, checkpoint: Checkpoint | None) -> dict[TP, int]:
        """Returns where to read on: an input that the checkpoint doesn't name is new. A followed topic whose log
        has moved past the checkpoint is read from its start: it is a cache.
        """
        inputs = self.service.inputs(self.p)
        starts = {tp: bounds.start for tp, bounds in (await self.log.bounds(inputs)).items()}
        for tp in inputs:
            topic = self.service.topics[tp[0]]
            known = checkpoint is not None and tp in checkpoint.positions
            if not known and topic.retention_days is None and not topic.compacted and starts[tp]:
                raise AssertionError(f"{tp} begins at {starts[tp]}: events were deleted")
        if checkpoint is None:
            return starts
        follows = {topic.name for topic in self.service.follows}
        return {
            tp: max(checkpoint.positions.get(tp, starts[tp]), starts[tp] if tp[0] in follows else 0)
            for tp in inputs
        }

    async def turn(self) -> bool:
        """Takes what may be taken, decides and folds it, and appends events and position as one batch. Returns
        whether anything was taken.
        """
        turn = Turn(self.writer.batch(self.own), self.writer.next_offset(self.own))
        poison = self.prepare(turn)
        self.inputs.resume()
        if poison is not None and not turn.inputs:
            await self.quarantine.set_aside(poison)
            passed(Point.SET_ASIDE)
            event = poison.event()
            self.store.fold(event, turn.add(control(event)))
            self.inputs.take(poison.record)
            self.step, self.unfinished = 0, None
            turn.inputs = 1
            self.figures.set_aside += 1
        if not turn and self.is_behind(turn.inputs > 0):
            turn.add(control(PositionNoted(occurred_at=self.clock.now_ms())))
        if turn:
            await self.append(turn)
        self.answered.forget(self.now)
        self.figures.inputs += turn.inputs
        return bool(turn.inputs or turn)

    async def append(self, turn: Turn) -> None:
        """Returns when the batch stands in the own topic, whole."""
        checkpoint = self.checkpoint()
        headers = ((PREVIOUS, b"%d" % self.previous), (HEADER, checkpoint.encode()))
        passed(Point.DECIDED)
        batch = turn.close(headers)
        passed(Point.ENCODED)
        appended = await self.writer.append(batch)
        passed(Point.ACKNOWLEDGED)
        self.previous = appended.offset
        self.noted, self.noted_ms = checkpoint, self.clock.now_ms()
        self.answered.add(turn.answers, checkpoint.now)
        self.figures.batches += 1
        self.figures.events += len(turn)
        self.figures.rows = len(self.store.rows)
        self.figures.hop_ms = max(0, appended.timestamp - self.now)

    def prepare(self, turn: Turn) -> SetAside | None:
        """Fills the turn: no await between decode and encode. Returns the record at which it stopped, if that has
        to be set aside.
        """
        for record in self.inputs.heads(self.unfinished):
            if turn.inputs == MOST_INPUTS:
                return None
            if not is_control(record):
                message = self.read(record)
                if isinstance(message, SetAside):
                    return message
                self.now = max(self.now, record.timestamp)
                if not self.answer(record, message, turn):
                    assert turn, "one step of a decision is larger than a batch"
                    return None
            self.step, self.unfinished = 0, None
            turn.inputs += 1
        return None

    def read(self, record: Record) -> Any | SetAside:
        """Returns the record's message, or how it is set aside."""
        topic = self.service.topics[record.topic]
        try:
            message = topic.decode(record.value or b"")
            name_space(message.id)
        except ValueError as error:
            return quarantine.judged(self.service, record, self.partitions, error)
        if topic.key != "account_id":
            self.market.fold(message, record.timestamp, record.offset)
            return message
        if quarantine.misplaced(record, message, self.partitions):
            return SetAside(record, Unreadable.MISPLACED, None)
        if self.store.is_held(record.topic, message.account_id):
            return SetAside(record, "follows", message.account_id, follows=True)
        return message

    def answer(self, record: Record, message: Any, turn: Turn) -> bool:
        """Decides the input and folds what it leads to. Returns False if the turn's batch is full: then the input,
        or the rest of its steps, is left for the next.
        """
        command = type(message) in self.service.commands
        if command and not self.step:
            if message.id in self.answered or message.id in turn.answers:
                self.figures.repeats += 1
                return True
            # What is decided to nothing its rows know as a repeat, whatever its age.
            if (reason := untimely(message.created_at, self.now)) and self.decide(message):
                return self.refuse(record, message, reason, turn)
        while True:
            events = self.decide(message)
            if events and not self.write(record, message, events, turn):
                return False
            if events and command and not self.step:
                turn.answers[message.id] = None
            if not isinstance(events, Unfinished):
                return True
            assert events, "a step without an event would never end"
            self.step += 1
            self.unfinished = (record.topic, record.partition)

    def decide(self, message: Any) -> Sequence[Any]:
        if self.context.now != self.now:
            self.context = Context(self.now, self.market)
        return self.service.decide(self.store.rows, message, self.context)

    def refuse(self, record: Record, message: Any, reason: Reason, turn: Turn) -> bool:
        """Answers a sending that came too late or too early. Its command may have been answered long ago: the ids
        are this sending's, by its place in the log.
        """
        assert self.service.refuse, "a service that is asked can refuse"
        sending = position_id(record.topic, record.partition, record.offset)
        refused = [self.service.refuse(message, reason)]
        if not self.write(record, message, refused, turn, name_space=sending):
            return False
        turn.answers[message.id] = None
        return True

    def write(
        self, record: Record, message: Any, events: Sequence[Any], turn: Turn, name_space: str = ""
    ) -> bool:
        """Puts the events of a step into the turn and folds them, if they fit. Returns whether they do."""
        emitted = self.emission.emit(
            record, message, events, step=self.step, name_space=name_space or message.id
        )
        if not turn.fits(emitted):
            return False
        for event, draft in emitted:
            self.store.fold(event, turn.add(draft))
        return True

    def checkpoint(self) -> Checkpoint:
        """Returns where the inputs stand now; those that this release doesn't read stay where they were."""
        positions = {**self.unread, **self.inputs.positions}
        return Checkpoint(positions, self.now, self.step, self.unfinished)

    def is_behind(self, took: bool) -> bool:
        """Returns whether the checkpoint in the log is an hour behind: what it still points at may be deleted one
        day, also when nothing comes any more.
        """
        if took and self.now - self.noted.now >= HOUR_MS:
            return True
        hour = self.clock.now_ms() - self.noted_ms >= HOUR_MS
        return hour and self.checkpoint().positions != self.noted.positions

    def snapshot_if_due(self, tasks: asyncio.TaskGroup) -> None:
        due = self.clock.now_ms() - self.snapped >= INTERVAL_MS
        if due or len(self.store.changed) >= CHANGED_ROWS:
            self.begin_snapshot(tasks)

    def begin_snapshot(self, tasks: asyncio.TaskGroup) -> None:
        """Notes the changed rows, all of them acknowledged, and writes them beside the turns that follow."""
        if not self.store.changed or (self._snapshot and not self._snapshot.done()):
            return
        self.snapped = self.clock.now_ms()
        closing = Closing(self.writer.next_offset(self.own), self.checkpoint())
        noted = self.store.note()
        to = self.service.state(self.p)
        self._snapshot = tasks.create_task(snapshot.write(self.side, to, noted, closing))
        self.figures.snapshots += 1

    async def last_snapshot(self, tasks: asyncio.TaskGroup) -> None:
        """Returns when one is written, or given up."""
        self.begin_snapshot(tasks)
        if self._snapshot and not await done_within(self.clock, self._snapshot, LAST_SNAPSHOT_MS):
            self._snapshot.cancel()

    async def refence_if_due(self) -> None:
        """Has the brokers remember the fence, hourly, when nothing is in flight."""
        if self.clock.now_ms() - self.fenced < HOUR_MS:
            return
        passed(Point.REFENCE_BEGUN)
        await self.writer.refence()
        passed(Point.REFENCE_HALF)
        async with self.side.lock:
            await self.side.writer.refence()
        self.fenced = self.clock.now_ms()

    def _claim(self) -> Draft:
        owner = f"{self.service.name}-{self.p}"
        return control(PartitionClaimed(occurred_at=self.clock.now_ms(), owner=owner))
