"""balance.commands and balance.events: USD. Every event carries the balance after it, in cents."""

from typing import Literal

from .codec import mirror
from .envelope import Amount, AssetId, Command, Count, Event, Id, Revision, Token
from .money import Side


@mirror
class Deposit(Command):
    type: Literal["deposit"] = "deposit"
    version: Literal[1] = 1
    amount: Amount


@mirror
class Withdraw(Command):
    type: Literal["withdraw"] = "withdraw"
    version: Literal[1] = 1
    amount: Amount


BalanceCommand = Deposit | Withdraw


class BalanceAfter(Event):
    available: Amount
    held: Amount


@mirror
class FundsDeposited(BalanceAfter):
    type: Literal["funds_deposited"] = "funds_deposited"
    version: Literal[1] = 1
    amount: Amount
    fingerprint: Token


@mirror
class FundsWithdrawn(BalanceAfter):
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
class BalanceCommandRefused(Event):
    """Answers a command that changed nothing. amount: what it asked for; available, held: the balance that it
    was refused on, absent if it came too late to be looked at.
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
