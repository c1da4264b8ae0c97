"""The decider of orders: which are taken, when each is filled and at what price, or why not. Pure."""

from functools import partial
from typing import Any

from events.balance import BalanceEvent, FundsRefused, FundsReserved
from events.codec import mirror, stamp
from events.decider import Context, Fold, Folds, Rows
from events.envelope import (
    SAFE_INTEGER,
    Amount,
    BasisPoints,
    Count,
    Event,
    Millis,
    Revision,
    Scale,
    Token,
    Value,
)
from events.market import AssetListed, Seen
from events.money import (
    COLLAR_BPS,
    FEE_BPS,
    MIN_NOTIONAL,
    PRICE_MAX_AGE,
    fee,
    notional_limit,
    price_limit,
    quantity_for_proceeds,
    quantity_for_spend,
    rounded,
    unit,
)
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
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderTerms,
    PlaceOrder,
    ReplaceOrder,
    TimeInForce,
    UnfreezeAccount,
)
from events.portfolio import AssetsRefused, AssetsReserved, PortfolioEvent
from events.reasons import Reason

Input = OrderCommand | BalanceEvent | PortfolioEvent
Answer = FundsReserved | FundsRefused | AssetsReserved | AssetsRefused


@mirror
class Order(OrderTerms):
    """An order that is not over. price: the reference; hold: cents of a buy, minor units of a sell.

    filled_quantity, cost, fee, fills: so far. exact: what all fills are worth before any rounding, a whole
    number in digits, for it leaves the safe integers.
    """

    time_in_force: TimeInForce
    expires_at: Millis | None = None
    price: Amount
    scale: Scale
    price_scale: Scale
    fee_bps: BasisPoints
    collar_bps: BasisPoints
    hold: Amount
    revision: Revision
    fingerprint: Token
    filled_quantity: Amount = 0
    exact: Token = "0"
    cost: Amount = 0
    fee: Amount = 0
    fills: Count = 0


@mirror
class Frozen(Value):
    """There while the account is frozen. reason: the newest."""

    reason: Token


Size = tuple[int, int, int, int]
"""What an order comes to at its reference price: quantity; the largest that the collar lets it become; value in
cents, without the fee; hold.
"""


TERMS = (*OrderTerms.model_fields, "time_in_force")


def order_after(
    order: Order | None,
    event: OrderAccepted | OrderFilled | OrderRejected | OrderCanceled | OrderExpired,
) -> Order | None:
    """Returns the order after the event, None if it is over."""
    match event:
        case OrderAccepted():
            return opened(event)
        case OrderFilled() if order and event.leaves_quantity:
            return stamp(
                order,
                filled_quantity=order.filled_quantity + event.quantity,
                exact=str(int(order.exact) + event.quantity * event.price),
                cost=order.cost + event.cost,
                fee=order.fee + event.fee,
                fills=event.fill,
            )
        case _:
            return None


def opened(event: OrderAccepted) -> Order:
    """Returns the order that begins with the event. Field by field: it is on the way of every order."""
    return Order(
        asset_id=event.asset_id,
        side=event.side,
        order_type=event.order_type,
        quantity=event.quantity,
        notional=event.notional,
        limit_price=event.limit_price,
        stop_price=event.stop_price,
        client_order_id=event.client_order_id,
        time_in_force=event.time_in_force,
        expires_at=event.expires_at,
        price=event.price,
        scale=event.scale,
        price_scale=event.price_scale,
        fee_bps=event.fee_bps,
        collar_bps=event.collar_bps,
        hold=event.hold,
        revision=event.revision,
        fingerprint=event.fingerprint,
    )


ORDERS = Fold(
    "order",
    Order,
    on=(OrderAccepted, OrderFilled, OrderRejected, OrderCanceled, OrderExpired),
    ids=lambda event: (event.account_id, event.order_id),
    apply=order_after,
)
ACCOUNTS = Fold(
    "account",
    Frozen,
    on=(AccountFrozen, AccountUnfrozen),
    ids=lambda event: (event.account_id,),
    apply=lambda _, event: (
        Frozen(reason=event.reason) if isinstance(event, AccountFrozen) else None
    ),
)
FOLDS: Folds = (ORDERS, ACCOUNTS)


