"""market.assets and market.prices: what is traded, and at what price; and the cache that both are folded into."""

from typing import Annotated, Literal, NamedTuple

from pydantic import Field

from .codec import mirror
from .envelope import SAFE_INTEGER, Amount, AssetId, MarketEvent, Millis, Scale, Token, Value
from .money import HALT_DIVISOR

Price = Annotated[int, Field(ge=1, lt=SAFE_INTEGER)]
"""USD a whole unit of the asset, at its price_scale."""


@mirror
class AssetListed(MarketEvent):
    """The newest for its asset holds. min_quantity: minor units; tick_size, listing_price: at price_scale;
    tradable: false while halted; supply: whole units in circulation, where known.
    """

    type: Literal["asset_listed"] = "asset_listed"
    version: Literal[1] = 1
    asset_id: AssetId
    name: Token
    category: Token
    scale: Annotated[int, Field(ge=0, lt=9)]
    price_scale: Scale
    listing_price: Price
    tick_size: Price
    min_quantity: Price
    tradable: bool
    supply: Amount | None = None
    rank: Amount | None = None


@mirror
class Quote(Value):
    asset_id: AssetId
    price: Price


@mirror
class PriceTicked(MarketEvent):
    """Every price that changed, and each other one at least every 5 seconds."""

    type: Literal["price_ticked"] = "price_ticked"
    version: Literal[1] = 1
    prices: tuple[Quote, ...]


MarketMessage = AssetListed | PriceTicked


class Seen(NamedTuple):
    """A price, the append time of its record and where that lies in market.prices."""

    price: int
    time: Millis
    offset: int


class Market:
    """The catalogue and the newest price of each asset, as of the records folded so far."""

    def __init__(self) -> None:
        self.assets: dict[str, AssetListed] = {}
        self.prices: dict[str, Seen] = {}

    def fold(self, message: MarketMessage, time: int, offset: int) -> None:
        """Takes in a record of either topic."""
        match message:
            case AssetListed():
                self.assets[message.asset_id] = message
            case PriceTicked():
                for quote in message.prices:
                    self.prices[quote.asset_id] = Seen(quote.price, time, offset)

    def halted(self, asset: AssetListed) -> bool:
        """Returns whether nothing of the asset may be traded."""
        seen = self.prices.get(asset.asset_id)
        return not asset.tradable or (
            seen is not None and seen.price * HALT_DIVISOR < asset.listing_price
        )
