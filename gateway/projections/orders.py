"""Orders and fills, of order.events."""

from typing import Annotated, Literal, assert_never

from pydantic import Field

from events.codec import mirror, stamp
from events.envelope import (
    Amount,
    AssetId,
    Count,
    Id,
    Millis,
    Offset,
    Revision,
    Scale,
    Token,
    Value,
)
from events.money import Side
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
    OrderType,
    TimeInForce,
)
from events.topics import ORDER_EVENTS
from infra.views.port import Kind

from .projection import NEWEST, Place

Status = Literal[
    "pending_new",
    "new",
    "partially_filled",
    "filled",
    "canceled",
    "pending_replace",
    "rejected",
    "expired",
]
OPEN = ("pending_new", "new", "partially_filled", "pending_replace")
Digits = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[0-9]+$")]


@mirror
class OrderRow(Value):
    """An order. position: of its first event. Quantities: minor units at scale; prices: at price_scale;
    notional, cost, fee: cents.

    exact: price x quantity summed over the fills, so the average price is exact / filled_quantity. It outgrows
    the integers that JSON keeps, hence digits. scale is None if the order was rejected before it had one.
    """

    order_id: Id
    position: Offset
    client_order_id: Token | None
    asset_id: AssetId
    side: Side
    order_type: OrderType
    time_in_force: TimeInForce
    quantity: Amount | None
    notional: Amount | None
    limit_price: Amount | None
    stop_price: Amount | None
    scale: Scale | None
    price_scale: Scale | None
    expires_at: Millis | None
    status: Status
    reason: Token | None
    revision: Revision
    filled_quantity: Amount
    exact: Digits
    cost: Amount
    fee: Amount
    fills: Count
    fingerprint: Token
    created_at: Millis
    updated_at: Millis


@mirror
class TradeRow(Value):
    """A fill. quantity: minor units at scale; price: at price_scale; cost, fee: cents."""

    trade_id: Id
    position: Offset
    order_id: Id
    asset_id: AssetId
    side: Side
    fill: Count
    quantity: Amount
    price: Amount
    scale: Scale
    price_scale: Scale
    cost: Amount
    fee: Amount
    created_at: Millis


def is_open(row: OrderRow) -> bool:
    return row.status in OPEN


ORDER: Kind[OrderRow] = Kind(
    name="order",
    topic=ORDER_EVENTS,
    row=OrderRow,
    listed=lambda row: row.position,
    is_open=is_open,
    newest=NEWEST,
    followed=True,
)
TRADE: Kind[TradeRow] = Kind(
    name="trade", topic=ORDER_EVENTS, row=TradeRow, listed=lambda row: row.position, newest=NEWEST
)

Opening = OrderAccepted | OrderRejected
Following = (
    OrderOpened
    | OrderFilled
    | OrderCanceled
    | OrderExpired
    | OrderReplacePending
    | OrderReplaced
    | OrderCommandRefused
)


def apply(row: OrderRow | None, event: Opening | Following, place: Place) -> OrderRow | None:
    """Returns the order after the event. It stands in the list where it was accepted, for ever."""
    if isinstance(event, OrderAccepted) or (row is None and isinstance(event, OrderRejected)):
        return opened(event, place)
    if row is None:
        return None
    changes = change(row, event)
    return stamp(row, updated_at=event.occurred_at, **changes) if changes else row


def opened(event: Opening, place: Place) -> OrderRow:
    """Returns the new order; what a rejected one never had is None."""
    return OrderRow(
        order_id=event.order_id,
        position=place.offset,
        client_order_id=event.client_order_id,
        asset_id=event.asset_id,
        side=event.side,
        order_type=event.order_type,
        time_in_force=event.time_in_force,
        quantity=event.quantity,
        notional=event.notional,
        limit_price=event.limit_price,
        stop_price=event.stop_price,
        scale=getattr(event, "scale", None),
        price_scale=getattr(event, "price_scale", None),
        expires_at=getattr(event, "expires_at", None),
        status="pending_new" if isinstance(event, OrderAccepted) else "rejected",
        reason=getattr(event, "reason", None),
        revision=getattr(event, "revision", 1),
        filled_quantity=0,
        exact="0",
        cost=0,
        fee=0,
        fills=0,
        fingerprint=event.fingerprint,
        created_at=event.occurred_at,
        updated_at=event.occurred_at,
    )


def change(row: OrderRow, event: OrderRejected | Following) -> dict[str, object]:
    """Returns the fields that the event changes."""
    match event:
        case OrderFilled():
            return {
                "status": "partially_filled" if event.leaves_quantity else "filled",
                "filled_quantity": row.filled_quantity + event.quantity,
                "exact": str(int(row.exact) + event.price * event.quantity),
                "cost": row.cost + event.cost,
                "fee": row.fee + event.fee,
                "fills": event.fill,
            }
        case OrderOpened():
            return {"status": "new", "revision": event.revision}
        case OrderRejected():
            return {"status": "rejected", "reason": event.reason}
        case OrderCanceled():
            return {"status": "canceled", "reason": event.reason}
        case OrderExpired():
            return {"status": "expired"}
        case OrderReplacePending():
            return {"status": "pending_replace"}
        case OrderReplaced():
            return {
                "status": at_work(row),
                "revision": event.revision,
                "quantity": event.quantity,
                "limit_price": event.limit_price,
                "stop_price": event.stop_price,
            }
        case OrderCommandRefused():
            return {"status": at_work(row)} if row.status == "pending_replace" else {}
        case _:
            assert_never(event)


def at_work(row: OrderRow) -> Status:
    """Returns the status of an open order that nobody is changing."""
    return "partially_filled" if row.fills else "new"


def trade(_: TradeRow | None, event: OrderFilled, place: Place) -> TradeRow:
    """Returns the fill's line."""
    return TradeRow(
        trade_id=event.id,
        position=place.offset,
        order_id=event.order_id,
        asset_id=event.asset_id,
        side=event.side,
        fill=event.fill,
        quantity=event.quantity,
        price=event.price,
        scale=event.scale,
        price_scale=event.price_scale,
        cost=event.cost,
        fee=event.fee,
        created_at=event.occurred_at,
    )
