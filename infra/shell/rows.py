"""The rows of a partition: folded from its own events, and noted for the next snapshot when they change."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from events.codec import mirror
from events.control import RecordQuarantined
from events.decider import Fold, Folds, Key, touching
from events.envelope import Amount, Event, Offset, Token, Value

from .service import Service


@mirror
class LastSequence(Value):
    """The sequence of the account's last event in the own topic."""

    sequence: Amount


@mirror
class Held(Value):
    """An account's records of a topic from `first` on wait behind poison; `last` is the newest of them."""

    topic: Token
    first: Offset
    last: Offset


def last_sequence(_: LastSequence | None, event: Event) -> LastSequence:
    """Returns the row after the event."""
    return LastSequence(sequence=event.sequence)


def held(row: Held | None, event: RecordQuarantined) -> Held | None:
    """Returns the row after the event: one that names no account holds nobody."""
    if event.account_id is None:
        return row
    first = row.first if row else event.offset
    return Held(topic=event.topic, first=first, last=event.offset)


def held_ids(event: RecordQuarantined) -> Key:
    return (event.topic, event.account_id or "")


Noted = tuple[Key, Any, int]
"""A changed row as it was, None if it is gone, and the offset of the last own event in it."""


class StoredRow(NamedTuple):
    """A row as a snapshot has it."""

    row: Any
    at: int


class RowStore:
    """Every row of the partition. `changed` has each row's newest own offset since the last note."""

    def __init__(self, service: Service) -> None:
        sequence = Fold(
            "sequence",
            LastSequence,
            on=service.writes.types,
            ids=lambda event: (event.account_id,),
            apply=last_sequence,
        )
        quarantined = Fold("held", Held, on=(RecordQuarantined,), ids=held_ids, apply=held)
        self.folds: Folds = (sequence, quarantined, *service.folds)
        self.touching = {
            kind: [(fold.kind, fold.ids, fold.apply) for fold in folds]
            for kind, folds in touching(self.folds).items()
        }
        self.kinds = {fold.kind: fold.row for fold in self.folds}
        self.rows: dict[Key, Any] = {}
        self.changed: dict[Key, int] = {}

    def fold(
        self, event: Any, offset: int, newer_than: Mapping[Key, StoredRow] | None = None
    ) -> None:
        """Folds an own event that stands at the offset, but for rows that have it in them already."""
        rows, changed = self.rows, self.changed
        for kind, ids, apply in self.touching[type(event)]:
            key = (kind, *ids(event))
            if newer_than and (stored := newer_than.get(key)) and stored.at >= offset:
                continue
            row = apply(rows.get(key), event)
            if row is None:
                rows.pop(key, None)
            else:
                rows[key] = row
            changed[key] = offset

    def next_sequence(self, account_id: str) -> int:
        """Returns the sequence of the account's next event in the own topic."""
        row = self.rows.get(("sequence", account_id))
        return row.sequence + 1 if row else 1

    def is_held(self, topic: str, account_id: str) -> bool:
        """Returns whether the account's records of that topic wait behind poison."""
        return ("held", topic, account_id) in self.rows

    def note(self) -> list[Noted]:
        """Returns what changed since the last note, as it is now. Rows are immutable: later folds don't touch it."""
        noted = [(key, self.rows.get(key), at) for key, at in self.changed.items()]
        self.changed = {}
        return noted
