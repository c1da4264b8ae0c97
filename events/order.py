"""order.commands and order.events: what clients ask of their orders, and what becomes of them."""

from collections.abc import Mapping
from typing import Literal

from .codec import Body, Caster, mirror
from .envelope import (
    Amount,
    AssetId,
    BasisPoints,
    Command,
    Count,
    Event,
    Id,
    Millis,
    Offset,
    Revision,
    Scale,
    Token,
    Value,
)
from .money import Side

OrderType = Literal["market", "limit", "stop", "stop_limit", "take_profit", "trailing_stop"]
TimeInForce = Literal["gtc", "ioc", "fok", "day", "gtd"]


class OrderTerms(Value):
    """What was ordered. Exactly one of quantity (minor units) and notional (cents) is there."""

    asset_id: AssetId
    side: Side
    order_type: OrderType
    quantity: Amount | None = None
    notional: Amount | None = None
    limit_price: Amount | None = None
    stop_price: Amount | None = None
    client_order_id: Token | None = None


@mirror
class PlaceOrder(OrderTerms, Command):
    """Its id is the order's id. notional_limit: cents that it may be worth at the last price; without one it may be
    worth what any may.
    """

    type: Literal["place_order"] = "place_order"
    version: Literal[1] = 1
    time_in_force: TimeInForce = "gtc"
    expires_at: Millis | None = None
    notional_limit: Amount | None = None


@mirror
class CancelOrder(Command):
    type: Literal["cancel_order"] = "cancel_order"
    version: Literal[1] = 1
    order_id: Id


@mirror
class CancelAllOrders(Command):
    """Of one asset, or of all."""

    type: Literal["cancel_all_orders"] = "cancel_all_orders"
    version: Literal[1] = 1
    asset_id: AssetId | None = None


@mirror
class ReplaceOrder(Command):
    """What is absent stays as it is."""

    type: Literal["replace_order"] = "replace_order"
    version: Literal[1] = 1
    order_id: Id
    quantity: Amount | None = None
    limit_price: Amount | None = None
    stop_price: Amount | None = None


@mirror
class FreezeAccount(Command):
    """actor: the account of who asks for it."""

    type: Literal["freeze_account"] = "freeze_account"
    version: Literal[1] = 1
    reason: Token
    actor: Id | None = None


@mirror
class UnfreezeAccount(Command):
    type: Literal["unfreeze_account"] = "unfreeze_account"
    version: Literal[1] = 1
    reason: Token
    actor: Id | None = None


OrderCommand = (
    PlaceOrder | CancelOrder | CancelAllOrders | ReplaceOrder | FreezeAccount | UnfreezeAccount
)


class Accepted(OrderTerms, Event):
    """Waits for its hold: cents for a buy, minor units of the asset for a sell.

    price: the reference of hold and collar. A sell by notional has its quantity from here on.
    """

    order_id: Id
    price: Amount
    price_time: Millis
    price_offset: Offset
    scale: Scale
    price_scale: Scale
    fee_bps: BasisPoints
    collar_bps: BasisPoints
    hold: Amount
    revision: Revision
    fingerprint: Token


class OrderAccepted1(Accepted):
    """Before version 2 every order was good till canceled."""

    type: Literal["order_accepted"] = "order_accepted"
    version: Literal[1] = 1


@mirror
class OrderAccepted(Accepted):
    type: Literal["order_accepted"] = "order_accepted"
    version: Literal[2] = 2
    time_in_force: TimeInForce
    expires_at: Millis | None = None


@mirror
class OrderRejected(OrderTerms, Event):
    """Over before it had a hold."""

    type: Literal["order_rejected"] = "order_rejected"
    version: Literal[1] = 1
    order_id: Id
    time_in_force: TimeInForce
    reason: Token
    fingerprint: Token


@mirror
class OrderOpened(Event):
    """Has its hold and rests."""

    type: Literal["order_opened"] = "order_opened"
    version: Literal[1] = 1
    order_id: Id
    revision: Revision


