"""trade.events: the tape, for the world. A reader needs no other topic to understand it."""

from typing import Literal

from .codec import mirror
from .envelope import Amount, AssetId, Count, Event, Id, Millis, Scale
from .money import Side


@mirror
class TradeExecuted(Event):
    """A fill. trade_id: the OrderFilled's id; quantity: at scale; price: at price_scale; cost, fee: cents."""

    type: Literal["trade_executed"] = "trade_executed"
    version: Literal[1] = 1
    trade_id: Id
    order_id: Id
    asset_id: AssetId
    side: Side
    fill: Count
    quantity: Amount
    scale: Scale
    price: Amount
    price_scale: Scale
    cost: Amount
    fee: Amount
    executed_at: Millis


TradeEvent = TradeExecuted