def decide(rows: Rows, given: Input, context: Context) -> list[Event]:
    """Returns what becomes of the orders; nothing if the input is a repeat or no longer matters."""
    match given:
        case PlaceOrder():
            known = ORDERS.of(rows, given.account_id, given.id)
            frozen = ACCOUNTS.of(rows, given.account_id) is not None
            return [] if known else [place(given, context, frozen=frozen)]
        case FundsReserved() | FundsRefused() | AssetsReserved() | AssetsRefused():
            order = ORDERS.of(rows, given.account_id, given.order_id)
            return [proceed(order, given, context)] if order and awaits(order, given) else []
        case FreezeAccount() | UnfreezeAccount():
            return [steer(given)]
        case CancelOrder() | CancelAllOrders() | ReplaceOrder():
            return [refuse(given, Reason.COMMAND_UNSUPPORTED)]
        case _:
            return []


def refuse(command: OrderCommand, reason: str) -> Event:
    """Returns the answer to a command that changes nothing: it touches no order."""
    order_id = command.order_id if isinstance(command, CancelOrder | ReplaceOrder) else None
    return OrderCommandRefused(
        account_id=command.account_id,
        order_id=order_id,
        reason=reason,
        fingerprint=command.fingerprint,
    )


def steer(command: FreezeAccount | UnfreezeAccount) -> Event:
    """Returns what is now so of the account, also if it was so before: each act stands in the log."""
    told = AccountFrozen if isinstance(command, FreezeAccount) else AccountUnfrozen
    return told(
        account_id=command.account_id,
        reason=command.reason,
        actor=command.actor,
        fingerprint=command.fingerprint,
    )


def place(order: PlaceOrder, context: Context, *, frozen: bool) -> Event:
    """Returns OrderAccepted, or OrderRejected with the first reason that applies."""
    reject = partial(rejected, order.account_id, order.id, order)
    asset = context.market.assets.get(order.asset_id)
    seen = context.market.prices.get(order.asset_id)
    if malformed(order):
        return reject(Reason.ORDER_MALFORMED)
    if order.order_type != "market":
        return reject(Reason.ORDER_TYPE_UNSUPPORTED)
    if frozen:
        return reject(Reason.ACCOUNT_FROZEN)
    if asset is None:
        return reject(Reason.ASSET_UNKNOWN)
    if context.market.halted(asset):
        return reject(Reason.ASSET_HALTED)
    if seen is None or stale(seen, context):
        return reject(Reason.PRICE_STALE)
    quantity, most, value, hold = size_of(order, seen.price, unit(asset.scale, asset.price_scale))
    if quantity < asset.min_quantity:
        return reject(Reason.QUANTITY_BELOW_MINIMUM)
    if value < MIN_NOTIONAL:
        return reject(Reason.NOTIONAL_BELOW_MINIMUM)
    if value > notional_limit(order.notional_limit) or most >= SAFE_INTEGER:
        return reject(Reason.LIMIT_EXCEEDED)
    return accepted(order, quantity, hold, asset, seen)


def malformed(order: PlaceOrder) -> bool:
    """Returns whether its terms contradict each other. The edge lets none through."""
    one = (order.quantity is None) != (order.notional is None)
    priced = order.limit_price is not None or order.stop_price is not None
    return not one or (order.order_type == "market" and priced)


def size_of(order: PlaceOrder, price: int, one_cent: int) -> Size:
    """Returns what the order comes to. A hold covers every fill inside the collar, with its fee."""
    if order.notional is not None and order.side == "buy":
        lowest = price_limit("sell", price, COLLAR_BPS)
        spend = order.notional
        quantity = quantity_for_spend(spend, price, FEE_BPS, one_cent)
        return quantity, quantity_for_spend(spend, lowest, FEE_BPS, one_cent), spend, spend
    if order.notional is not None:
        worth = quantity_for_proceeds(order.notional, price, one_cent)
        return worth, worth, order.notional, worth
    assert order.quantity is not None, "neither a quantity nor a notional"
    quantity = order.quantity
    value = rounded(order.side, quantity * price, one_cent)
    if order.side == "sell":
        return quantity, quantity, value, quantity
    worst = rounded("buy", quantity * price_limit("buy", price, COLLAR_BPS), one_cent)
    return quantity, quantity, value, worst + fee(worst, FEE_BPS)


