"""Positions and the lines of each asset, of portfolio.events."""

from events.codec import mirror, stamp
from events.envelope import Amount, AssetId, Count, Id, Millis, Offset, Scale, SignedAmount, Value
from events.money import Side
from events.portfolio import PortfolioEvent, PositionChanged
from events.topics import PORTFOLIO_EVENTS
from infra.views.port import Kind

from .projection import NEWEST, Place


@mirror
class PositionRow(Value):
    """What an account has of an asset: minor units at scale, also after all of it was sold.

    cost_basis (fees included), realized_pnl: cents.
    """

    position: Offset
    asset_id: AssetId
    available: Amount
    held: Amount
    cost_basis: Amount
    realized_pnl: SignedAmount
    scale: Scale
    updated_at: Millis


@mirror
class AssetLineRow(Value):
    """One movement of an asset. quantity: signed; quantity_after: available and held then; price: at
    price_scale; cost, fee: cents.
    """

    id: Id
    position: Offset
    asset_id: AssetId
    side: Side
    quantity: SignedAmount
    quantity_after: Amount
    scale: Scale
    price: Amount
    price_scale: Scale
    cost: Amount
    fee: Amount
    order_id: Id
    trade_id: Id
    fill: Count
    created_at: Millis


POSITION: Kind[PositionRow] = Kind(
    name="position", topic=PORTFOLIO_EVENTS, row=PositionRow, followed=True
)
ASSET_LINE: Kind[AssetLineRow] = Kind(
    name="asset_line",
    topic=PORTFOLIO_EVENTS,
    row=AssetLineRow,
    listed=lambda row: row.position,
    newest=NEWEST,
)


def position(row: PositionRow | None, event: PortfolioEvent, place: Place) -> PositionRow | None:
    """Returns the position as the event tells it. Nobody has one before his first fill."""
    if isinstance(event, PositionChanged):
        return PositionRow(
            position=place.offset,
            asset_id=event.asset_id,
            available=event.available,
            held=event.held,
            cost_basis=event.cost_basis,
            realized_pnl=event.realized_pnl,
            scale=event.scale,
            updated_at=event.occurred_at,
        )
    if row is None:
        return None
    return stamp(
        row,
        position=place.offset,
        available=event.available,
        held=event.held,
        updated_at=event.occurred_at,
    )


def line(_: AssetLineRow | None, event: PositionChanged, place: Place) -> AssetLineRow:
    """Returns the fill's line. A hold moves nothing of the quantity, so it has none."""
    return AssetLineRow(
        id=event.id,
        position=place.offset,
        asset_id=event.asset_id,
        side=event.side,
        quantity=event.quantity if event.side == "buy" else -event.quantity,
        quantity_after=event.available + event.held,
        scale=event.scale,
        price=event.price,
        price_scale=event.price_scale,
        cost=event.cost,
        fee=event.fee,
        order_id=event.order_id,
        trade_id=event.trade_id,
        fill=event.fill,
        created_at=event.occurred_at,
    )


def owner(event: PositionChanged) -> str:
    """Returns whose list the line is in: the account's for the asset."""
    return f"{event.account_id}/{event.asset_id}"
