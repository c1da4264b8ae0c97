"""A projection: one kind of row, the events that touch it, and the fold that makes it."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Generic, NamedTuple, TypeVar, cast

from events.envelope import Value
from infra.log.port import Headers
from infra.views.port import Key, Kind

R = TypeVar("R", bound=Value)
NEWEST = 201
"""How many rows of a list a live view keeps: a page, and the one that tells whether there are more."""


class Place(NamedTuple):
    """Where and when the event was appended. offset: in its partition; time: ms since the epoch; headers: of its
    record.
    """

    offset: int
    time: int
    headers: Headers = ()


@dataclass(frozen=True, kw_only=True, eq=False)
class Projection(Generic[R]):
    """owner and id name the row that an event touches, no id: none. apply(row, event, place) returns the
    row after it, None if it is gone; it refuses nothing: an event is a fact.

    blank: whether the row after this event is the same whatever it was before, so nobody looks it up.
    parts: what an event folds as, itself unless it tells of several rows.
    """

    kind: Kind[R]
    on: tuple[type[Any], ...]
    owner: Callable[[Any], str]
    id: Callable[[Any, Place], str | None]
    apply: Callable[[R | None, Any, Place], R | None]
    blank: Callable[[Any], bool] = lambda _: False
    parts: Callable[[Any], Iterable[Any]] = lambda event: (event,)

    def key(self, part: Any, place: Place) -> Key | None:
        """Returns the key of the row that this part of an event touches."""
        id_ = self.id(part, place)
        return None if id_ is None else Key(self.kind, self.owner(part), id_)


def account(event: Any) -> str:
    return str(event.account_id)


def nobody(_: Any) -> str:
    return ""


def of_order(event: Any, _: Place) -> str | None:
    """Returns the order's id; a refused command may name none."""
    return cast("str | None", event.order_id)


def at_offset(_: Any, place: Place) -> str:
    """Returns the id of a line: its place in the log."""
    return str(place.offset)


def always(_: Any) -> bool:
    return True
