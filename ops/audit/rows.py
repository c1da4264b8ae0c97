"""What each service must remember after its own events: folds of the auditor's own, as plain JSON objects."""

from collections.abc import Callable
from typing import Any, NamedTuple

from events.balance import (
    FundsDeposited,
    FundsFrozen,
    FundsReleased,
    FundsReserved,
    FundsSettled,
    FundsWithdrawn,
)
from events.control import RecordQuarantined
from events.order import (
    AccountFrozen,
    AccountUnfrozen,
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderRejected,
)
from events.portfolio import AssetsReleased, AssetsReserved, PositionChanged

Key = tuple[str, ...]
Row = dict[str, Any] | None
POSITION = {"available": 0, "held": 0, "cost_basis": 0, "realized_pnl": 0}
ORDER = (
    *("asset_id", "side", "order_type", "quantity", "notional", "limit_price", "stop_price"),
    *("client_order_id", "time_in_force", "expires_at", "price", "scale", "price_scale"),
    *("fee_bps", "collar_bps", "hold", "revision", "fingerprint"),
)
IDLE = {"deposited": 0, "withdrawn": 0}
UNFILLED = {"filled_quantity": 0, "exact": "0", "cost": 0, "fee": 0, "fills": 0}


class Rule(NamedTuple):
    """How one kind of event changes one kind of row. after: of the row before and the event."""

    key: Callable[[Any], Key]
    after: Callable[[Row, Any], Row]


def of_account(kind: str) -> Callable[[Any], Key]:
    return lambda event: (kind, event.account_id)


def of_order(kind: str) -> Callable[[Any], Key]:
    return lambda event: (kind, event.account_id, event.order_id)


def balance(_: Row, event: Any) -> Row:
    return {"available": event.available, "held": event.held}


def day(name: str) -> Callable[[Row, Any], Row]:
    """Returns what a movement does to its day's sum in the field. One without a limit is not counted."""

    def after(row: Row, event: Any) -> Row:
        if event.limit is None:
            return row
        begun = row if row and row["resets_at"] == event.resets_at else IDLE
        return begun | {"resets_at": event.resets_at, name: event.used}

    return after


def frozen(_: Row, event: FundsFrozen) -> Row:
    return {"frozen": True} if event.frozen else None


def account(_: Row, event: AccountFrozen) -> Row:
    return {"reason": event.reason}


def position(row: Row, event: Any) -> Row:
    return (row or POSITION) | {"available": event.available, "held": event.held}


def position_changed(_: Row, event: PositionChanged) -> Row:
    basis = {"cost_basis": event.cost_basis, "realized_pnl": event.realized_pnl}
    return {"available": event.available, "held": event.held, **basis}


def hold(_: Row, event: FundsReserved) -> Row:
    return {"amount": event.amount, "revision": event.revision}


def asset_hold(_: Row, event: AssetsReserved) -> Row:
    return {"asset_id": event.asset_id, "quantity": event.quantity, "revision": event.revision}


def less(name: str) -> Callable[[Row, Any], Row]:
    """Returns what a fill does to its order's hold, whose rest is in the field."""
    return lambda row, event: (row or {}) | {name: event.hold_left} if event.hold_left else None


def gone(_row: Row, _event: Any) -> Row:
    return None


def accepted(_: Row, event: OrderAccepted) -> Row:
    return {name: getattr(event, name) for name in ORDER} | UNFILLED


def filled(row: Row, event: OrderFilled) -> Row:
    if row is None or not event.leaves_quantity:
        return None
    return row | {
        "filled_quantity": row["filled_quantity"] + event.quantity,
        "exact": str(int(row["exact"]) + event.quantity * event.price),
        "cost": row["cost"] + event.cost,
        "fee": row["fee"] + event.fee,
        "fills": event.fill,
    }


def held(row: Row, note: RecordQuarantined) -> Row:
    if note.account_id is None:
        return row
    first = row["first"] if row else note.offset
    return {"topic": note.topic, "first": first, "last": note.offset}


HOLD, ORDERS, BALANCE = of_order("hold"), of_order("order"), of_account("balance")
ACCOUNT, DAY = of_account("account"), of_account("day")
RULES: dict[Any, tuple[Rule, ...]] = {
    OrderAccepted: (Rule(ORDERS, accepted),),
    OrderFilled: (Rule(ORDERS, filled),),
    OrderRejected: (Rule(ORDERS, gone),),
    OrderCanceled: (Rule(ORDERS, gone),),
    OrderExpired: (Rule(ORDERS, gone),),
    AccountFrozen: (Rule(ACCOUNT, account),),
    AccountUnfrozen: (Rule(ACCOUNT, gone),),
    FundsDeposited: (Rule(BALANCE, balance), Rule(DAY, day("deposited"))),
    FundsWithdrawn: (Rule(BALANCE, balance), Rule(DAY, day("withdrawn"))),
    FundsFrozen: (Rule(of_account("frozen"), frozen),),
    FundsReserved: (Rule(BALANCE, balance), Rule(HOLD, hold)),
    FundsSettled: (Rule(BALANCE, balance), Rule(HOLD, less("amount"))),
    FundsReleased: (Rule(BALANCE, balance), Rule(HOLD, gone)),
    AssetsReserved: (
        Rule(lambda event: ("position", event.account_id, event.asset_id), position),
        Rule(HOLD, asset_hold),
    ),
    PositionChanged: (
        Rule(lambda event: ("position", event.account_id, event.asset_id), position_changed),
        Rule(HOLD, less("quantity")),
    ),
    AssetsReleased: (
        Rule(lambda event: ("position", event.account_id, event.asset_id), position),
        Rule(HOLD, gone),
    ),
    RecordQuarantined: (Rule(lambda note: ("held", note.topic, note.account_id or ""), held),),
}
