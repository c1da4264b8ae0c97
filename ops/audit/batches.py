"""I10, I13 to I15 and I21: in which order records came in, who wrote them, and that batches are whole."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple
from zlib import crc32

from msgspec import DecodeError, Struct, json

from events.topics import TOPICS
from infra.log.port import TP, Record
from infra.raw.batch import RawBatch

from .check import Check, Handler, on
from .outcomes import EVENTS, Place, cause_of, header

CONTROL = ("kind", b"control")
CLAIM = b"control:partition_claimed"
LAST_EPOCHS = 32_000
"""From here on a producer's name walks to a new id, behind a marker of the old one."""
OWNED = frozenset(
    topic.name
    for topic in TOPICS
    if topic.name.endswith(".events.v1") and topic.writer not in ("gateway", "market")
)
CONTRACT = frozenset(topic.name for topic in TOPICS)


class Checkpoint(Struct):
    positions: list[tuple[str, int, int]]
    now: int
    step: int = 0
    unfinished: tuple[str, int] | None = None


READ = json.Decoder(Checkpoint).decode


def is_claim(batch: RawBatch) -> bool:
    return len(batch.records) == 1 and batch.records[0].key == CLAIM


def is_control(record: Record) -> bool:
    return CONTROL in record.headers


class Foreign(NamedTuple):
    """Offsets of records that a test wrote in a service's name: poison, not the service's fault."""

    offsets: frozenset[tuple[str, int, int]] = frozenset()

    def wrote(self, batch: RawBatch) -> bool:
        return (batch.topic, batch.partition, batch.offset) in self.offsets


class InOrder(Check):
    code, at_any_time = "I10", True
    says = "an account's events are numbered without a gap, and inputs take effect in their order"

    def __init__(self) -> None:
        super().__init__()
        self.last: dict[str, int] = {}
        self.taken: dict[TP, int] = {}
        self.begin()

    def begin(self) -> None:
        self.last.clear()
        self.taken.clear()
        self.cause: Place | None = None

    def handlers(self) -> Mapping[type[Any], Handler]:
        return on(self.event, *EVENTS)

    def event(self, record: Record, event: Any) -> None:
        self.checked += 1
        account = event.account_id
        due = self.last.get(account, 0) + 1
        if event.sequence != due:
            self.violation(f"{account} is at {event.sequence}, {due} is due", record)
        self.last[account] = event.sequence
        cause = cause_of(record)
        if cause and cause is not self.cause:
            self.cause = cause
            before = self.taken.get(cause.tp, 0)
            if cause.offset < before:
                self.violation(f"an effect of {cause} behind one of {before}", record)
            self.taken[cause.tp] = cause.offset


class Whole(Check):
    code, at_any_time = "I13", True
    says = (
        "a batch is whole, ends in a checkpoint that never steps back, and nothing is taken twice"
    )

    def __init__(self, foreign: Foreign) -> None:
        super().__init__()
        self.foreign = foreign
        self.begin()

    def begin(self) -> None:
        self.previous: int | None = None
        self.positions: dict[TP, int] = {}
        self.unfinished: TP | None = None

    def batch(self, batch: RawBatch) -> None:
        if batch.topic in CONTRACT and batch.transactional and not batch.control:
            self.violation("a transaction's data", batch)
        if batch.control or batch.topic not in OWNED or self.foreign.wrote(batch):
            return
        self.checked += 1
        if is_claim(batch):
            self.previous = batch.offset
            return
        raw = header(batch.records[-1].headers, "checkpoint") if batch.records else None
        if raw is None:
            self.violation("a batch without a checkpoint", batch)
            return
        if any(len(r.headers) > 2 and header(r.headers, "checkpoint") for r in batch.records[:-1]):
            self.violation("a checkpoint in the midst of a batch", batch)
        named = header(batch.records[-1].headers, "previous")
        if self.previous is not None and named != b"%d" % self.previous:
            self.violation(f"{named!r} is named as the batch before, {self.previous} is", batch)
        self.previous = batch.offset
        try:
            checkpoint = READ(raw)
        except DecodeError as error:
            self.violation(f"a checkpoint that is none: {error}", batch)
            return
        self.moves(batch, checkpoint)

    def moves(self, batch: RawBatch, checkpoint: Checkpoint) -> None:
        """Compares the step with what the batch's events say that they were caused by."""
        after = {(topic, p): offset for topic, p, offset in checkpoint.positions}
        for tp, offset in after.items():
            if offset < self.positions.get(tp, 0):
                self.violation(f"{tp} steps back from {self.positions[tp]} to {offset}", batch)
        last = None
        for record in batch.records:
            cause = cause_of(record)
            if cause is None or cause is last:
                continue
            last = cause
            if cause.offset < self.positions.get(cause.tp, 0):
                self.violation(f"{cause} was taken before", record)
            elif not self.covers(after, checkpoint.unfinished, cause):
                self.violation(f"{cause} has effects, but is not taken", record)
        self.positions = self.positions | after

    @staticmethod
    def covers(after: Mapping[TP, int], unfinished: tuple[str, int] | None, cause: Place) -> bool:
        at = after.get(cause.tp, -1)
        return cause.offset < at or (cause.offset == at and unfinished == cause.tp)


