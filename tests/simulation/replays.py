"""What a service wrote is what its decider says, asked again: input by input, in the order in which events cite them.

The log alone tells how each input was decided: the rows are the fold of the events before, and what the service knew
of time and prices lies between the checkpoints of two batches.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from events.codec import stamp
from events.decider import Context, Unfinished
from events.ids import event_id, position_id
from events.market import Market
from events.topics import ASSETS, PRICES
from infra.log.port import TP, Record
from infra.shell import checkpoint as checkpoints
from infra.shell.checkpoint import Checkpoint
from infra.shell.reading import is_control
from infra.shell.repeats import untimely
from infra.shell.restore import own_event
from infra.shell.rows import RowStore
from infra.shell.service import Service
from tests.books import Violation, holds

MARKET: TP = (PRICES.name, 0)
CATALOGUE: TP = (ASSETS.name, 0)
NOTHING = Checkpoint({}, 0)
Versions = Sequence[Mapping[str, int]]


class Caused(NamedTuple):
    """The events of one input within one batch, in their order, and the checkpoints around that batch."""

    cause: tuple[str, int, int]
    events: list[Record]
    before: Checkpoint
    after: Checkpoint


class Replay:
    """Folds a service's own partition, and asks its decider again for every event in it."""

    def __init__(
        self, service: Service, p: int, records: Mapping[TP, Sequence[Record]], versions: Versions
    ) -> None:
        self.service, self.p, self.records = service, p, records
        self.store = RowStore(service)
        self.inputs = {
            (*tp, record.offset): record for tp in service.inputs(p) for record in records[tp]
        }
        self.held_back = [service.writes.held_back(each) for each in versions]
        self.commands = tuple(service.commands)
        self.taken: dict[TP, int] = {}
        self.step = 0

    def run(self) -> RowStore:
        """Returns the rows after the last event. Raises: Violation."""
        for part in self.parts():
            if isinstance(part, Record):
                self.fold(part)
            else:
                self.ask_again(part)
        return self.store

    def parts(self) -> Iterator[Record | Caused]:
        """Yields the own partition: control records, and between them what each input led to."""
        before = NOTHING
        batch: list[Record] = []
        for record in self.records[self.service.output(self.p)]:
            batch.append(record)
            after = checkpoints.carried(record.headers)
            if after is None and not is_claim(record):
                continue
            yield from in_batch(batch, before, after or before)
            before, batch = after or before, []

    def fold(self, record: Record) -> None:
        event = own_event(self.service, record)
        if event is not None:
            self.store.fold(event, record.offset)

    def ask_again(self, part: Caused) -> None:
        topic, p, offset = part.cause
        begun = self.taken.get((topic, p), -1)
        holds(begun < offset or (self.step and begun == offset), f"taken anew: {part.cause}")
        self.taken[topic, p] = offset
        given, left = self.inputs[part.cause], part.events
        while left:
            wanted, unfinished = self.said(given, left, part)
            for record in left[:wanted]:
                self.fold(record)
            left = left[wanted:]
            self.step = self.step + 1 if unfinished else 0

    def said(self, given: Record, left: Sequence[Record], part: Caused) -> tuple[int, bool]:
        """Returns how many of the events are one decision of the input, and whether more of it is to come."""
        message = self.service.topics[given.topic].decode(given.value or b"")
        asked = isinstance(message, self.commands)
        for context in self.contexts(given, part):
            events = self.service.decide(self.store.rows, message, context)
            if self.are(events, left, given, message, message.id):
                return len(events), isinstance(events, Unfinished)
            reason = untimely(message.created_at, context.now) if asked and not self.step else None
            if reason and events and self.service.refuse:
                refusal = [self.service.refuse(message, reason)]
                if self.are(refusal, left, given, message, position_id(*part.cause)):
                    return 1, False
        raise Violation(
            f"{self.service.name} says otherwise now: {message}, then {left[0].value!r}"
        )

    def contexts(self, given: Record, part: Caused) -> Iterator[Context]:
        """Yields what the service may have known: the likeliest first."""
        low, high = max(part.before.now, given.timestamp), part.after.now
        times = [low, *sorted(self.between(part, low, high))]
        for market in self.markets(given, part):
            for now in times:
                yield Context(now, market)

    def between(self, part: Caused, low: int, high: int) -> set[int]:
        """Returns the times of the records that the batch takes, as far as they may count."""
        return {
            record.timestamp
            for tp in self.service.inputs(self.p)
            for record in self.records[tp]
            if part.before.positions.get(tp, 0) <= record.offset < part.after.positions[tp]
            and low < record.timestamp <= high
        }

    def markets(self, given: Record, part: Caused) -> Iterator[Market]:
        """Yields the markets of the batch: after each of its ticks, before them, and one that knows no price."""
        if not self.service.follows:
            yield Market()
            return
        first, last = part.before.positions.get(MARKET, 0), part.after.positions[MARKET]
        ticks = [record for record in self.records[MARKET] if record.offset < last]
        old = [record for record in ticks if record.offset < first][-1:]
        new = [record for record in ticks if record.offset >= first]
        likely = sorted(
            [*old, *new], key=lambda tick: (tick.timestamp > given.timestamp, -tick.offset)
        )
        for assets in self.catalogues(part):
            for tick in (*likely, None):
                yield self.market(assets, tick)

    def catalogues(self, part: Caused) -> Iterator[Sequence[Record]]:
        """Yields the whole catalogue; and what may be known of it before any checkpoint says that all was read."""
        assets = self.records[CATALOGUE]
        yield assets
        if CATALOGUE not in part.before.positions:
            yield from (assets[:known] for known in range(len(assets)))

    def market(self, assets: Sequence[Record], tick: Record | None) -> Market:
        """Returns the market as of a tick: each names every price."""
        market = Market()
        for record in assets:
            market.fold(ASSETS.decode(record.value or b""), record.timestamp, record.offset)
        if tick:
            market.fold(PRICES.decode(tick.value or b""), tick.timestamp, tick.offset)
        return market

    def are(
        self, events: Sequence[Any], left: Sequence[Record], given: Record, message: Any, space: str
    ) -> bool:
        """Returns whether the records are these events, to the byte."""
        if not events or len(events) > len(left):
            return False
        counts: dict[tuple[str, str], int] = {}
        sequences: dict[str, int] = {}
        for event, record in zip(events, left, strict=False):
            account, kind = event.account_id, event.type
            n = counts[account, kind] = counts.get((account, kind), 0) + 1
            last = sequences.get(account) or self.store.next_sequence(account) - 1
            sequences[account] = last + 1
            named = getattr(message, "command_id", getattr(event, "order_id", ""))
            stamped = stamp(
                event,
                id=event_id(space, account, kind, n, self.step),
                occurred_at=given.timestamp,
                sequence=last + 1,
                causation_id=message.id,
                command_id=message.id if isinstance(message, self.commands) else named,
                correlation_id=getattr(message, "correlation_id", named),
            )
            written = [self.service.writes.encode(stamped, held) for held in self.held_back]
            if record.value not in written:
                return False
        return True


def in_batch(
    batch: Sequence[Record], before: Checkpoint, after: Checkpoint
) -> Iterator[Record | Caused]:
    part: Caused | None = None
    for record in batch:
        if is_control(record):
            if part:
                yield part
            part = None
            yield record
            continue
        topic, p, offset = dict(record.headers)["cause"].decode().rsplit(":", 2)
        cause = (topic, int(p), int(offset))
        if part and part.cause == cause:
            part.events.append(record)
            continue
        if part:
            yield part
        part = Caused(cause, [record], before, after)
    if part:
        yield part


def is_claim(record: Record) -> bool:
    return record.key == b"control:partition_claimed"
