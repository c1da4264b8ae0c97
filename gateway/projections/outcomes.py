"""What a command came to: one row of each topic that has a say in it, by the order's or the command's id."""

from typing import Any, Literal, assert_never

from events.balance import (
    BalanceCommandRefused,
    FundsDeposited,
    FundsRefused,
    FundsReleased,
    FundsReserved,
    FundsSettled,
    FundsWithdrawn,
)
from events.codec import mirror
from events.envelope import Amount, Count, Id, Millis, Offset, Token, Value
from events.money import Side
from events.order import (
    AccountFrozen,
    AccountUnfrozen,
    AllOrdersCanceled,
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
from events.topics import BALANCE_EVENTS, ORDER_EVENTS, PORTFOLIO_EVENTS
from infra.views.port import Kind

from .projection import Place

AGE = 3_600_000
"""Milliseconds that a live view keeps an outcome once it is over: four times as long as a command may be retried."""

Status = Literal[
    "pending", "resting", "filled", "canceled", "rejected", "expired", "done", "refused"
]


@mirror
class OrderOutcome(Value):
    """Of an order, or of another command to the order service. fills: the order's; over_at: since when
    nothing more comes of it.

    pending: waits for a hold or a fill; resting: may wait for long; done, refused: another command's answer.
    """

    status: Status
    reason: Token | None
    side: Side | None
    fills: Count
    order_id: Id | None
    fingerprint: Token | None
    position: Offset
    over_at: Millis | None


@mirror
class Allowance(Value):
    """What was left of a day's limit: used of it, cents, until resets_at."""

    limit: Amount
    used: Amount
    resets_at: Millis


@mirror
class Settlement(Value):
    """What the owner of money or assets did for an order, or balance for a deposit or withdrawal.

    fills: how many of the order's are settled; hold_over: nothing is held for it (any more); reason: it
    was refused; needed, available: what of it was asked for then and what there was, in minor units; allowance: of
    the day's limit, if that is why; position: of the last event, and so the id of a deposit's or withdrawal's ledger
    line.
    """

    fills: Count
    hold_over: bool
    reason: Token | None
    fingerprint: Token | None
    position: Offset
    over_at: Millis | None
    needed: Amount | None = None
    available: Amount | None = None
    allowance: Allowance | None = None


ORDER_OUTCOME: Kind[OrderOutcome] = Kind(
    name="outcome.o",
    topic=ORDER_EVENTS,
    row=OrderOutcome,
    listed=lambda row: row.over_at,
    younger=AGE,
    shared=True,
)
BALANCE_OUTCOME: Kind[Settlement] = Kind(
    name="outcome.b",
    topic=BALANCE_EVENTS,
    row=Settlement,
    listed=lambda row: row.over_at,
    younger=AGE,
    shared=True,
)
PORTFOLIO_OUTCOME: Kind[Settlement] = Kind(
    name="outcome.p",
    topic=PORTFOLIO_EVENTS,
    row=Settlement,
    listed=lambda row: row.over_at,
    younger=AGE,
    shared=True,
)
OrderStep = (
    OrderAccepted
    | OrderRejected
    | OrderOpened
    | OrderFilled
    | OrderCanceled
    | OrderExpired
    | OrderReplacePending
    | OrderReplaced
)
Answer = (
    OrderCanceled
    | OrderReplaced
    | OrderCommandRefused
    | AllOrdersCanceled
    | AccountFrozen
    | AccountUnfrozen
)
FundsStep = FundsReserved | FundsRefused | FundsSettled | FundsReleased
AssetsStep = AssetsReserved | AssetsRefused | PositionChanged | AssetsReleased


def order(row: OrderOutcome | None, event: OrderStep, place: Place) -> OrderOutcome:
    """Returns the outcome of the order so far."""
    status, over = order_status(event)
    side = getattr(event, "side", None)
    return OrderOutcome(
        status=status,
        reason=getattr(event, "reason", None),
        side=side or (row.side if row else None),
        fills=event.fill if isinstance(event, OrderFilled) else row.fills if row else 0,
        order_id=event.order_id,
        fingerprint=getattr(event, "fingerprint", None) if row is None else row.fingerprint,
        position=place.offset,
        over_at=place.time if over else None,
    )


def order_status(event: OrderStep) -> tuple[Status, bool]:
    """Returns the order's status after the event, and whether it is over."""
    match event:
        case OrderAccepted():
            return "pending", False
        case OrderRejected():
            return "rejected", True
        case OrderOpened() | OrderReplacePending() | OrderReplaced():
            return "resting", False
        case OrderFilled():
            return ("resting", False) if event.leaves_quantity else ("filled", True)
        case OrderCanceled():
            return "canceled", True
        case OrderExpired():
            return "expired", True
        case _:
            assert_never(event)


def command(row: OrderOutcome | None, event: Answer, place: Place) -> OrderOutcome:
    """Returns the outcome of a command other than PlaceOrder; the first answer holds.

    A PlaceOrder that was refused for its age has one too, unless the order itself is there.
    """
    if row is not None:
        return row
    refused = isinstance(event, OrderCommandRefused)
    return OrderOutcome(
        status="refused" if refused else "done",
        reason=event.reason if isinstance(event, OrderCommandRefused) else None,
        side=None,
        fills=0,
        order_id=getattr(event, "order_id", None),
        fingerprint=getattr(event, "fingerprint", None),
        position=place.offset,
        over_at=place.time,
    )


def command_id(event: Answer, _: Place) -> str | None:
    """Returns the id of the command that the event answers, None if that is the order's own PlaceOrder."""
    if isinstance(event, OrderCanceled | OrderReplaced) and event.command_id == event.order_id:
        return None
    return event.command_id


def settlement(
    row: Settlement | None, event: FundsStep | AssetsStep, place: Place
) -> Settlement | None:
    """Returns what was settled for the order so far. A larger hold that was refused changes nothing."""
    if isinstance(event, FundsRefused | AssetsRefused) and event.revision > 1:
        return row
    fills = row.fills if row else 0
    match event:
        case FundsReserved() | AssetsReserved():
            over = False
        case FundsSettled() | PositionChanged():
            fills, over = event.fill, event.hold_left == 0
        case _:
            over = True
    return Settlement(
        fills=fills,
        hold_over=over,
        reason=getattr(event, "reason", None),
        fingerprint=None,
        position=place.offset,
        over_at=place.time if over else None,
        **shortage(event),
    )


def shortage(event: Any) -> dict[str, Any]:
    """Returns what a refusal says of amounts, nothing of any other event."""
    match event:
        case FundsRefused() | BalanceCommandRefused():
            return {"needed": event.amount, "available": event.available}
        case AssetsRefused():
            return {"needed": event.quantity, "available": event.available}
        case _:
            return {}


def allowance(event: FundsDeposited | FundsWithdrawn | BalanceCommandRefused) -> Allowance | None:
    """Returns what a refusal says of the day's limit, nothing of any other event."""
    if not isinstance(event, BalanceCommandRefused):
        return None
    if event.limit is None or event.used is None or event.resets_at is None:
        return None
    return Allowance(limit=event.limit, used=event.used, resets_at=event.resets_at)


def tells_all(event: FundsStep | AssetsStep) -> bool:
    """Returns whether the settlement after the event is the same whatever it was before."""
    match event:
        case FundsSettled() | PositionChanged():
            return True
        case FundsReleased() | AssetsReleased():
            return False
        case _:
            return event.revision == 1


def answer(
    _: Settlement | None,
    event: FundsDeposited | FundsWithdrawn | BalanceCommandRefused,
    place: Place,
) -> Settlement:
    """Returns the outcome of a deposit or withdrawal."""
    return Settlement(
        fills=0,
        hold_over=True,
        reason=event.reason if isinstance(event, BalanceCommandRefused) else None,
        fingerprint=event.fingerprint,
        position=place.offset,
        over_at=place.time,
        allowance=allowance(event),
        **shortage(event),
    )


def is_known(
    order: OrderOutcome | None, balance: Settlement | None, portfolio: Settlement | None
) -> bool:
    """Returns whether the order is where a client may be told of it: rejected; or resting; or over, with
    its hold; and the money and assets of every fill have moved.
    """
    if order is None or order.status == "pending":
        return False
    if order.status in ("rejected", "refused"):
        return True
    settled = all((row.fills if row else 0) >= order.fills for row in (balance, portfolio))
    owner = balance if order.side == "buy" else portfolio
    return settled and (order.over_at is None or (owner is not None and owner.hold_over))
