"""The decider of the tape: each fill once more, for readers that know no other topic. Pure."""

from events.decider import Context, Folds, Rows
from events.envelope import Event
from events.order import OrderEvent, OrderFilled
from events.trade import TradeExecuted

Input = OrderEvent
FOLDS: Folds = ()


def decide(_rows: Rows, given: Input, _context: Context) -> list[Event]:
    """Returns the trade that the input is, if it is one."""
    match given:
        case OrderFilled():
            return [trade(given)]
        case _:
            return []


def trade(fill: OrderFilled) -> Event:
    return TradeExecuted(
        account_id=fill.account_id,
        trade_id=fill.id,
        order_id=fill.order_id,
        asset_id=fill.asset_id,
        side=fill.side,
        fill=fill.fill,
        quantity=fill.quantity,
        scale=fill.scale,
        price=fill.price,
        price_scale=fill.price_scale,
        cost=fill.cost,
        fee=fill.fee,
        executed_at=fill.occurred_at,
    )
