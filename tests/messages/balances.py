"""Balance commands and balance events. Amounts are cents."""

from events.balance import (
    BalanceCommand,
    BalanceCommandRefused,
    Deposit,
    FundsDeposited,
    FundsRefused,
    FundsReleased,
    FundsReserved,
    FundsSettled,
    FundsWithdrawn,
    Withdraw,
)
from events.order import OrderFilled, PlaceOrder
from tests.messages.envelope import ACCOUNT, NOW, asking


def deposit(amount: int, *, n: int = 100, account_id: str = ACCOUNT, at: int = NOW) -> Deposit:
    return Deposit(**asking(n, account_id, at), amount=amount)


def withdraw(amount: int, *, n: int = 101, account_id: str = ACCOUNT, at: int = NOW) -> Withdraw:
    return Withdraw(**asking(n, account_id, at), amount=amount)


def deposited(command: Deposit, *, available: int, held: int = 0) -> FundsDeposited:
    return FundsDeposited(
        account_id=command.account_id,
        amount=command.amount,
        fingerprint=command.fingerprint,
        available=available,
        held=held,
    )


def withdrawn(command: Withdraw, *, available: int, held: int = 0) -> FundsWithdrawn:
    return FundsWithdrawn(
        account_id=command.account_id,
        amount=command.amount,
        fingerprint=command.fingerprint,
        available=available,
        held=held,
    )


def refused(
    command: BalanceCommand,
    reason: str,
    *,
    available: int | None = None,
    held: int | None = None,
) -> BalanceCommandRefused:
    """available and held are absent if the command came too late to be looked at."""
    return BalanceCommandRefused(
        account_id=command.account_id,
        command=command.type,
        amount=command.amount,
        reason=reason,
        fingerprint=command.fingerprint,
        available=available,
        held=held,
    )


def reserved(
    order: PlaceOrder, amount: int, *, available: int, held: int, revision: int = 1
) -> FundsReserved:
    return FundsReserved(
        account_id=order.account_id,
        order_id=order.id,
        revision=revision,
        amount=amount,
        available=available,
        held=held,
    )


def funds_refused(
    order: PlaceOrder,
    amount: int,
    *,
    available: int = 0,
    held: int = 0,
    revision: int = 1,
    reason: str = "insufficient_funds",
) -> FundsRefused:
    return FundsRefused(
        account_id=order.account_id,
        order_id=order.id,
        revision=revision,
        amount=amount,
        reason=reason,
        available=available,
        held=held,
    )


def settled(fill: OrderFilled, *, available: int, held: int, hold_left: int = 0) -> FundsSettled:
    return FundsSettled(
        account_id=fill.account_id,
        order_id=fill.order_id,
        trade_id=fill.id,
        asset_id=fill.asset_id,
        side=fill.side,
        fill=fill.fill,
        cost=fill.cost,
        fee=fill.fee,
        hold_left=hold_left,
        available=available,
        held=held,
    )


def released(order: PlaceOrder, amount: int, *, available: int, held: int = 0) -> FundsReleased:
    return FundsReleased(
        account_id=order.account_id,
        order_id=order.id,
        amount=amount,
        available=available,
        held=held,
    )
