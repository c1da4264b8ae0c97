"""Order commands and order events. An event is made of the command that it goes back to."""

from events.money import COLLAR_BPS, FEE_BPS, Side
from events.order import (
    AccountFrozen,
    AccountUnfrozen,
    CancelAllOrders,
    CancelOrder,
    FreezeAccount,
    OrderAccepted,
    OrderCanceled,
    OrderCommand,
    OrderCommandRefused,
    OrderFilled,
    OrderRejected,
    OrderType,
    PlaceOrder,
    ReplaceOrder,
    UnfreezeAccount,
)
from tests.messages.envelope import ACCOUNT, NOW, asking, numbered
from tests.messages.markets import ASSETS

ADMIN = "01900000-0000-7000-8000-0000000000ad"
LISTED = {asset.asset_id: asset for asset in ASSETS}


def place(
    side: Side,
    asset_id: str = "BTC",
    *,
    quantity: int | None = None,
    notional: int | None = None,
    order_type: OrderType = "market",
    limit_price: int | None = None,
    notional_limit: int | None = None,
    n: int = 1,
    account_id: str = ACCOUNT,
    at: int = NOW,
) -> PlaceOrder:
    """Returns the n-th command as an order. Its id is the order's."""
    return PlaceOrder(
        **asking(n, account_id, at),
        asset_id=asset_id,
        side=side,
        order_type=order_type,
        quantity=quantity,
        notional=notional,
        limit_price=limit_price,
        notional_limit=notional_limit,
        client_order_id=f"mine-{n}",
    )


def cancel(order_id: str = numbered(1), *, n: int = 2, account_id: str = ACCOUNT) -> CancelOrder:
    return CancelOrder(**asking(n, account_id), order_id=order_id)


def cancel_all(*, n: int = 2, account_id: str = ACCOUNT) -> CancelAllOrders:
    return CancelAllOrders(**asking(n, account_id))


def replace(order_id: str = numbered(1), *, n: int = 2, account_id: str = ACCOUNT) -> ReplaceOrder:
    return ReplaceOrder(**asking(n, account_id), order_id=order_id, quantity=1)


def freeze(
    *, n: int = 2, account_id: str = ACCOUNT, reason: str = "inquiry", actor: str | None = ADMIN
) -> FreezeAccount:
    return FreezeAccount(**asking(n, account_id), reason=reason, actor=actor)


def unfreeze(*, n: int = 2, account_id: str = ACCOUNT, reason: str = "cleared") -> UnfreezeAccount:
    return UnfreezeAccount(**asking(n, account_id), reason=reason, actor=ADMIN)


def frozen(command: FreezeAccount) -> AccountFrozen:
    return AccountFrozen(
        account_id=command.account_id,
        reason=command.reason,
        actor=command.actor,
        fingerprint=command.fingerprint,
    )


def unfrozen(command: UnfreezeAccount) -> AccountUnfrozen:
    return AccountUnfrozen(
        account_id=command.account_id,
        reason=command.reason,
        actor=command.actor,
        fingerprint=command.fingerprint,
    )


def accepted(
    order: PlaceOrder, hold: int, *, quantity: int | None = None, price: int | None = None
) -> OrderAccepted:
    """quantity: what a sell by notional came to; price: if not the asset's listing price."""
    asset = LISTED[order.asset_id]
    return OrderAccepted(
        account_id=order.account_id,
        order_id=order.id,
        asset_id=order.asset_id,
        side=order.side,
        order_type=order.order_type,
        quantity=order.quantity if quantity is None else quantity,
        notional=order.notional,
        client_order_id=order.client_order_id,
        time_in_force=order.time_in_force,
        price=price or asset.listing_price,
        price_time=NOW,
        price_offset=7,
        scale=asset.scale,
        price_scale=asset.price_scale,
        fee_bps=FEE_BPS,
        collar_bps=COLLAR_BPS,
        hold=hold,
        revision=1,
        fingerprint=order.fingerprint,
    )


def filled(
    order: PlaceOrder,
    quantity: int,
    *,
    cost: int,
    fee: int,
    price: int | None = None,
    fill: int = 1,
    leaves: int = 0,
) -> OrderFilled:
    """price: if not the asset's listing price."""
    asset = LISTED[order.asset_id]
    return OrderFilled(
        account_id=order.account_id,
        order_id=order.id,
        asset_id=order.asset_id,
        side=order.side,
        fill=fill,
        quantity=quantity,
        leaves_quantity=leaves,
        price=price or asset.listing_price,
        price_time=NOW,
        price_offset=7,
        scale=asset.scale,
        price_scale=asset.price_scale,
        cost=cost,
        fee=fee,
    )


def rejected(order: PlaceOrder, reason: str) -> OrderRejected:
    return OrderRejected(
        account_id=order.account_id,
        order_id=order.id,
        asset_id=order.asset_id,
        side=order.side,
        order_type=order.order_type,
        quantity=order.quantity,
        notional=order.notional,
        limit_price=order.limit_price,
        client_order_id=order.client_order_id,
        time_in_force=order.time_in_force,
        reason=reason,
        fingerprint=order.fingerprint,
    )


def canceled(order: PlaceOrder, reason: str) -> OrderCanceled:
    return OrderCanceled(
        account_id=order.account_id,
        order_id=order.id,
        side=order.side,
        asset_id=order.asset_id,
        reason=reason,
    )


def refused(
    command: OrderCommand, reason: str, *, order_id: str | None = None
) -> OrderCommandRefused:
    return OrderCommandRefused(
        account_id=command.account_id,
        order_id=order_id,
        reason=reason,
        fingerprint=command.fingerprint,
    )
