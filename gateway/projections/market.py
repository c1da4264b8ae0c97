"""The catalogue and the newest price of each asset, of market.assets and market.prices."""

from events.codec import mirror
from events.envelope import AssetId, Millis, Offset, Value
from events.market import AssetListed, Price, Quote
from events.topics import ASSETS, PRICES
from infra.views.port import Kind

from .projection import Place


@mirror
class PriceRow(Value):
    """price: at the asset's price_scale; time: when its record was appended; position: of that record."""

    asset_id: AssetId
    price: Price
    time: Millis
    position: Offset


ASSET: Kind[AssetListed] = Kind(name="asset", topic=ASSETS, row=AssetListed, shared=True)
PRICE: Kind[PriceRow] = Kind(name="price", topic=PRICES, row=PriceRow, shared=True)


def asset(_: AssetListed | None, event: AssetListed, __: Place) -> AssetListed:
    """Returns the listing: the newest one holds."""
    return event


def price(_: PriceRow | None, quote: Quote, place: Place) -> PriceRow:
    return PriceRow(
        asset_id=quote.asset_id, price=quote.price, time=place.time, position=place.offset
    )
