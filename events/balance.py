"""balance.commands and balance.events: USD. Every event carries the balance after it, in cents."""

from typing import Literal

from .codec import mirror
from .envelope import Amount, AssetId, Command, Count, Event, Id, Millis, Revision, Token, Value
from .money import Side


@mirror
class Deposit(Command):
    """daily_limit: cents that the account may deposit in a UTC day, 0: nothing; without one it counts for no day."""

    type: Literal["deposit"] = "deposit"
    version: Literal[1] = 1
    amount: Amount
    daily_limit: Amount | None = None


@mirror
class Withdraw(Command):
    """daily_limit: cents that the account may withdraw in a UTC day; without one it counts for no day."""

    type: Literal["withdraw"] = "withdraw"
    version: Literal[1] = 1
    amount: Amount
    daily_limit: Amount | None = None


BalanceCommand = Deposit | Withdraw


class BalanceAfter(Event):
    available: Amount
    held: Amount


class Counted(Value):
    """limit: the command's daily limit, cents; used: what of it the account's deposits, or its withdrawals, come to
    after the event, on the UTC day that ends at resets_at. A command without a limit has none of these.
    """

    limit: Amount | None = None
    used: Amount | None = None
    resets_at: Millis | None = None


@mirror
class FundsDeposited(Counted, BalanceAfter):
    type: Literal["funds_deposited"] = "funds_deposited"
    version: Literal[1] = 1
    amount: Amount
    fingerprint: Token


@mirror
class FundsWithdrawn(Counted, BalanceAfter):
    type: Literal["funds_withdrawn"] = "funds_withdrawn"
    version: Literal[1] = 1
    amount: Amount
    fingerprint: Token


@mirror
class FundsReserved(BalanceAfter):
    """A buy's hold moved from available to held."""

    type: Literal["funds_reserved"] = "funds_reserved"
    version: Literal[1] = 1
    order_id: Id
    revision: Revision
    amount: Amount


@mirror
class FundsRefused(BalanceAfter):
    """The hold could not be had. amount: what it needed."""

    type: Literal["funds_refused"] = "funds_refused"
    version: Literal[1] = 1
    order_id: Id
    revision: Revision
    amount: Amount
    reason: Token


@mirror
class FundsSettled(BalanceAfter):
    """A fill's money moved: a buy's cost and fee out of the hold, a sell's cost less its fee into available.

    fill: the order's n-th; hold_left: what the order still holds.
    """

    type: Literal["funds_settled"] = "funds_settled"
    version: Literal[1] = 1
    order_id: Id
    trade_id: Id
    asset_id: AssetId
    side: Side
    fill: Count
    cost: Amount
    fee: Amount
    hold_left: Amount


@mirror
class FundsReleased(BalanceAfter):
    """What was left of a closed order's hold moved back to available."""

    type: Literal["funds_released"] = "funds_released"
    version: Literal[1] = 1
    order_id: Id
    amount: Amount


@mirror
class FundsFrozen(BalanceAfter):
    """Deposits go on, withdrawals are refused until it is thawed."""

    type: Literal["funds_frozen"] = "funds_frozen"
    version: Literal[1] = 1
    frozen: bool


@mirror
class BalanceCommandRefused(Counted, Event):
    """Answers a command that changed nothing. amount: what it asked for; available, held: the balance that it
    was refused on, absent if it came too late to be looked at; limit, used, resets_at: there if the day's limit
    is why.
    """

    type: Literal["balance_command_refused"] = "balance_command_refused"
    version: Literal[1] = 1
    available: Amount | None = None
    held: Amount | None = None
    command: Literal["deposit", "withdraw"]
    amount: Amount
    reason: Token
    fingerprint: Token


BalanceEvent = (
    FundsDeposited
    | FundsWithdrawn
    | FundsReserved
    | FundsRefused
    | FundsSettled
    | FundsReleased
    | FundsFrozen
    | BalanceCommandRefused
)
