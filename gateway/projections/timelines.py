"""What an order went through: its events by name, place and time, a row for each topic that tells of it.

A row is a closed thing. Most orders have five steps. One that rests for long may be filled and changed without end:
of it the first and the newest steps are kept, how it began and what it came to, and how many are left out between.
"""

from typing import Any

from events.balance import FundsRefused, FundsReleased, FundsReserved, FundsSettled
from events.codec import mirror, stamp
from events.envelope import Count, Id, Millis, Offset, Token, Value
from events.order import (
    OrderAccepted,
    OrderCanceled,
    OrderCommandRefused,
    OrderExpired,
    OrderFilled,
    OrderOpened,
    OrderRejected,
    OrderReplaced,
    OrderReplacePending,
)
from events.portfolio import AssetsRefused, AssetsReleased, AssetsReserved, PositionChanged
from events.topics import BALANCE_EVENTS, ORDER_EVENTS, PORTFOLIO_EVENTS, Topic
from infra.views.port import Kind

from .outcomes import AGE
from .projection import Place

FIRST, NEWEST = 32, 32
"""How many steps a row keeps: some 5 KiB, for each step writes the row anew."""
CAUSE = "cause"
"""The header that says where an event's input lies, as TOPIC:PARTITION:OFFSET."""

OfOrder = (
    OrderAccepted
    | OrderRejected
    | OrderOpened
    | OrderFilled
    | OrderCanceled
    | OrderExpired
    | OrderReplacePending
    | OrderReplaced
    | OrderCommandRefused
)
OfFunds = FundsReserved | FundsRefused | FundsSettled | FundsReleased
OfAssets = AssetsReserved | AssetsRefused | PositionChanged | AssetsReleased


@mirror
class TimelineStep(Value):
    """An event. name: its type; time: when it was appended."""

    name: Token
    offset: Offset
    time: Millis


@mirror
class TimelineRow(Value):
    """What a topic tells of an order, in its order. account_id: whose it is, for the row is found by the order alone.

    asked_at, asked_offset: when and where its PlaceOrder was appended, of order.events alone. left_out: how many
    steps are missing behind the first ones. over_at: since when the topic has nothing more to tell, as far as it knows.
    """

    account_id: Id
    asked_at: Millis | None
    asked_offset: Offset | None
    steps: tuple[TimelineStep, ...]
    left_out: Count
    over_at: Millis | None


def of(topic: Topic[Any]) -> Kind[TimelineRow]:
    """Returns the topic's kind of row."""
    return Kind(
        name=f"timeline.{topic.name[0]}",
        topic=topic,
        row=TimelineRow,
        listed=lambda row: row.over_at,
        younger=AGE,
        shared=True,
        quiet=True,
    )


ORDER_TIMELINE, FUNDS_TIMELINE, ASSETS_TIMELINE = map(
    of, (ORDER_EVENTS, BALANCE_EVENTS, PORTFOLIO_EVENTS)
)


def apply(
    row: TimelineRow | None, event: OfOrder | OfFunds | OfAssets, place: Place
) -> TimelineRow | None:
    """Returns the timeline with the event. A row without its beginning is none: a live view that dropped it for its
    age never has a half of it. What another account asks of an order that it does not have is no event of it.
    """
    step = TimelineStep(name=event.type, offset=place.offset, time=place.time)
    if row is None:
        return begun(event, step, place) if begins(event) else None
    if row.account_id != event.account_id:
        return row
    over_at = place.time if is_over(event) else None
    if isinstance(event, OrderCommandRefused):
        over_at = row.over_at
    steps, left_out = (*row.steps, step), row.left_out
    if len(steps) > FIRST + NEWEST:
        steps, left_out = (*steps[:FIRST], *steps[FIRST + 1 :]), left_out + 1
    return stamp(row, steps=steps, left_out=left_out, over_at=over_at)


def begun(event: Any, step: TimelineStep, place: Place) -> TimelineRow:
    asked = isinstance(event, OrderAccepted | OrderRejected)
    return TimelineRow(
        account_id=event.account_id,
        asked_at=event.occurred_at if asked else None,
        asked_offset=cause_of(place) if asked else None,
        steps=(step,),
        left_out=0,
        over_at=step.time if is_over(event) else None,
    )


def cause_of(place: Place) -> int | None:
    """Returns the offset of the event's input, if its record says so."""
    cause = dict(place.headers).get(CAUSE)
    return int(cause.rpartition(b":")[2]) if cause else None


def begins(event: Any) -> bool:
    """Returns whether a topic may have told nothing of the order before."""
    match event:
        case OrderAccepted() | OrderRejected():
            return True
        case FundsReserved() | FundsRefused() | AssetsReserved() | AssetsRefused():
            return event.revision == 1
        case FundsSettled() | PositionChanged():
            return event.fill == 1
        case _:
            return False


def is_first(event: Any) -> bool:
    """Returns whether the topic has certainly told nothing of the order before."""
    match event:
        case OrderRejected():
            return False
        case FundsSettled():
            return event.fill == 1 and event.side == "sell"
        case PositionChanged():
            return event.fill == 1 and event.side == "buy"
        case _:
            return begins(event)


def is_over(event: Any) -> bool:
    """Returns whether the topic has, as far as the event says, nothing more to tell of the order."""
    match event:
        case OrderFilled():
            return event.leaves_quantity == 0
        case FundsSettled() | PositionChanged():
            return event.hold_left == 0
        case OrderRejected() | OrderCanceled() | OrderExpired():
            return True
        case FundsReleased() | AssetsReleased():
            return True
        case FundsRefused() | AssetsRefused():
            return event.revision == 1
        case _:
            return False
