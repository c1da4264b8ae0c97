"""Every projection: its kind of row (which names the topic that alone feeds it), the events that touch it,
what tells a row apart; and which view has it."""

from typing import Any, get_args

from events.balance import BalanceCommandRefused, BalanceEvent, FundsDeposited, FundsWithdrawn
from events.market import AssetListed, PriceTicked
from events.order import AccountFrozen, AccountUnfrozen, OrderAccepted, OrderFilled
from events.portfolio import PortfolioEvent, PositionChanged
from events.user import UserMessage

from .projections import (
    accounts,
    balances,
    market,
    names,
    orders,
    outcomes,
    positions,
    timelines,
    trails,
)
from .projections.projection import Projection, account, always, at_offset, nobody, of_order
from .projections.quarantine import QUARANTINES

ORDERS = Projection(
    kind=orders.ORDER,
    on=get_args(orders.Opening | orders.Following),
    owner=account,
    id=of_order,
    apply=orders.apply,
    blank=lambda event: isinstance(event, OrderAccepted),
)
TRADES = Projection(
    # Of order.events, not of the tape: a fill's line and its order's row are then in view at once.
    kind=orders.TRADE,
    on=(OrderFilled,),
    owner=account,
    id=at_offset,
    apply=orders.trade,
    blank=always,
)
ORDER_OUTCOMES = Projection(
    kind=outcomes.ORDER_OUTCOME,
    on=get_args(outcomes.OrderStep),
    owner=nobody,
    id=of_order,
    apply=outcomes.order,
    blank=lambda event: isinstance(event, OrderAccepted),
)
ORDER_ANSWERS = Projection(
    kind=outcomes.ORDER_OUTCOME,
    on=get_args(outcomes.Answer),
    owner=nobody,
    id=outcomes.command_id,
    apply=outcomes.command,
)
ACCOUNTS = Projection(
    kind=accounts.ACCOUNT,
    on=(AccountFrozen, AccountUnfrozen),
    owner=account,
    id=lambda *_: accounts.ONLY,
    apply=accounts.apply,
)
TRAILS = Projection(
    kind=trails.TRAIL,
    on=get_args(UserMessage),
    owner=account,
    id=at_offset,
    apply=trails.act,
    blank=always,
)
FREEZES = Projection(
    kind=trails.FREEZES,
    on=(AccountFrozen, AccountUnfrozen),
    owner=account,
    id=at_offset,
    apply=trails.act,
    blank=always,
)
BALANCES = Projection(
    kind=balances.BALANCE,
    on=get_args(BalanceEvent),
    owner=account,
    id=lambda *_: "USD",
    apply=balances.balance,
    blank=lambda event: not isinstance(event, BalanceCommandRefused),
)
LEDGER = Projection(
    kind=balances.LEDGER,
    on=get_args(balances.Moving),
    owner=account,
    id=at_offset,
    apply=balances.line,
    blank=always,
)
BALANCE_OUTCOMES = Projection(
    kind=outcomes.BALANCE_OUTCOME,
    on=get_args(outcomes.FundsStep),
    owner=nobody,
    id=of_order,
    apply=outcomes.settlement,
    blank=outcomes.tells_all,
)
BALANCE_ANSWERS = Projection(
    kind=outcomes.BALANCE_OUTCOME,
    on=(FundsDeposited, FundsWithdrawn, BalanceCommandRefused),
    owner=nobody,
    id=lambda event, _: event.command_id,
    apply=outcomes.answer,
    blank=always,
)
ORDER_NAMES = Projection(
    kind=names.ORDER_NAMES,
    on=get_args(orders.Opening | outcomes.Answer),
    owner=nobody,
    id=names.of_name,
    apply=names.apply,
)
BALANCE_NAMES = Projection(
    kind=names.BALANCE_NAMES,
    on=(FundsDeposited, FundsWithdrawn, BalanceCommandRefused),
    owner=nobody,
    id=names.of_name,
    apply=names.apply,
)
POSITIONS = Projection(
    kind=positions.POSITION,
    on=get_args(PortfolioEvent),
    owner=account,
    id=lambda event, _: event.asset_id,
    apply=positions.position,
    blank=lambda event: isinstance(event, PositionChanged),
)
ASSET_LINES = Projection(
    kind=positions.ASSET_LINE,
    on=(PositionChanged,),
    owner=positions.owner,
    id=at_offset,
    apply=positions.line,
    blank=always,
)
PORTFOLIO_OUTCOMES = Projection(
    kind=outcomes.PORTFOLIO_OUTCOME,
    on=get_args(outcomes.AssetsStep),
    owner=nobody,
    id=of_order,
    apply=outcomes.settlement,
    blank=outcomes.tells_all,
)
TIMELINES = tuple(
    Projection(
        kind=kind,
        on=get_args(told),
        owner=nobody,
        id=of_order,
        apply=timelines.apply,
        blank=timelines.is_first,
    )
    for kind, told in (
        (timelines.ORDER_TIMELINE, timelines.OfOrder),
        (timelines.FUNDS_TIMELINE, timelines.OfFunds),
        (timelines.ASSETS_TIMELINE, timelines.OfAssets),
    )
)
CATALOGUE = Projection(
    kind=market.ASSET,
    on=(AssetListed,),
    owner=nobody,
    id=lambda event, _: event.asset_id,
    apply=market.asset,
    blank=always,
)
QUOTES = Projection(
    kind=market.PRICE,
    on=(PriceTicked,),
    owner=nobody,
    id=lambda quote, _: quote.asset_id,
    apply=market.price,
    blank=always,
    parts=lambda event: event.prices,
)

HISTORY: tuple[Projection[Any], ...] = (
    ORDERS,
    TRADES,
    ORDER_ANSWERS,
    ACCOUNTS,
    BALANCES,
    LEDGER,
    BALANCE_ANSWERS,
    POSITIONS,
    ASSET_LINES,
    TRAILS,
    FREEZES,
    *TIMELINES,
    *QUARANTINES,
)
LIVE: tuple[Projection[Any], ...] = (
    *HISTORY,
    ORDER_OUTCOMES,
    BALANCE_OUTCOMES,
    PORTFOLIO_OUTCOMES,
    ORDER_NAMES,
    BALANCE_NAMES,
    CATALOGUE,
    QUOTES,
)