@mirror
class OrderFilled(Event):
    """One fill; its id is the trade's id. fill: from 1; leaves_quantity 0: the last, and the order is over.

    quantity: minor units; price: at price_scale; cost, fee: cents, this fill's own.
    """

    type: Literal["order_filled"] = "order_filled"
    version: Literal[1] = 1
    order_id: Id
    asset_id: AssetId
    side: Side
    fill: Count
    quantity: Amount
    leaves_quantity: Amount
    price: Amount
    price_time: Millis
    price_offset: Offset
    scale: Scale
    price_scale: Scale
    cost: Amount
    fee: Amount


@mirror
class OrderCanceled(Event):
    """Over after its hold; its owner releases what is left of it."""

    type: Literal["order_canceled"] = "order_canceled"
    version: Literal[1] = 1
    order_id: Id
    side: Side
    asset_id: AssetId
    reason: Token


@mirror
class OrderExpired(Event):
    """Over by its time in force; its owner releases what is left of the hold."""

    type: Literal["order_expired"] = "order_expired"
    version: Literal[1] = 1
    order_id: Id
    side: Side
    asset_id: AssetId


@mirror
class OrderReplacePending(Event):
    """A replace that needs a larger hold waits for it under the next revision."""

    type: Literal["order_replace_pending"] = "order_replace_pending"
    version: Literal[1] = 1
    order_id: Id
    side: Side
    asset_id: AssetId
    revision: Revision
    hold: Amount


@mirror
class OrderReplaced(Event):
    """hold: what must remain of it."""

    type: Literal["order_replaced"] = "order_replaced"
    version: Literal[1] = 1
    order_id: Id
    side: Side
    asset_id: AssetId
    revision: Revision
    quantity: Amount
    limit_price: Amount | None = None
    stop_price: Amount | None = None
    hold: Amount
    fingerprint: Token


@mirror
class AllOrdersCanceled(Event):
    """Answers CancelAllOrders. canceled: how many."""

    type: Literal["all_orders_canceled"] = "all_orders_canceled"
    version: Literal[1] = 1
    canceled: Count
    fingerprint: Token


@mirror
class AccountFrozen(Event):
    """Orders accepted before run on. One that is frozen already is told so again, with its newest reason and
    actor: the account of who asked for it.
    """

    type: Literal["account_frozen"] = "account_frozen"
    version: Literal[1] = 1
    reason: Token
    actor: Id | None = None
    fingerprint: Token


@mirror
class AccountUnfrozen(Event):
    type: Literal["account_unfrozen"] = "account_unfrozen"
    version: Literal[1] = 1
    reason: Token
    actor: Id | None = None
    fingerprint: Token


@mirror
class OrderCommandRefused(Event):
    """Answers a command that changed nothing. order_id: the order it named, if it named one."""

    type: Literal["order_command_refused"] = "order_command_refused"
    version: Literal[1] = 1
    order_id: Id | None = None
    reason: Token
    fingerprint: Token


OrderEvent = (
    OrderAccepted
    | OrderRejected
    | OrderOpened
    | OrderFilled
    | OrderCanceled
    | OrderExpired
    | OrderReplacePending
    | OrderReplaced
    | AllOrdersCanceled
    | AccountFrozen
    | AccountUnfrozen
    | OrderCommandRefused
)


def order_accepted_1_to_2(body: Body) -> Body:
    """Returns the body at version 2."""
    return body | {"version": 2, "time_in_force": "gtc", "expires_at": None}


def order_accepted_2_to_1(body: Body) -> Body:
    """Returns the body as a reader of version 1 takes it; its time in force is lost to that reader."""
    return {k: v for k, v in body.items() if k not in ("time_in_force", "expires_at")} | {
        "version": 1
    }


OLD = (OrderAccepted1,)
UPCASTERS: Mapping[str, Caster] = {"order_accepted.v1": order_accepted_1_to_2}
DOWNCASTERS: Mapping[str, Caster] = {"order_accepted.v2": order_accepted_2_to_1}
WRITES: Mapping[str, int] = {"order_accepted": 2}
"""Raised a release after its readers: till then a release writes what the one before could read."""
