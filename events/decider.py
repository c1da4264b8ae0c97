"""The shape that every service has: rows, the folds that make them of events, and decide."""

from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar

from .envelope import Event, Value
from .market import Market

Key = tuple[str, ...]
"""A row's kind, then the account, then what tells it apart: ("hold", account_id, order_id)."""
Rows = Mapping[Key, Any]
E = TypeVar("E", bound=Event)
R = TypeVar("R", bound=Value)


class Context(NamedTuple):
    """What an input is decided with. now: the highest record time consumed so far, ms."""

    now: int
    market: Market


class Fold(Generic[R]):
    """One kind of row, the events that touch it, and how each does.

    ids(event) tells the row apart within its kind; apply(row, event) returns the row after it, None if it is gone.
    apply never raises and refuses nothing: an event is a fact.
    """

    def __init__(
        self,
        kind: str,
        row: type[R],
        on: tuple[type[Any], ...],
        ids: Callable[[Any], Key],
        apply: Callable[[R | None, Any], R | None],
    ) -> None:
        self.kind, self.row, self.on, self.ids, self.apply = kind, row, on, ids, apply

    def key(self, event: Any) -> Key:
        """Returns the key of the row that the event touches."""
        return (self.kind, *self.ids(event))

    def of(self, rows: Rows, *ids: str) -> R | None:
        """Returns the row with these ids, if there is one."""
        row: R | None = rows.get((self.kind, *ids))
        return row


class Unfinished(list[E]):
    """The events of one step of a decision: once they are folded, the same input is decided again.

    Bounds: at most 1,000 events, at least one.
    """


Folds = tuple[Fold[Any], ...]


def touching(folds: Folds) -> Mapping[type[Any], Folds]:
    """Returns, for each class of event, the folds whose rows it touches, in the order of declaration."""
    kinds = dict.fromkeys(kind for fold in folds for kind in fold.on)
    return {kind: tuple(fold for fold in folds if kind in fold.on) for kind in kinds}
