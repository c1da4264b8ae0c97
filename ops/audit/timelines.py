"""What the views must show of an order's steps after each event: a fold of the auditor's own."""

from typing import Any

from events.balance import FundsRefused, FundsReleased, FundsSettled
from events.order import (
    OrderAccepted,
    OrderCanceled,
    OrderCommandRefused,
    OrderExpired,
    OrderFilled,
    OrderOpened,
    OrderRejected,
)
from events.portfolio import AssetsRefused, AssetsReleased, PositionChanged
from infra.log.port import Record

from .shown import Row, Shown, nobody

HALF = 32
"""How many of the first and of the newest steps a timeline keeps."""


def named_order(event: Any, _: Record) -> str | None:
    """Returns the order that the event is of; a refused command may name none."""
    return event.order_id and str(event.order_id)


def timeline(row: Row, event: Any, record: Record) -> Row:
    """Returns the steps of an order with the event. Nothing is told of one whose beginning is not known."""
    step = {"name": event.type, "offset": record.offset, "time": record.timestamp}
    asked = isinstance(event, OrderAccepted | OrderRejected)
    over_at = record.timestamp if ends(event) else None
    if row is None:
        if not (asked or opens(event)):
            return None
        causes = [int(raw.split(b":")[-1]) for name, raw in record.headers if name == "cause"]
        return {
            "account_id": event.account_id,
            "asked_at": event.occurred_at if asked else None,
            "asked_offset": causes[0] if asked and causes else None,
            "steps": [step],
            "left_out": 0,
            "over_at": over_at,
        }
    if row["account_id"] != event.account_id:
        return row
    kept, full = row["steps"], len(row["steps"]) == 2 * HALF
    return {
        **row,
        "steps": [*kept[:HALF], *kept[HALF + full :], step],
        "left_out": row["left_out"] + full,
        "over_at": row["over_at"] if isinstance(event, OrderCommandRefused) else over_at,
    }


def opens(event: Any) -> bool:
    """Returns whether balance or portfolio may have told nothing of the order before."""
    return getattr(event, "fill", getattr(event, "revision", 0)) == 1 and not isinstance(
        event, OrderFilled | OrderOpened
    )


def ends(event: Any) -> bool:
    """Returns whether nothing more of the order is to come on the topic."""
    match event:
        case OrderFilled():
            return event.leaves_quantity == 0
        case FundsSettled() | PositionChanged():
            return event.hold_left == 0
        case FundsRefused() | AssetsRefused():
            return event.revision == 1
        case _:
            return isinstance(
                event, OrderRejected | OrderCanceled | OrderExpired | FundsReleased | AssetsReleased
            )


TIMELINES = tuple(
    Shown(f"timeline.{letter}", nobody, named_order, timeline, alone=True)
    for letter in ("o", "b", "p")
)