def accepted(order: PlaceOrder, quantity: int, hold: int, asset: AssetListed, seen: Seen) -> Event:
    fixed = order.quantity is not None or order.side == "sell"
    return OrderAccepted(
        account_id=order.account_id,
        order_id=order.id,
        asset_id=order.asset_id,
        side=order.side,
        order_type=order.order_type,
        quantity=quantity if fixed else None,
        notional=order.notional,
        limit_price=order.limit_price,
        stop_price=order.stop_price,
        client_order_id=order.client_order_id,
        time_in_force=order.time_in_force,
        expires_at=order.expires_at,
        price=seen.price,
        price_time=seen.time,
        price_offset=seen.offset,
        scale=asset.scale,
        price_scale=asset.price_scale,
        fee_bps=FEE_BPS,
        collar_bps=COLLAR_BPS,
        hold=hold,
        revision=1,
        fingerprint=order.fingerprint,
    )


def rejected(account_id: str, order_id: str, order: PlaceOrder | Order, reason: str) -> Event:
    return OrderRejected(
        **these(TERMS, order),
        account_id=account_id,
        order_id=order_id,
        reason=reason,
        fingerprint=order.fingerprint,
    )


def awaits(order: Order, given: Answer) -> bool:
    """Returns whether the order waits for that answer: its revision's, from the owner of its hold."""
    funds = isinstance(given, FundsReserved | FundsRefused)
    return order.revision == given.revision and funds == (order.side == "buy")


def proceed(order: Order, given: Answer, context: Context) -> Event:
    """Returns the whole order's fill at the price of this moment, or why it ends without one."""
    if isinstance(given, FundsRefused | AssetsRefused):
        return rejected(given.account_id, given.order_id, order, given.reason)
    cancel = partial(canceled, order, given)
    asset = context.market.assets.get(order.asset_id)
    seen = context.market.prices.get(order.asset_id)
    if asset is None or context.market.halted(asset):
        return cancel(Reason.ASSET_HALTED)
    if seen is None or stale(seen, context):
        return cancel(Reason.PRICE_STALE)
    quantity = open_quantity(order, seen.price)
    if order.quantity is None and quantity < asset.min_quantity:
        return cancel(Reason.QUANTITY_BELOW_MINIMUM)
    if not inside_collar(order, seen.price):
        return cancel(Reason.PRICE_LEFT_COLLAR)
    return fill(order, given, seen, quantity, leaves=0)


def open_quantity(order: Order, price: int) -> int:
    """Returns what is left to fill. A buy by notional has its quantity from the price on."""
    if order.quantity is not None:
        return order.quantity - order.filled_quantity
    unspent = order.hold - order.cost - order.fee
    return quantity_for_spend(unspent, price, order.fee_bps, unit(order.scale, order.price_scale))


def inside_collar(order: Order, price: int) -> bool:
    """Returns whether the price is near the reference. One far better than it is no price to trust."""
    lowest = price_limit("sell", order.price, order.collar_bps)
    return lowest <= price <= price_limit("buy", order.price, order.collar_bps)


def fill(order: Order, given: Answer, seen: Seen, quantity: int, leaves: int) -> Event:
    """Returns the order's next fill: it costs what the total's rounding grows by."""
    exact = int(order.exact) + quantity * seen.price
    cost = rounded(order.side, exact, unit(order.scale, order.price_scale))
    return OrderFilled(
        account_id=given.account_id,
        order_id=given.order_id,
        asset_id=order.asset_id,
        side=order.side,
        fill=order.fills + 1,
        quantity=quantity,
        leaves_quantity=leaves,
        price=seen.price,
        price_time=seen.time,
        price_offset=seen.offset,
        scale=order.scale,
        price_scale=order.price_scale,
        cost=cost - order.cost,
        fee=fee(cost, order.fee_bps) - order.fee,
    )


def canceled(order: Order, given: Answer, reason: str) -> Event:
    return OrderCanceled(
        account_id=given.account_id,
        order_id=given.order_id,
        side=order.side,
        asset_id=order.asset_id,
        reason=reason,
    )


def stale(seen: Seen, context: Context) -> bool:
    return context.now - seen.time > PRICE_MAX_AGE


def these(names: tuple[str, ...], source: object) -> dict[str, Any]:
    """Returns those fields of a message or a row."""
    return {name: getattr(source, name) for name in names}
