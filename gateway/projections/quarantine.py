"""Accounts whose rows of a topic may be wrong: an event of theirs could not be read and was passed over.

A rebuild by a release that can read it has no such row.
"""

from typing import Any, NamedTuple

from events.codec import mirror
from events.envelope import Millis, Offset, Token, Value
from events.topics import BALANCE_EVENTS, ORDER_EVENTS, PORTFOLIO_EVENTS, USER_EVENTS, Topic
from infra.views.port import Kind

from .projection import Place, Projection, account


class Unread(NamedTuple):
    """What stands in the place of an event that could not be read. account_id: its key."""

    account_id: str
    reason: str


@mirror
class QuarantineRow(Value):
    """position, reason, since: of the first event that was passed over; what came later was folded."""

    position: Offset
    reason: Token
    since: Millis


def apply(row: QuarantineRow | None, event: Unread, place: Place) -> QuarantineRow:
    return row or QuarantineRow(position=place.offset, reason=event.reason, since=place.time)


def of(topic: Topic[Any]) -> Projection[QuarantineRow]:
    """Returns the topic's projection of what could not be read; its one row has the id `first`."""
    return Projection(
        kind=Kind(name=f"quarantine.{topic.name[0]}", topic=topic, row=QuarantineRow),
        on=(Unread,),
        owner=account,
        id=lambda *_: FIRST,
        apply=apply,
    )


FIRST = "first"
QUARANTINES = (of(ORDER_EVENTS), of(BALANCE_EVENTS), of(PORTFOLIO_EVENTS), of(USER_EVENTS))
