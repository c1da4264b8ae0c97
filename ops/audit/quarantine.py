"""I20: poison stands in its dead-letter topic once, as it was, with what follows it; its reader says so once."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple
from zlib import crc32

from events.control import RecordQuarantined
from events.topics import (
    ASSETS,
    BALANCE_COMMANDS,
    BALANCE_EVENTS,
    ORDER_COMMANDS,
    ORDER_EVENTS,
    PORTFOLIO_EVENTS,
    PRICES,
    TOPICS,
    Topic,
)
from infra.log.port import Record

from .batches import is_control
from .check import Check, Handler, Unread, on, short
from .outcomes import EVENTS, Place, header, place, place_of

READERS: Mapping[str, tuple[str, ...]] = {
    ORDER_COMMANDS.name: ("order",),
    BALANCE_COMMANDS.name: ("balance",),
    ORDER_EVENTS.name: ("balance", "portfolio", "tape"),
    BALANCE_EVENTS.name: ("order",),
    PORTFOLIO_EVENTS.name: ("order",),
    ASSETS.name: ("order",),
    PRICES.name: ("order",),
}
WRITERS = {topic.name: topic.writer for topic in TOPICS}
MARKET = {topic.name for topic in TOPICS if topic.partitions is not None}
"""Each owner of a partition reads these, and sets their poison aside for itself."""
SUFFIX = ".dlq.v1"


class Owner(NamedTuple):
    reader: str
    partition: int

    def __str__(self) -> str:
        return f"{self.reader}-{self.partition}"


class Letter(NamedTuple):
    """A dead letter. sequence: of an event that only follows poison, None of what can't be read."""

    reason: str
    sum: int
    sequence: int | None


class Quarantined(Check):
    code = "I20"
    says = "poison is set aside once, as it was, in order, and its reader says so"

    def __init__(self, partitions: int) -> None:
        super().__init__()
        self.partitions = partitions
        self.poison: dict[Place, tuple[str, int]] = {}
        self.letters: dict[Owner, dict[Place, list[Letter]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self.notes: dict[Owner, dict[Place, list[RecordQuarantined]]] = defaultdict(
            lambda: defaultdict(list)
        )
        self.newest: dict[str, dict[str, int]] = defaultdict(dict)
        self.begin()

    def begin(self) -> None:
        self.here: dict[str, int] | None = None

    def handlers(self) -> Mapping[type[Any], Handler]:
        return (
            on(self.event, *EVENTS)
            | on(self.unread, Unread)
            | on(self.letter, Record)
            | on(self.noted, RecordQuarantined)
        )

    def event(self, record: Record, event: Any) -> None:
        if self.here is None:
            self.here = self.newest[record.topic]
        self.here[event.account_id] = record.offset

    def unread(self, record: Record, message: Unread) -> None:
        self.poison[place_of(record)] = (message.reason, crc32(record.value or b""))

    def noted(self, record: Record, note: RecordQuarantined) -> None:
        at = Place((note.topic, note.partition), note.offset)
        self.notes[Owner(WRITERS[record.topic], record.partition)][at].append(note)

    def letter(self, record: Record, _: Record) -> None:
        if not record.topic.endswith(SUFFIX) or is_control(record):
            return
        origin = place(header(record.headers, "origin") or b"")
        reader = record.topic.removesuffix(SUFFIX).rpartition(".")[2]
        if origin is None or record.topic != f"{origin.tp[0]}.{reader}{SUFFIX}":
            self.violation("a dead letter without its origin", record)
            return
        reason = (header(record.headers, "reason") or b"").decode(errors="replace")
        sequence = sequence_of(TOPIC[origin.tp[0]], record) if origin.tp[0] in TOPIC else None
        letter = Letter(reason, crc32(record.value or b""), sequence)
        self.letters[Owner(reader, record.partition)][origin].append(letter)

    def settle(self) -> None:
        for at, (_, sum_) in self.poison.items():
            for owner in self.owners(at):
                self.checked += 1
                letters = self.letters[owner].get(at, [])
                if [letter.sum for letter in letters] != [sum_]:
                    what = f"{len(letters)} dead letters, or another's bytes"
                    self.violation(f"{owner} has {what}, of the poison at {at}")
        for owner in self.letters.keys() | self.notes.keys():
            self.agree(owner)
        if not self.checked:
            self.unapplied = "no poison was ever in the log"

    def owners(self, at: Place) -> Iterator[Owner]:
        """Yields who has to set the poison aside."""
        topic, p = at.tp
        for reader in READERS.get(topic, ()):
            for partition in range(self.partitions) if topic in MARKET else (p,):
                yield Owner(reader, partition)

    def agree(self, owner: Owner) -> None:
        """Compares an owner's dead letters with what its own log says of them."""
        letters, notes = self.letters[owner], self.notes[owner]
        behind: dict[tuple[str, str], list[tuple[int, int | None]]] = defaultdict(list)
        for at in sorted(letters.keys() | notes.keys()):
            self.checked += 1
            if (len(letters.get(at, ())), len(notes.get(at, ()))) != (1, 1):
                told = f"{len(letters.get(at, ()))} letters, {len(notes.get(at, ()))} notes"
                self.violation(f"{owner}: {told} of the record at {at}")
                continue
            (letter,), (note,) = letters[at], notes[at]
            if letter.reason != note.reason:
                told = f"set aside as {letter.reason}, noted as {note.reason}"
                self.violation(f"{owner}: {at} {told}")
            if not note.follows and at not in self.poison:
                self.violation(f"{owner}: {at} is no poison")
            if note.account_id:
                behind[at.tp[0], note.account_id].append((at.offset, letter.sequence))
        for (topic, account), line in behind.items():
            self.in_line(owner, topic, account, line)

    def in_line(
        self, owner: Owner, topic: str, account: str, line: list[tuple[int, int | None]]
    ) -> None:
        """All that came after an account's poison must stand behind it, up to the newest, without a gap."""
        newest = self.newest[topic].get(account, 0)
        if line[-1][0] < newest:
            self.violation(f"{owner}: {account} is held in {topic}, its record at {newest} is not")
        if gaps := [later for earlier, later in pairs(line) if later != earlier + 1]:
            self.violation(f"{owner}: {account}'s events before {short(gaps)} are not held")


def pairs(line: list[tuple[int, int | None]]) -> Iterator[tuple[int, int]]:
    """Yields the sequences of events that follow each other with no poison between."""
    for (_, earlier), (_, later) in pairwise(line):
        if earlier is not None and later is not None:
            yield earlier, later


TOPIC: Mapping[str, Topic[Any]] = {topic.name: topic for topic in TOPICS}


def sequence_of(topic: Topic[Any], record: Record) -> int | None:
    try:
        return getattr(topic.decode(record.value or b""), "sequence", None)
    except ValueError:
        return None
