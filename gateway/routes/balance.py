"""/balance: what there is in USD, deposits and withdrawals, and every movement."""

from collections.abc import Callable
from contextlib import suppress
from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel

from events.balance import Deposit, Withdraw
from events.ids import event_id
from events.reasons import OF_BALANCE, Reason
from events.topics import BALANCE_COMMANDS
from gateway.as_of import AsOfView, shown
from gateway.asking import Asker, Asking
from gateway.command_route import command
from gateway.decimals import UsdAmount, usd
from gateway.listing import Listing, Lists
from gateway.projections.balances import BALANCE, LEDGER, BalanceRow, LedgerRow, Movement
from gateway.projections.outcomes import Allowance, Settlement
from gateway.read_route import read
from gateway.reading import Reads
from gateway.route import Body, resource
from gateway.times import Timestamp, rfc3339
from gateway.waiting import FUNDING
from infra.unavailable import Unavailable
from infra.views.port import AsOf, Lagging, NotReady, One

ACCOUNT = "USD"
FUNDS = One(BALANCE, ACCOUNT)
TRANSACTIONS = "/balance/transactions"
SHORT = (Reason.INSUFFICIENT_FUNDS, Reason.INSUFFICIENT_ASSETS)
router = resource("balance")


class Amount(Body):
    amount: UsdAmount


class BalanceView(BaseModel):
    """available + held = total, always. held: for open orders."""

    currency: Literal["USD"] = "USD"
    available: str
    held: str
    total: str
    as_of: AsOfView


class TransactionView(BaseModel):
    """One movement of the total. amount: signed, a trade's fee inside it; balance_after: the total then, null
    for one that is pending or refused; asset_id: what was traded.
    """

    id: str
    type: Movement
    status: Literal["done", "pending", "refused"] = "done"
    amount: str
    balance_after: str | None
    asset_id: str | None = None
    order_id: str | None = None
    created_at: Timestamp


class Transactions(Listing[TransactionView]):
    """They add up to the balance."""


@read(router, "")
async def balance(reads: Reads) -> BalanceView:
    """Returns the balance; nothing was ever deposited: zero."""
    as_of, row = await reads.view.read(reads.account.id, FUNDS)
    return balance_view(row, as_of)


@command(router, "/deposit", *OF_BALANCE)
async def deposit(body: Amount, asking: Asking) -> TransactionView:
    """Returns 201 and the movement once it is in view, 202 and what it shall be if that takes longer than the
    client waits.

    Raises: Refused with the reason that the balance service gave.
    """
    limit = asking.allowed.deposit
    command = Deposit(**asking.envelope(body), amount=body.amount, daily_limit=limit)
    return await move(asking, command)


@command(router, "/withdraw", *OF_BALANCE)
async def withdraw(body: Amount, asking: Asking) -> TransactionView:
    """Returns as a deposit does. Raises: Refused with the reason that the balance service gave."""
    limit = asking.allowed.withdrawal
    command = Withdraw(**asking.envelope(body), amount=body.amount, daily_limit=limit)
    return await move(asking, command)


@read(router, "/transactions", "invalid_cursor")
async def balance_transactions(
    lists: Lists,
    kind: Annotated[Movement | None, Query(alias="type")] = None,
    asset_id: str | None = None,
) -> Transactions:
    """Returns the movements, newest first."""
    found = await lists.find(LEDGER, movement=kind, asset_id=asset_id)
    return Transactions(
        items=[line(row) for row in found.rows],
        next_cursor=found.cursor,
        as_of=shown(found.as_of),
    )


async def move(asking: Asker, asked: Deposit | Withdraw) -> TransactionView:
    """Returns the movement that the command led to, or shall. Raises: Refused."""
    command, rows, _ = await asking.submit(BALANCE_COMMANDS, FUNDING, asked)
    if rows is not None:
        outcome: Settlement = rows[0]
        if outcome.reason:
            detail = spent(outcome.allowance) or shortage(outcome, usd)
            raise asking.refused(outcome.reason, meant(command, "refused"), detail)
        with suppress(Unavailable, NotReady, Lagging):
            entry = One(LEDGER, str(outcome.position))
            _, row = await asking.parts.view.read(asking.account.id, entry)
            if row is not None:
                return line(row)
    asking.accept(TRANSACTIONS)
    return meant(command, "pending")


def spent(day: Allowance | None) -> str | None:
    """Returns the day's limit, what of it was used, and when the next day begins, if that is why."""
    if day is None:
        return None
    return f"Limit {usd(day.limit)}, used {usd(day.used)}, resets at {rfc3339(day.resets_at)}."


def shortage(refused: Settlement, spell: Callable[[int], str]) -> str | None:
    """Returns what was needed and what there was, if that is why."""
    if refused.reason not in SHORT or refused.needed is None or refused.available is None:
        return None
    return needed(refused.needed, refused.available, spell)


def needed(amount: int, available: int, spell: Callable[[int], str]) -> str:
    return f"Needed {spell(amount)}, available {spell(available)}."


def meant(command: Deposit | Withdraw, status: Literal["pending", "refused"]) -> TransactionView:
    """Returns the movement that the command asks for. Its id is the one that it has once it is done."""
    deposits = isinstance(command, Deposit)
    event = "funds_deposited" if deposits else "funds_withdrawn"
    return TransactionView(
        id=event_id(command.id, command.account_id, event, 1),
        type="deposit" if deposits else "withdrawal",
        status=status,
        amount=usd(command.amount if deposits else -command.amount),
        balance_after=None,
        created_at=command.created_at,
    )


def balance_view(row: BalanceRow | None, as_of: AsOf) -> BalanceView:
    available, held = (row.available, row.held) if row else (0, 0)
    return BalanceView(
        available=usd(available),
        held=usd(held),
        total=usd(available + held),
        as_of=shown(as_of),
    )


def line(row: LedgerRow) -> TransactionView:
    return TransactionView(
        id=row.id,
        type=row.movement,
        amount=usd(row.amount),
        balance_after=usd(row.balance_after),
        asset_id=row.asset_id,
        order_id=row.order_id,
        created_at=row.created_at,
    )
