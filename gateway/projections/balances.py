"""The balance and its ledger, of balance.events."""

from typing import Literal, assert_never

from events.balance import (
    BalanceCommandRefused,
    BalanceEvent,
    FundsDeposited,
    FundsSettled,
    FundsWithdrawn,
)
from events.codec import mirror
from events.envelope import Amount, AssetId, Id, Millis, Offset, SignedAmount, Value
from events.topics import BALANCE_EVENTS
from infra.views.port import Kind

from .projection import NEWEST, Place

Movement = Literal["deposit", "withdrawal", "buy", "sell"]


@mirror
class BalanceRow(Value):
    """Cents of USD. position: of the event that it was last told by; updated_at: when."""

    position: Offset
    available: Amount
    held: Amount
    updated_at: Millis


@mirror
class LedgerRow(Value):
    """One movement of the total. amount: cents, a trade's fee inside it; balance_after: the total then."""

    id: Id
    position: Offset
    movement: Movement
    amount: SignedAmount
    balance_after: Amount
    asset_id: AssetId | None
    order_id: Id | None
    trade_id: Id | None
    command_id: Id
    created_at: Millis


BALANCE: Kind[BalanceRow] = Kind(
    name="balance", topic=BALANCE_EVENTS, row=BalanceRow, followed=True
)
LEDGER: Kind[LedgerRow] = Kind(
    name="ledger",
    topic=BALANCE_EVENTS,
    row=LedgerRow,
    listed=lambda row: row.position,
    newest=NEWEST,
)
Moving = FundsDeposited | FundsWithdrawn | FundsSettled


def balance(row: BalanceRow | None, event: BalanceEvent, place: Place) -> BalanceRow | None:
    """Returns the balance as the event tells it; as it was if the event tells none."""
    if isinstance(event, BalanceCommandRefused):
        return row
    return BalanceRow(
        position=place.offset,
        available=event.available,
        held=event.held,
        updated_at=event.occurred_at,
    )


def line(_: LedgerRow | None, event: Moving, place: Place) -> LedgerRow:
    """Returns the movement's line. A hold moves nothing of the total, so it has none."""
    settled = event if isinstance(event, FundsSettled) else None
    return LedgerRow(
        id=event.id,
        position=place.offset,
        movement=movement(event),
        amount=amount(event),
        balance_after=event.available + event.held,
        asset_id=settled.asset_id if settled else None,
        order_id=settled.order_id if settled else None,
        trade_id=settled.trade_id if settled else None,
        command_id=event.command_id,
        created_at=event.occurred_at,
    )


def movement(event: Moving) -> Movement:
    match event:
        case FundsDeposited():
            return "deposit"
        case FundsWithdrawn():
            return "withdrawal"
        case FundsSettled():
            return event.side
        case _:
            assert_never(event)


def amount(event: Moving) -> int:
    """Returns the cents by which the total changed."""
    match event:
        case FundsDeposited():
            return event.amount
        case FundsWithdrawn():
            return -event.amount
        case FundsSettled():
            moved = event.cost if event.side == "sell" else -event.cost
            return moved - event.fee
        case _:
            assert_never(event)
