"""The decider of USD: who has how much, and what of it is held for open orders. Pure."""

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
from events.codec import mirror, stamp
from events.decider import Context, Fold, Folds, Rows
from events.envelope import Amount, Event, Revision, Value
from events.money import MAX_NOTIONAL
from events.order import (
    OrderAccepted,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderRejected,
)
from events.reasons import Reason

Input = BalanceCommand | OrderEvent
Closing = OrderCanceled | OrderExpired | OrderFilled | OrderRejected


@mirror
class Balance(Value):
    """An account's cents. What is held belongs to open orders."""

    available: Amount = 0
    held: Amount = 0


@mirror
class Hold(Value):
    """What an open buy still holds, in cents. One with nothing left has no row."""

    amount: Amount
    revision: Revision


def hold_after(
    hold: Hold | None, event: FundsReserved | FundsSettled | FundsReleased
) -> Hold | None:
    """Returns what the order holds after the event."""
    match event:
        case FundsReserved():
            return Hold(amount=event.amount, revision=event.revision)
        case FundsSettled():
            return stamp(hold, amount=event.hold_left) if hold and event.hold_left else None
        case _:
            return None


BALANCES = Fold(
    "balance",
    Balance,
    on=(FundsDeposited, FundsWithdrawn, FundsReserved, FundsSettled, FundsReleased),
    ids=lambda event: (event.account_id,),
    apply=lambda _, event: Balance(available=event.available, held=event.held),
)
HOLDS = Fold(
    "hold",
    Hold,
    on=(FundsReserved, FundsSettled, FundsReleased),
    ids=lambda event: (event.account_id, event.order_id),
    apply=hold_after,
)
FOLDS: Folds = (BALANCES, HOLDS)


def decide(rows: Rows, given: Input, _context: Context) -> list[Event]:
    """Returns what happens to the account's money; nothing if the input doesn't concern it."""
    balance = BALANCES.of(rows, given.account_id) or Balance()
    match given:
        case Deposit():
            return [deposit(given, balance)]
        case Withdraw():
            return [withdraw(given, balance)]
        case OrderAccepted() if given.side == "buy":
            known = HOLDS.of(rows, given.account_id, given.order_id)
            return [] if known else [reserve(given, balance)]
        case OrderFilled():
            return settle(given, balance, HOLDS.of(rows, given.account_id, given.order_id))
        case OrderCanceled() | OrderExpired() | OrderRejected():
            hold = HOLDS.of(rows, given.account_id, given.order_id)
            return [release(given, balance, hold.amount)] if hold else []
        case _:
            return []


def refuse(command: BalanceCommand, reason: str) -> Event:
    """Returns the answer to a command that came too late or too early to be decided."""
    return BalanceCommandRefused(
        account_id=command.account_id,
        command=command.type,
        amount=command.amount,
        reason=reason,
        fingerprint=command.fingerprint,
    )


def deposit(command: Deposit, balance: Balance) -> Event:
    if not command.amount:
        return refused(command, Reason.AMOUNT_NOT_POSITIVE, balance)
    if balance.available + balance.held + command.amount > MAX_NOTIONAL:
        return refused(command, Reason.LIMIT_EXCEEDED, balance)
    return FundsDeposited(
        account_id=command.account_id,
        amount=command.amount,
        fingerprint=command.fingerprint,
        available=balance.available + command.amount,
        held=balance.held,
    )


def withdraw(command: Withdraw, balance: Balance) -> Event:
    if not command.amount:
        return refused(command, Reason.AMOUNT_NOT_POSITIVE, balance)
    if balance.available < command.amount:
        return refused(command, Reason.INSUFFICIENT_FUNDS, balance)
    return FundsWithdrawn(
        account_id=command.account_id,
        amount=command.amount,
        fingerprint=command.fingerprint,
        available=balance.available - command.amount,
        held=balance.held,
    )


def refused(command: BalanceCommand, reason: Reason, balance: Balance) -> Event:
    return stamp(refuse(command, reason), available=balance.available, held=balance.held)


def reserve(order: OrderAccepted, balance: Balance) -> Event:
    if balance.available < order.hold:
        return FundsRefused(
            account_id=order.account_id,
            order_id=order.order_id,
            revision=order.revision,
            amount=order.hold,
            reason=Reason.INSUFFICIENT_FUNDS,
            available=balance.available,
            held=balance.held,
        )
    return FundsReserved(
        account_id=order.account_id,
        order_id=order.order_id,
        revision=order.revision,
        amount=order.hold,
        available=balance.available - order.hold,
        held=balance.held + order.hold,
    )


def settle(fill: OrderFilled, balance: Balance, hold: Hold | None) -> list[Event]:
    """Returns the fill's settlement and, after the last fill, the release of what it left of the hold."""
    left = hold.amount if hold else 0
    if fill.side == "buy":
        left -= fill.cost + fill.fee
        assert left >= 0, f"{fill.order_id}: a fill costs more than its order holds"
        after = stamp(balance, held=balance.held - fill.cost - fill.fee)
    else:
        after = stamp(balance, available=balance.available + fill.cost - fill.fee)
    settled = FundsSettled(
        account_id=fill.account_id,
        order_id=fill.order_id,
        trade_id=fill.id,
        asset_id=fill.asset_id,
        side=fill.side,
        fill=fill.fill,
        cost=fill.cost,
        fee=fill.fee,
        hold_left=left,
        available=after.available,
        held=after.held,
    )
    if left and not fill.leaves_quantity:
        return [settled, release(fill, after, left)]
    return [settled]


def release(order: Closing, balance: Balance, amount: int) -> Event:
    return FundsReleased(
        account_id=order.account_id,
        order_id=order.order_id,
        amount=amount,
        available=balance.available + amount,
        held=balance.held - amount,
    )
