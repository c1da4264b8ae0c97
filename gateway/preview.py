"""What an order would come to at this moment, decided by the very functions that decide real ones: see
docs/adr/0013-previews.md. Nothing is published and nothing is kept.
"""

from typing import NamedTuple, cast

from events.balance import FundsRefused
from events.decider import Context, Rows
from events.envelope import Event
from events.market import Market
from events.order import (
    OrderAccepted,
    OrderCanceled,
    OrderFilled,
    OrderOpened,
    OrderRejected,
    PlaceOrder,
)
from events.portfolio import AssetsRefused
from services.balance import domain as balance
from services.order import domain as order
from services.portfolio import domain as portfolio

from .projections.accounts import AccountRow
from .projections.balances import BalanceRow
from .projections.positions import PositionRow

Refusal = OrderRejected | OrderCanceled


class Preview(NamedTuple):
    """What each service would answer, None where it would not be asked. fill: None for one that would rest."""

    accepted: OrderAccepted | None = None
    short: FundsRefused | AssetsRefused | None = None
    fill: OrderFilled | None = None
    refusal: Refusal | None = None


class Known(NamedTuple):
    """What of the command's account a decider may ask for, as the view shows it. position: in the order's asset."""

    account: AccountRow | None
    money: BalanceRow | None
    position: PositionRow | None


def preview(command: PlaceOrder, market: Market, now: int, known: Known) -> Preview:
    """Returns what the command would come to if each service took it now. now: ms since the epoch."""
    context, account = Context(now, market), known.account
    frozen = order.Frozen(reason=account.reason) if account and account.frozen else None
    before: Rows = {(order.ACCOUNTS.kind, command.account_id): frozen}
    first = only(order.decide(before, command, context))
    if not isinstance(first, OrderAccepted):
        return Preview(refusal=cast("Refusal", first))
    hold = held(first, context, known)
    rows = {order.ORDERS.key(first): order.ORDERS.apply(None, first)}
    then = only(order.decide(rows, cast("order.Input", hold), context))
    return Preview(
        accepted=first,
        short=hold if isinstance(hold, FundsRefused | AssetsRefused) else None,
        fill=then if isinstance(then, OrderFilled) else None,
        refusal=None if isinstance(then, OrderFilled | OrderOpened) else cast("Refusal", then),
    )


def held(accepted: OrderAccepted, context: Context, known: Known) -> Event:
    """Returns what the owner of the hold would say."""
    account, asset = accepted.account_id, accepted.asset_id
    money, position = known.money, known.position
    rows: Rows
    if accepted.side == "buy":
        has = money and balance.Balance(available=money.available, held=money.held)
        rows = {(balance.BALANCES.kind, account): has}
        return only(balance.decide(rows, accepted, context))
    owns = position and portfolio.Position(available=position.available, held=position.held)
    rows = {(portfolio.POSITIONS.kind, account, asset): owns}
    return only(portfolio.decide(rows, accepted, context))


def only(events: list[Event]) -> Event:
    """Returns the one event that a decision came to."""
    (event,) = events
    return event
