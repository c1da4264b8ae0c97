"""I5 to I7: every command has one outcome, every event a cause, and what the edge accepted stands in the log."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, NamedTuple, get_args

from msgspec import Struct, json

from events.balance import BalanceCommand, BalanceCommandRefused, FundsDeposited, FundsWithdrawn
from events.control import RecordQuarantined
from events.ids import event_id, position_id
from events.market import PriceTicked
from events.order import (
    AccountFrozen,
    AccountUnfrozen,
    AllOrdersCanceled,
    CancelOrder,
    OrderCanceled,
    OrderCommand,
    OrderCommandRefused,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderReplaced,
)
from events.topics import TOPICS
from infra.log.port import TP, Headers, Record

from .check import Check, Handler, on, short

COMMANDS = (*get_args(OrderCommand), *get_args(BalanceCommand))
EVENTS = tuple(
    kind
    for topic in TOPICS
    if topic.name.endswith(".events.v1") and topic.writer != "gateway"
    for kind in topic.types
)
UNTIMELY = ("command_expired", "command_from_future")
REFUSED = (OrderCommandRefused, BalanceCommandRefused)


class Place(NamedTuple):
    tp: TP
    offset: int

    def __str__(self) -> str:
        return f"{self.tp[0]}-{self.tp[1]} at {self.offset}"


def place_of(record: Record) -> Place:
    return Place((record.topic, record.partition), record.offset)


def cause_of(record: Record) -> Place | None:
    """Returns where the record's input stands, None if it does not say."""
    headers = record.headers
    # where our writers put it; any other place is looked for
    raw = (
        headers[1][1] if len(headers) > 1 and headers[1][0] == "cause" else header(headers, "cause")
    )
    return place(raw) if raw else None


@lru_cache(maxsize=4_096)  # one input's events follow each other, and several checks ask
def place(raw: bytes) -> Place | None:
    """Returns the place that the bytes spell, None if they spell none."""
    try:
        topic, partition, offset = raw.rsplit(b":", 2)
        return Place(tp_of(topic, partition), int(offset))
    except ValueError:
        return None


@lru_cache(maxsize=4_096)
def tp_of(topic: bytes, partition: bytes) -> TP:
    return topic.decode(), int(partition)


def header(headers: Headers, name: str) -> bytes | None:
    for key, value in headers:
        if key == name:
            return value
    return None


def untimely(event: Any) -> bool:
    """Returns whether the event refuses one sending of a command, whatever came of the command."""
    return type(event) in REFUSED and event.reason in UNTIMELY


class OneOutcome(Check):
    code = "I5"
    says = "every command has exactly one terminal outcome"

    def __init__(self) -> None:
        super().__init__()
        self.sent: dict[str, str] = {}
        self.outcomes: Counter[str] = Counter()
        self.answers: Counter[str] = Counter()
        self.refused_late: set[str] = set()
        self.cancels: set[str] = set()
        self.held: set[str] = set()

    def handlers(self) -> Mapping[type[Any], Handler]:
        return (
            on(self.command, *COMMANDS)
            | on(self.over, OrderFilled, OrderRejected, OrderCanceled, OrderExpired)
            | on(self.answer, OrderReplaced, AllOrdersCanceled, AccountFrozen, AccountUnfrozen)
            | on(self.answer, FundsDeposited, FundsWithdrawn, *REFUSED)
            | {RecordQuarantined: self.quarantined}
        )

    def command(self, _: Record, command: Any) -> None:
        self.sent[command.id] = command.account_id
        if type(command) is CancelOrder:
            self.cancels.add(command.id)

    def over(self, _: Record, event: Any) -> None:
        """Ends the order, whose PlaceOrder has its id; a cancel's own answer it is too."""
        if type(event) is OrderFilled and event.leaves_quantity:
            return
        self.outcomes[event.order_id] += 1
        if event.command_id != event.order_id:
            self.answers[event.command_id] += 1

    def answer(self, _: Record, event: Any) -> None:
        if untimely(event):
            self.refused_late.add(event.command_id)
        else:
            self.outcomes[event.command_id] += 1

    def quarantined(self, _: Record, note: RecordQuarantined) -> None:
        if note.account_id:
            self.held.add(note.account_id)

    def settle(self) -> None:
        outcomes = self.outcomes
        for command_id in self.cancels & self.answers.keys():
            outcomes[command_id] += self.answers[command_id]
        for command_id in self.refused_late - outcomes.keys():
            outcomes[command_id] = 1
        for command_id, account_id in self.sent.items():
            n = outcomes[command_id]
            if n != 1 and not (n == 0 and account_id in self.held):
                self.violation(f"command {command_id} has {n} outcomes")
        self.checked += len(self.sent)


