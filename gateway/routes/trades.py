"""/trades: the account's fills."""

from pydantic import BaseModel

from events.money import Side
from gateway.as_of import shown
from gateway.decimals import from_minor, usd
from gateway.listing import Listing, Lists
from gateway.projections.orders import TRADE, TradeRow
from gateway.read_route import read
from gateway.route import resource
from gateway.times import Timestamp

router = resource("trades")


class TradeView(BaseModel):
    """position: the fill's in its partition of order.events."""

    id: str
    order_id: str
    asset_id: str
    side: Side
    quantity: str
    price: str
    cost: str
    fee: str
    position: int
    created_at: Timestamp


class Trades(Listing[TradeView]):
    """Newest first."""


@read(router, "", "invalid_cursor")
async def list_trades(
    lists: Lists,
    asset_id: str | None = None,
    order_id: str | None = None,
    side: Side | None = None,
) -> Trades:
    """Returns the fills."""
    found = await lists.find(TRADE, asset_id=asset_id, order_id=order_id, side=side)
    return Trades(
        items=[trade(row) for row in found.rows],
        next_cursor=found.cursor,
        as_of=shown(found.as_of),
    )


def trade(row: TradeRow) -> TradeView:
    return TradeView(
        id=row.trade_id,
        order_id=row.order_id,
        asset_id=row.asset_id,
        side=row.side,
        quantity=from_minor(row.quantity, row.scale),
        price=from_minor(row.price, row.price_scale),
        cost=usd(row.cost),
        fee=usd(row.fee),
        position=row.position,
        created_at=row.created_at,
    )
