"""Portfolio events. Quantities are minor units of the asset."""

from events.order import OrderFilled, PlaceOrder
from events.portfolio import AssetsRefused, AssetsReleased, AssetsReserved, PositionChanged


def reserved(
    order: PlaceOrder, quantity: int, *, available: int, held: int, revision: int = 1
) -> AssetsReserved:
    return AssetsReserved(
        account_id=order.account_id,
        order_id=order.id,
        asset_id=order.asset_id,
        revision=revision,
        quantity=quantity,
        available=available,
        held=held,
    )


def assets_refused(
    order: PlaceOrder,
    quantity: int,
    *,
    available: int = 0,
    held: int = 0,
    revision: int = 1,
    reason: str = "insufficient_assets",
) -> AssetsRefused:
    return AssetsRefused(
        account_id=order.account_id,
        order_id=order.id,
        asset_id=order.asset_id,
        revision=revision,
        quantity=quantity,
        reason=reason,
        available=available,
        held=held,
    )


def changed(
    fill: OrderFilled,
    *,
    available: int,
    held: int = 0,
    hold_left: int = 0,
    cost_basis: int,
    realized_pnl: int = 0,
) -> PositionChanged:
    return PositionChanged(
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
        hold_left=hold_left,
        available=available,
        held=held,
        cost_basis=cost_basis,
        realized_pnl=realized_pnl,
    )


def released(order: PlaceOrder, quantity: int, *, available: int, held: int = 0) -> AssetsReleased:
    return AssetsReleased(
        account_id=order.account_id,
        order_id=order.id,
        asset_id=order.asset_id,
        quantity=quantity,
        available=available,
        held=held,
    )