class Caused(Check):
    """An event's id follows from its cause, and its cause stands where the event says."""

    code = "I6"
    says = "no event comes out of nothing; each id follows from its cause"

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[TP, dict[int, str]] = defaultdict(dict)
        self.causes: list[tuple[Place, str, int]] = []
        self.retained: dict[TP, int] = {}
        self.begin()

    def begin(self) -> None:
        self.here: dict[int, str] | None = None
        self.place: Place | None = None
        self.step = 0
        self.counts: dict[tuple[str, str], int] = {}

    def handlers(self) -> Mapping[type[Any], Handler]:
        return on(self.message, *COMMANDS, PriceTicked) | on(self.event, *EVENTS)

    def message(self, record: Record, message: Any) -> None:
        if self.here is None:
            tp = record.topic, record.partition
            self.here = self.known[tp]
            self.retained[tp] = record.offset
        self.here[record.offset] = message.id

    def event(self, record: Record, event: Any) -> None:
        self.checked += 1
        if self.here is None:
            self.here = self.known[record.topic, record.partition]
        self.here[record.offset] = event.id
        cause = cause_of(record)
        if cause is None:
            self.violation("names no cause", record)
            return
        if cause is not self.place and cause != self.place:
            self.place, self.step, self.counts = cause, 0, {}
            self.causes.append((cause, event.causation_id, record.offset))
        late = type(event) in REFUSED and event.reason in UNTIMELY
        space = position_id(*cause.tp, cause.offset) if late else event.causation_id
        account, kind = event.account_id, event.type
        n = self.counts.get((account, kind), 0) + 1
        if event.id != event_id(space, account, kind, n, self.step):
            self.step, self.counts, n = self.step + 1, {}, 1
            if event.id != event_id(space, account, kind, n, self.step):
                self.violation(f"{event.id} does not follow from {event.causation_id}", record)
        self.counts[account, kind] = n

    def settle(self) -> None:
        for cause, causation_id, offset in self.causes:
            found = self.known.get(cause.tp, {}).get(cause.offset)
            if found is None and cause.offset < self.retained.get(cause.tp, 0):
                continue  # forgotten by now
            if found != causation_id:
                self.violation(f"the effect at {offset} of {causation_id}: {found} is {cause}")


class Asked(Struct, frozen=True):
    """A line of a client's journal. accepted: what the edge said, None if it said nothing for certain."""

    command_id: str
    accepted: bool | None = None


def read_journal(text: str) -> list[Asked]:
    """Returns what a client wrote down, a JSON object a line. A later line of a command takes an earlier one's place:
    one is written before it is sent, the next when it was answered.

    Raises: ValidationError if a line is none.
    """
    asked = (json.decode(line, type=Asked) for line in text.splitlines() if line)
    return list({one.command_id: one for one in asked}.values())


class Accepted(Check):
    """Against the journal of whoever sent the load, written before it sent: only he knows what was asked."""

    code = "I7"
    says = "what the edge accepted stands in the log once, what it refused does not"

    def __init__(self, journal: Iterable[Asked] | None = None) -> None:
        super().__init__()
        self.journal = journal
        self.unapplied = None if journal is not None else "no journal was given"
        self.sent: set[str] = set()

    def handlers(self) -> Mapping[type[Any], Handler]:
        return {} if self.unapplied else on(self.command, *COMMANDS)

    def command(self, _: Record, command: Any) -> None:
        self.sent.add(command.id)

    def settle(self) -> None:
        lost, unasked = [], []
        for asked in self.journal or ():
            self.checked += 1
            if asked.accepted and asked.command_id not in self.sent:
                lost.append(asked.command_id)
            elif asked.accepted is False and asked.command_id in self.sent:
                unasked.append(asked.command_id)
        if lost:
            self.violation(f"accepted, but not in the log: {short(lost)}")
        if unasked:
            self.violation(f"refused at the edge, but in the log: {short(unasked)}")
