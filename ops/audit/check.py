"""What a check is: it is shown the log, record by record, counts what it examined and says what must not be.

Partitions are shown one after the other, each whole and in its order: snapshots, then what accounts cause, then prices,
then dead letters.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, NamedTuple

from infra.log.port import Record
from infra.raw.batch import RawBatch

Handler = Callable[[Record, Any], None]
MOST_TOLD = 50
"""Violations of one invariant that are told; the others are counted."""


class Unread(NamedTuple):
    """In a message's place: a record that is none of its topic's. message: what it would be in its own place."""

    reason: str
    message: Any = None


class Violation(NamedTuple):
    invariant: str
    what: str


class Check:
    """One invariant. at_any_time: it holds at every prefix, so also while the services are at work.

    unapplied: why it is not asked of this log, if it is not; one that is asked and examined nothing fails.
    """

    code: ClassVar[str]
    says: ClassVar[str]
    at_any_time: ClassVar[bool] = False

    def __init__(self) -> None:
        self.checked = 0
        self.violated = 0
        self.told: list[Violation] = []
        self.unapplied: str | None = None

    def handlers(self) -> Mapping[type[Any], Handler]:
        """Returns what is to be called with which class of message."""
        return {}

    def batch(self, batch: RawBatch) -> None:
        """Is shown every batch, markers too, before its records."""

    def begin(self) -> None:
        """Is told that another partition's batches follow."""

    def close(self) -> None:
        """Is called when all was shown; what holds at every prefix has been said by then."""

    def settle(self) -> None:
        """Is called after that, if the services were at rest: what was begun must be complete."""

    def violation(self, what: str, at: Record | RawBatch | None = None) -> None:
        self.violated += 1
        if len(self.told) < MOST_TOLD:
            where = f"{at.topic}-{at.partition} at {at.offset}: " if at else ""
            self.told.append(Violation(self.code, where + what))


def on(handler: Handler, *kinds: type[Any]) -> dict[type[Any], Handler]:
    return dict.fromkeys(kinds, handler)


def short(names: Iterable[object], most: int = 3) -> str:
    """Returns the first few, and how many there are."""
    listed = [str(name) for name in names]
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return ", ".join(listed[:most]) + more
