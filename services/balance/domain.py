"""The decider of USD: who has how much, and what of it is held for open orders. Pure."""

from typing import Any, NamedTuple

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
from events.codec import mirror, stamp
from events.decider import Context, Fold, Folds, Rows
from events.envelope import Amount, Event, Millis, Revision, Value
from events.money import MAX_NOTIONAL
from events.order import (
    AccountFrozen,
    AccountUnfrozen,
    OrderAccepted,
    OrderCanceled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderRejected,
)
from events.reasons import Reason
from events.topics import DAY

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


@mirror
class Day(Value):
    """What an account moved on the UTC day that ends at resets_at: cents of the commands that had a daily limit."""

    deposited: Amount = 0
    withdrawn: Amount = 0
    resets_at: Millis


@mirror
class Frozen(Value):
    """There while the account is frozen."""

    frozen: bool


class Allowance(NamedTuple):
    """limit: None if there is none; used: cents of it on the day that ends at resets_at."""

    limit: int | None
    used: int
    resets_at: int

    def exceeded_by(self, amount: int) -> bool:
        return self.limit is not None and self.used + amount > self.limit

    def after(self, amount: int) -> dict[str, Any]:
        """Returns what the event of so many more cents says of it."""
        if self.limit is None:
            return {}
        return self._replace(used=self.used + amount)._asdict()


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


def day_after(day: Day | None, event: FundsDeposited | FundsWithdrawn) -> Day | None:
    """Returns the day's sums after the event; the first that is counted on a day begins it."""
    if event.used is None or event.resets_at is None:
        return day
    if day is None or day.resets_at != event.resets_at:
        day = Day(resets_at=event.resets_at)
    if isinstance(event, FundsDeposited):
        return stamp(day, deposited=event.used)
    return stamp(day, withdrawn=event.used)


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
DAYS = Fold(
    "day",
    Day,
    on=(FundsDeposited, FundsWithdrawn),
    ids=lambda event: (event.account_id,),
    apply=day_after,
)
FROZEN = Fold(
    "frozen",
    Frozen,
    on=(FundsFrozen,),
    ids=lambda event: (event.account_id,),
    apply=lambda _, event: Frozen(frozen=True) if event.frozen else None,
)
FOLDS: Folds = (BALANCES, HOLDS, DAYS, FROZEN)


def decide(rows: Rows, given: Input, context: Context) -> list[Event]:
    """Returns what happens to the account's money; nothing if the input doesn't concern it."""
    balance = BALANCES.of(rows, given.account_id) or Balance()
    match given:
        case Deposit():
            return [deposit(given, balance, allowance(rows, given, context.now))]
        case Withdraw():
            frozen = FROZEN.of(rows, given.account_id) is not None
            return [withdraw(given, balance, allowance(rows, given, context.now), frozen=frozen)]
        case OrderAccepted() if given.side == "buy":
            known = HOLDS.of(rows, given.account_id, given.order_id)
            return [] if known else [reserve(given, balance)]
        case OrderFilled():
            return settle(given, balance, HOLDS.of(rows, given.account_id, given.order_id))
        case OrderCanceled() | OrderExpired() | OrderRejected():
            hold = HOLDS.of(rows, given.account_id, given.order_id)
            return [release(given, balance, hold.amount)] if hold else []
        case AccountFrozen() | AccountUnfrozen():
            frozen = FROZEN.of(rows, given.account_id) is not None
            return freeze(given, balance) if isinstance(given, AccountFrozen) != frozen else []
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


def allowance(rows: Rows, command: BalanceCommand, now: int) -> Allowance:
    """Returns what the command's daily limit leaves. A day is the log's: it ends for a partition when it has seen
    a record of the next.
    """
    day = DAYS.of(rows, command.account_id)
    resets_at = now - now % DAY + DAY
    used = 0
    if day and day.resets_at == resets_at:
        used = day.deposited if isinstance(command, Deposit) else day.withdrawn
    return Allowance(command.daily_limit, used, resets_at)


def deposit(command: Deposit, balance: Balance, day: Allowance) -> Event:
    if not command.amount:
        return refused(command, Reason.AMOUNT_NOT_POSITIVE, balance)
    if command.daily_limit == 0:
        return refused(command, Reason.DEPOSITS_DISABLED, balance)
    if day.exceeded_by(command.amount):
        return stamp(refused(command, Reason.LIMIT_EXCEEDED, balance), **day._asdict())
    if balance.available + balance.held + command.amount > MAX_NOTIONAL:
        return refused(command, Reason.LIMIT_EXCEEDED, balance)
    return FundsDeposited(
        account_id=command.account_id,
        amount=command.amount,
        fingerprint=command.fingerprint,
        available=balance.available + command.amount,
        held=balance.held,
        **day.after(command.amount),
    )


def withdraw(command: Withdraw, balance: Balance, day: Allowance, *, frozen: bool) -> Event:
    if not command.amount:
        return refused(command, Reason.AMOUNT_NOT_POSITIVE, balance)
    if frozen:
        return refused(command, Reason.ACCOUNT_FROZEN, balance)
    if day.exceeded_by(command.amount):
        return stamp(refused(command, Reason.LIMIT_EXCEEDED, balance), **day._asdict())
    if balance.available < command.amount:
        return refused(command, Reason.INSUFFICIENT_FUNDS, balance)
    return FundsWithdrawn(
        account_id=command.account_id,
        amount=command.amount,
        fingerprint=command.fingerprint,
        available=balance.available - command.amount,
        held=balance.held,
        **day.after(command.amount),
    )


def refused(command: BalanceCommand, reason: Reason, balance: Balance) -> Event:
    return stamp(refuse(command, reason), available=balance.available, held=balance.held)


def freeze(told: AccountFrozen | AccountUnfrozen, balance: Balance) -> list[Event]:
    return [
        FundsFrozen(
            account_id=told.account_id,
            frozen=isinstance(told, AccountFrozen),
            available=balance.available,
            held=balance.held,
        )
    ]


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