Digest = tuple[int, int, int]
NOTHING: Digest = (0, 0, 0)


class SeenAlike(Check):
    """A consumer's records against the raw ones: a digest of each partition, in order."""

    code, at_any_time = "I14", True
    says = "what one reader saw, all see"

    def __init__(self) -> None:
        super().__init__()
        self.raw: dict[TP, Digest] = {}

    def batch(self, batch: RawBatch) -> None:
        if batch.topic in CONTRACT and not batch.control:
            self.raw[batch.tp] = digest(self.raw.get(batch.tp, NOTHING), batch.records)

    def consumed(self, tp: TP, told: Digest, reader: str) -> None:
        """Takes in what a consumer read of the partition up to the same offset: how many, and their digest."""
        self.checked += told[0]
        mine = self.raw.get(tp, NOTHING)
        if told != mine:
            self.violation(
                f"{reader} saw {told[0]} records of {tp}, {mine[0]} are there, or others"
            )


def digest(before: Digest, records: Sequence[Any]) -> Digest:
    """Returns how many records there are so far, the sum of their offsets, and the checksum of their values."""
    count, offsets, total = before
    values = b"".join([record.value or b"" for record in records])
    offsets += sum([record.offset for record in records])
    return count + len(records), offsets, crc32(values, total)


class Unfenced(Check):
    code, at_any_time = "I15", True
    says = "no writer writes after its successor's fence"

    def __init__(self, foreign: Foreign) -> None:
        super().__init__()
        self.foreign = foreign
        self.begin()

    def begin(self) -> None:
        self.epochs: dict[int, int] = {}
        self.marked: tuple[int, int] | None = None
        self.claimed: set[int] = set()

    def batch(self, batch: RawBatch) -> None:
        fenced = batch.topic in OWNED or batch.topic.endswith((".state.v1", ".dlq.v1"))
        if not fenced or self.foreign.wrote(batch):
            return
        self.checked += 1
        producer, epoch = batch.producer_id, batch.epoch
        if epoch < self.epochs.get(producer, 0):
            newest = self.epochs[producer]
            self.violation(f"producer {producer} at epoch {epoch}, after {newest}", batch)
        self.epochs[producer] = max(epoch, self.epochs.get(producer, 0))
        if batch.control:
            self.marked = (producer, epoch)
            return
        if is_claim(batch):
            self.claimed.add(producer)
        if self.marked is None:
            return
        marked, at = self.marked
        if producer == marked and epoch <= at:
            self.violation(f"producer {producer} at epoch {epoch}, fenced at {at}", batch)
        elif producer != marked and producer not in self.claimed and at < LAST_EPOCHS:
            self.violation(f"producer {producer} without a claim, after {marked}'s marker", batch)


class Healthy(Check):
    """The log's own part: what only its brokers can say comes by `transaction` and `setting`."""

    code, at_any_time = "I21", True
    says = "no transaction stays open, leaders agree on their history, topics are as they must be"

    def __init__(self) -> None:
        super().__init__()
        self.leaders: dict[TP, int] = defaultdict(lambda: -1)

    def batch(self, batch: RawBatch) -> None:
        self.checked += 1
        if batch.leader_epoch < self.leaders[batch.tp]:
            self.violation(
                f"leader epoch {batch.leader_epoch} after {self.leaders[batch.tp]}", batch
            )
        self.leaders[batch.tp] = batch.leader_epoch

    def transaction(self, tp: TP, since_offset: int, seconds: float) -> None:
        self.checked += 1
        self.violation(f"a transaction of {tp} open at {since_offset} for {seconds:.0f} s")

    def setting(self, topic: str, what: str, found: str | None, must: str) -> None:
        self.checked += 1
        if found != must:
            self.violation(f"{topic}: {what} is {found!r}, must be {must!r}")
