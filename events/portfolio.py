"""portfolio.events: positions. Every event carries the position after it, in the asset's minor units."""

from typing import Literal

from .codec import mirror
from .envelope import Amount, AssetId, Count, Event, Id, Revision, Scale, SignedAmount, Token
from .money import Side


class PositionAfter(Event):
    asset_id: AssetId
    available: Amount
    held: Amount


@mirror
class AssetsReserved(PositionAfter):
    """A sell's hold moved from available to held."""

    type: Literal["assets_reserved"] = "assets_reserved"
    version: Literal[1] = 1
    order_id: Id
    revision: Revision
    quantity: Amount


@mirror
class AssetsRefused(PositionAfter):
    """The hold could not be had. quantity: what it needed."""

    type: Literal["assets_refused"] = "assets_refused"
    version: Literal[1] = 1
    order_id: Id
    revision: Revision
    quantity: Amount
    reason: Token


@mirror
class PositionChanged(PositionAfter):
    """A fill's assets moved: into available for a buy, out of the hold for a sell.

    cost, fee, price: the fill's own. cost_basis (fees included) and realized_pnl: cents, the position's after it.
    """

    type: Literal["position_changed"] = "position_changed"
    version: Literal[1] = 1
    order_id: Id
    trade_id: Id
    side: Side
    fill: Count
    quantity: Amount
    price: Amount
    scale: Scale
    price_scale: Scale
    cost: Amount
    fee: Amount
    hold_left: Amount
    cost_basis: Amount
    realized_pnl: SignedAmount


@mirror
class AssetsReleased(PositionAfter):
    """What was left of a closed order's hold moved back to available."""

    type: Literal["assets_released"] = "assets_released"
    version: Literal[1] = 1
    order_id: Id
    quantity: Amount


PortfolioEvent = AssetsReserved | AssetsRefused | PositionChanged | AssetsReleased
