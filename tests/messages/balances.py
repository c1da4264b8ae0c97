"""Balance commands and balance events. Amounts are cents."""

from typing import Any

from events.balance import (
    BalanceCommand,
    BalanceCommandRefused,
    Deposit,
    FundsDeposited,
    FundsFrozen,
    FundsRefused,
    FundsReleased,
    FundsReserved,
    FundsSettled,
    FundsWithdrawn,
    Withdraw,
)
from events.order import OrderFilled, PlaceOrder
from events.topics import DAY
from tests.messages.envelope import ACCOUNT, NOW, asking

TODAY = NOW - NOW % DAY + DAY
"""When the day ends in which everything here happens, ms."""


def deposit(
    amount: int,
    *,
    n: int = 100,
    account_id: str = ACCOUNT,
    at: int = NOW,
    limit: int | None = None,
) -> Deposit:
    """limit: the daily one."""
    return Deposit(**asking(n, account_id, at), amount=amount, daily_limit=limit)


def withdraw(
    amount: int,
    *,
    n: int = 101,
    account_id: str = ACCOUNT,
    at: int = NOW,
    limit: int | None = None,
) -> Withdraw:
    """limit: the daily one."""
    return Withdraw(**asking(n, account_id, at), amount=amount, daily_limit=limit)


def counted(limit: int | None, used: int | None, resets_at: int) -> dict[str, Any]:
    """Returns what an event says of the day, nothing of a command without a limit."""
    return {} if limit is None else {"limit": limit, "used": used, "resets_at": resets_at}


def deposited(
    command: Deposit,
    *,
    available: int,
    held: int = 0,
    used: int | None = None,
    resets_at: int = TODAY,
) -> FundsDeposited:
    """used: on the day that ends at resets_at, if the command has a daily limit."""
    return FundsDeposited(
        account_id=command.account_id,
        amount=command.amount,
        fingerprint=command.fingerprint,
        available=available,
        held=held,
        **counted(command.daily_limit, used, resets_at),
    )


def withdrawn(
    command: Withdraw,
    *,
    available: int,
    held: int = 0,
    used: int | None = None,
    resets_at: int = TODAY,
) -> FundsWithdrawn:
    """used: on the day that ends at resets_at, if the command has a daily limit."""
    return FundsWithdrawn(
        account_id=command.account_id,
        amount=command.amount,
        fingerprint=command.fingerprint,
        available=available,
        held=held,
        **counted(command.daily_limit, used, resets_at),
    )


def refused(
    command: BalanceCommand,
    reason: str,
    *,
    available: int | None = None,
    held: int | None = None,
    used: int | None = None,
) -> BalanceCommandRefused:
    """available and held are absent if the command came too late to be looked at; used: of its daily limit, if that
    is why.
    """
    return BalanceCommandRefused(
        account_id=command.account_id,
        command=command.type,
        amount=command.amount,
        reason=reason,
        fingerprint=command.fingerprint,
        available=available,
        held=held,
        **counted(None if used is None else command.daily_limit, used, TODAY),
    )


def frozen(*, available: int, held: int = 0, yes: bool = True) -> FundsFrozen:
    return FundsFrozen(account_id=ACCOUNT, frozen=yes, available=available, held=held)


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
