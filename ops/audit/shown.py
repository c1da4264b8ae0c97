"""What the views must show after each event: folds of the auditor's own, as plain JSON objects.

Each function takes the row before, the event, and the event's record; it returns the row after, None if there is none.
"""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from events.balance import (
    BalanceCommandRefused,
    FundsDeposited,
    FundsRefused,
    FundsReserved,
    FundsSettled,
    FundsWithdrawn,
)
from events.order import (
    AccountFrozen,
    AccountUnfrozen,
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
from events.portfolio import AssetsRefused, AssetsReserved, PositionChanged
from infra.log.port import Record

Row = dict[str, Any] | None
After = Callable[[Row, Any, Record], Row]


class Shown(NamedTuple):
    """What an event makes of a kind of row. owner, id: the row's, no id: none; alone: only the live view has it."""

    kind: str
    owner: Callable[[Any], str]
    id: Callable[[Any, Record], str | None]
    after: After
    alone: bool = False


def account(event: Any) -> str:
    return str(event.account_id)


def nobody(_: Any) -> str:
    return ""


def asset_of(event: Any) -> str:
    return f"{event.account_id}/{event.asset_id}"


def order_id(event: Any, _: Record) -> str:
    return str(event.order_id)


def command_id(event: Any, _: Record) -> str:
    return str(event.command_id)


def offset(_: Any, record: Record) -> str:
    return str(record.offset)


def balance(_: Row, event: Any, record: Record) -> Row:
    after = {"available": event.available, "held": event.held}
    return {"position": record.offset, **after, "updated_at": event.occurred_at}


def movement(event: Any) -> tuple[str, int]:
    """Returns the movement's name and the cents by which the total changed."""
    match event:
        case FundsDeposited():
            return "deposit", event.amount
        case FundsWithdrawn():
            return "withdrawal", -event.amount
        case _:
            moved = event.cost if event.side == "sell" else -event.cost
            return event.side, moved - event.fee


def ledger(_: Row, event: Any, record: Record) -> Row:
    name, amount = movement(event)
    return {
        "id": event.id,
        "position": record.offset,
        "movement": name,
        "amount": amount,
        "balance_after": event.available + event.held,
        "asset_id": getattr(event, "asset_id", None),
        "order_id": getattr(event, "order_id", None),
        "trade_id": getattr(event, "trade_id", None),
        "command_id": event.command_id,
        "created_at": event.occurred_at,
    }


def settlement(row: Row, event: Any, record: Record) -> Row:
    if isinstance(event, FundsRefused | AssetsRefused) and event.revision > 1:
        return row
    is_fill = isinstance(event, FundsSettled | PositionChanged)
    reserved = isinstance(event, FundsReserved | AssetsReserved)
    over = event.hold_left == 0 if is_fill else not reserved
    refused = isinstance(event, FundsRefused | AssetsRefused)
    needed = event.amount if isinstance(event, FundsRefused) else getattr(event, "quantity", None)
    return {
        "fills": event.fill if is_fill else row["fills"] if row else 0,
        "hold_over": over,
        "reason": event.reason if refused else None,
        "fingerprint": None,
        "position": record.offset,
        "over_at": record.timestamp if over else None,
        "needed": needed if refused else None,
        "available": event.available if refused else None,
        "allowance": None,
    }


def answered(_: Row, event: Any, record: Record) -> Row:
    refused = isinstance(event, BalanceCommandRefused)
    day = {name: getattr(event, name) for name in ("limit", "used", "resets_at")}
    return {
        "fills": 0,
        "hold_over": True,
        "reason": event.reason if refused else None,
        "fingerprint": event.fingerprint,
        "position": record.offset,
        "over_at": record.timestamp,
        "needed": event.amount if refused else None,
        "available": event.available if refused else None,
        "allowance": day if refused and event.limit is not None else None,
    }


def account_told(row: Row, event: AccountFrozen | AccountUnfrozen, record: Record) -> Row:
    frozen = isinstance(event, AccountFrozen)
    goes_on = row is not None and row["frozen"] is frozen
    return {
        "position": record.offset,
        "frozen": frozen,
        "reason": event.reason,
        "actor": event.actor,
        "since": row["since"] if row and goes_on else event.occurred_at,
    }


def position(row: Row, event: Any, record: Record) -> Row:
    after = {"available": event.available, "held": event.held}
    if isinstance(event, PositionChanged):
        return {
            "position": record.offset,
            "asset_id": event.asset_id,
            **after,
            "cost_basis": event.cost_basis,
            "realized_pnl": event.realized_pnl,
            "scale": event.scale,
            "updated_at": event.occurred_at,
        }
    return row and {**row, "position": record.offset, **after, "updated_at": event.occurred_at}


def asset_line(_: Row, event: PositionChanged, record: Record) -> Row:
    return {
        "id": event.id,
        "position": record.offset,
        "asset_id": event.asset_id,
        "side": event.side,
        "quantity": event.quantity if event.side == "buy" else -event.quantity,
        "quantity_after": event.available + event.held,
        "scale": event.scale,
        "price": event.price,
        "price_scale": event.price_scale,
        "cost": event.cost,
        "fee": event.fee,
        "order_id": event.order_id,
        "trade_id": event.trade_id,
        "fill": event.fill,
        "created_at": event.occurred_at,
    }


def trade(_: Row, event: OrderFilled, record: Record) -> Row:
    names = ("order_id", "asset_id", "side", "fill", "quantity", "price", "scale", "price_scale")
    return {
        "trade_id": event.id,
        "position": record.offset,
        **{name: getattr(event, name) for name in names},
        "cost": event.cost,
        "fee": event.fee,
        "created_at": event.occurred_at,
    }


TERMS = (
    *("order_id", "client_order_id", "asset_id", "side", "order_type", "time_in_force"),
    *("quantity", "notional", "limit_price", "stop_price", "fingerprint"),
)


def opened(row: Row, event: Any, record: Record) -> Row:
    if isinstance(event, OrderRejected) and row:
        return {
            **row,
            "status": "rejected",
            "reason": event.reason,
            "updated_at": event.occurred_at,
        }
    return {
        **{name: getattr(event, name) for name in TERMS},
        "position": record.offset,
        "scale": getattr(event, "scale", None),
        "price_scale": getattr(event, "price_scale", None),
        "expires_at": getattr(event, "expires_at", None),
        "status": "rejected" if isinstance(event, OrderRejected) else "pending_new",
        "reason": getattr(event, "reason", None),
        "revision": getattr(event, "revision", 1),
        "filled_quantity": 0,
        "exact": "0",
        "cost": 0,
        "fee": 0,
        "fills": 0,
        "created_at": event.occurred_at,
        "updated_at": event.occurred_at,
    }


def followed(row: Row, event: Any, _: Record) -> Row:
    """Returns the order after a later event. One that never began has no row."""
    if row is None:
        return None
    changes = changed(row, event)
    return {**row, "updated_at": event.occurred_at, **changes} if changes else row


def changed(row: dict[str, Any], event: Any) -> dict[str, Any]:
    working = "partially_filled" if row["fills"] else "new"
    match event:
        case OrderFilled():
            return {
                "status": "partially_filled" if event.leaves_quantity else "filled",
                "filled_quantity": row["filled_quantity"] + event.quantity,
                "exact": str(int(row["exact"]) + event.price * event.quantity),
                "cost": row["cost"] + event.cost,
                "fee": row["fee"] + event.fee,
                "fills": event.fill,
            }
        case OrderOpened():
            return {"status": "new", "revision": event.revision}
        case OrderCanceled():
            return {"status": "canceled", "reason": event.reason}
        case OrderExpired():
            return {"status": "expired"}
        case OrderReplacePending():
            return {"status": "pending_replace"}
        case OrderReplaced():
            terms = ("revision", "quantity", "limit_price", "stop_price")
            return {"status": working, **{name: getattr(event, name) for name in terms}}
        case _:
            return {"status": working} if row["status"] == "pending_replace" else {}


STATUS: Mapping[type[Any], str] = {
    OrderAccepted: "pending",
    OrderRejected: "rejected",
    OrderOpened: "resting",
    OrderReplacePending: "resting",
    OrderReplaced: "resting",
    OrderCanceled: "canceled",
    OrderExpired: "expired",
}


def outcome(row: Row, event: Any, record: Record) -> Row:
    filled = isinstance(event, OrderFilled)
    last = filled and not event.leaves_quantity
    status = ("filled" if last else "resting") if filled else STATUS[type(event)]
    side = getattr(event, "side", None) or (row["side"] if row else None)
    fingerprint = row["fingerprint"] if row else getattr(event, "fingerprint", None)
    over = status in ("filled", "rejected", "canceled", "expired")
    return {
        "status": status,
        "reason": getattr(event, "reason", None),
        "side": side,
        "fills": event.fill if filled else row["fills"] if row else 0,
        "order_id": event.order_id,
        "fingerprint": fingerprint,
        "position": record.offset,
        "over_at": record.timestamp if over else None,
    }


def answer(row: Row, event: Any, record: Record) -> Row:
    """Returns the outcome of a command that is no PlaceOrder; the first answer holds."""
    if row is not None:
        return row
    refused = isinstance(event, OrderCommandRefused)
    return {
        "status": "refused" if refused else "done",
        "reason": event.reason if refused else None,
        "side": None,
        "fills": 0,
        "order_id": getattr(event, "order_id", None),
        "fingerprint": getattr(event, "fingerprint", None),
        "position": record.offset,
        "over_at": record.timestamp,
    }


def names_row(event: Any, _: Record) -> str | None:
    """Returns the row of an answer whose command's id is made of a name, as version 5 says; None of any other."""
    return event.command_id[:4] if event.command_id[14] == "5" else None


def taken(row: Row, event: Any, _: Record) -> Row:
    """Returns the row with the answered command's print, 8 digits of its id, in it."""
    print_ = f",{event.command_id[4:8]}{event.command_id[9:13]}"
    prints = row["prints"] if row else ""
    return row if print_ in prints else {"prints": prints + print_}


ACCOUNT = Shown("account", account, lambda *_: "account", account_told)
BALANCE = Shown("balance", account, lambda *_: "USD", balance)
LEDGER = Shown("ledger", account, offset, ledger)
FUNDS = Shown("outcome.b", nobody, order_id, settlement, alone=True)
FUNDS_ANSWER = Shown("outcome.b", nobody, command_id, answered)
ASSETS = Shown("outcome.p", nobody, order_id, settlement, alone=True)
POSITION = Shown("position", account, lambda event, _: event.asset_id, position)
LINE = Shown("asset_line", asset_of, offset, asset_line)
ORDER, NEXT = Shown("order", account, order_id, opened), Shown("order", account, order_id, followed)
OUTCOME = Shown("outcome.o", nobody, order_id, outcome, alone=True)
ANSWER = Shown("outcome.o", nobody, command_id, answer)
ORDER_NAME = Shown("names.o", nobody, names_row, taken, alone=True)
FUNDS_NAME = Shown("names.b", nobody, names_row, taken, alone=True)
