"""The decider of positions: who holds how much of an asset, what it cost, what is held for open sells. Pure."""

from events.codec import mirror, stamp
from events.decider import Context, Fold, Folds, Rows
from events.envelope import Amount, AssetId, Event, Revision, SignedAmount, Value
from events.money import basis_removed
from events.order import (
    OrderAccepted,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderRejected,
)
from events.portfolio import AssetsRefused, AssetsReleased, AssetsReserved, PositionChanged
from events.reasons import Reason

Input = OrderEvent
Closing = OrderCanceled | OrderExpired | OrderFilled | OrderRejected


@mirror
class Position(Value):
    """An account's minor units of an asset. cost_basis: what they cost, fees included, in cents;
    realized_pnl: what sales brought above it. A position that was sold keeps its row: its gain stays.
    """

    available: Amount = 0
    held: Amount = 0
    cost_basis: Amount = 0
    realized_pnl: SignedAmount = 0


@mirror
class Hold(Value):
    """What an open sell still holds, in minor units. One with nothing left has no row."""

    asset_id: AssetId
    quantity: Amount
    revision: Revision


def position_after(
    position: Position | None, event: AssetsReserved | PositionChanged | AssetsReleased
) -> Position:
    """Returns the position after the event."""
    if isinstance(event, PositionChanged):
        return Position(
            available=event.available,
            held=event.held,
            cost_basis=event.cost_basis,
            realized_pnl=event.realized_pnl,
        )
    return stamp(position or Position(), available=event.available, held=event.held)


def hold_after(
    hold: Hold | None, event: AssetsReserved | PositionChanged | AssetsReleased
) -> Hold | None:
    """Returns what the order holds after the event."""
    match event:
        case AssetsReserved():
            return Hold(asset_id=event.asset_id, quantity=event.quantity, revision=event.revision)
        case PositionChanged():
            return stamp(hold, quantity=event.hold_left) if hold and event.hold_left else None
        case _:
            return None


POSITIONS = Fold(
    "position",
    Position,
    on=(AssetsReserved, PositionChanged, AssetsReleased),
    ids=lambda event: (event.account_id, event.asset_id),
    apply=position_after,
)
HOLDS = Fold(
    "hold",
    Hold,
    on=(AssetsReserved, PositionChanged, AssetsReleased),
    ids=lambda event: (event.account_id, event.order_id),
    apply=hold_after,
)
FOLDS: Folds = (POSITIONS, HOLDS)


def decide(rows: Rows, given: Input, _context: Context) -> list[Event]:
    """Returns what happens to the account's assets; nothing if the input doesn't concern them."""
    match given:
        case OrderAccepted() if given.side == "sell":
            known = HOLDS.of(rows, given.account_id, given.order_id)
            return [] if known else [reserve(given, position_of(rows, given, given.asset_id))]
        case OrderFilled():
            hold = HOLDS.of(rows, given.account_id, given.order_id)
            return settle(given, position_of(rows, given, given.asset_id), hold)
        case OrderCanceled() | OrderExpired() | OrderRejected():
            hold = HOLDS.of(rows, given.account_id, given.order_id)
            return [release(given, position_of(rows, given, hold.asset_id), hold)] if hold else []
        case _:
            return []


def position_of(rows: Rows, event: Event, asset_id: str) -> Position:
    return POSITIONS.of(rows, event.account_id, asset_id) or Position()


def reserve(order: OrderAccepted, position: Position) -> Event:
    if position.available < order.hold:
        return AssetsRefused(
            account_id=order.account_id,
            order_id=order.order_id,
            asset_id=order.asset_id,
            revision=order.revision,
            quantity=order.hold,
            reason=Reason.INSUFFICIENT_ASSETS,
            available=position.available,
            held=position.held,
        )
    return AssetsReserved(
        account_id=order.account_id,
        order_id=order.order_id,
        asset_id=order.asset_id,
        revision=order.revision,
        quantity=order.hold,
        available=position.available - order.hold,
        held=position.held + order.hold,
    )


def settle(fill: OrderFilled, before: Position, hold: Hold | None) -> list[Event]:
    """Returns the fill's settlement and, after the last fill, the release of what it left of the hold."""
    left = hold.quantity if hold else 0
    if fill.side == "sell":
        left -= fill.quantity
        assert left >= 0, f"{fill.order_id}: a fill sells more than its order holds"
        after = sold(fill, before)
    else:
        after = bought(fill, before)
    changed = PositionChanged(
        account_id=fill.account_id,
        order_id=fill.order_id,
        trade_id=fill.id,
        asset_id=fill.asset_id,
        side=fill.side,
        fill=fill.fill,
        quantity=fill.quantity,
        price=fill.price,
        scale=fill.scale,
        price_scale=fill.price_scale,
        cost=fill.cost,
        fee=fill.fee,
        hold_left=left,
        available=after.available,
        held=after.held,
        cost_basis=after.cost_basis,
        realized_pnl=after.realized_pnl,
    )
    if left and not fill.leaves_quantity:
        assert hold
        return [changed, release(fill, after, stamp(hold, quantity=left))]
    return [changed]


def bought(fill: OrderFilled, before: Position) -> Position:
    return stamp(
        before,
        available=before.available + fill.quantity,
        cost_basis=before.cost_basis + fill.cost + fill.fee,
    )


def sold(fill: OrderFilled, before: Position) -> Position:
    removed = basis_removed(before.cost_basis, fill.quantity, before.available + before.held)
    return stamp(
        before,
        held=before.held - fill.quantity,
        cost_basis=before.cost_basis - removed,
        realized_pnl=before.realized_pnl + fill.cost - fill.fee - removed,
    )


def release(order: Closing, position: Position, hold: Hold) -> Event:
    return AssetsReleased(
        account_id=order.account_id,
        order_id=order.order_id,
        asset_id=hold.asset_id,
        quantity=hold.quantity,
        available=position.available + hold.quantity,
        held=position.held - hold.quantity,
    )
