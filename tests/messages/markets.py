"""Listings, prices and the market as of a moment."""

from events.decider import Context
from events.market import AssetListed, Market, PriceTicked, Quote
from tests.messages.envelope import NOW, numbered


def listed(asset_id: str, *, scale: int, price_scale: int, price: int, least: int) -> AssetListed:
    return AssetListed(
        id=numbered(0),
        occurred_at=NOW,
        asset_id=asset_id,
        name=asset_id,
        category="layer-1",
        scale=scale,
        price_scale=price_scale,
        listing_price=price,
        tick_size=1,
        min_quantity=least,
        tradable=True,
    )


BTC = listed("BTC", scale=8, price_scale=2, price=6_000_000, least=10)
DOGE = listed("DOGE", scale=5, price_scale=8, price=15_000_000, least=1_000)
ASSETS = (BTC, DOGE)


def ticked(**prices: int) -> PriceTicked:
    quotes = tuple(Quote(asset_id=asset_id, price=price) for asset_id, price in prices.items())
    return PriceTicked(id=numbered(0), occurred_at=NOW, prices=quotes)


def market(*assets: AssetListed, at: int = NOW, offset: int = 7, **prices: int) -> Market:
    """Returns a market that lists these assets, or BTC and DOGE, at their listing prices or at these."""
    made = Market()
    for asset in assets or ASSETS:
        made.fold(asset, at, 0)
        made.fold(ticked(**{asset.asset_id: asset.listing_price}), at, offset)
    made.fold(ticked(**prices), at, offset)
    return made


def context(*assets: AssetListed, age: int = 0, **prices: int) -> Context:
    """Returns the context of a decision made when the prices are so many ms old."""
    return Context(now=NOW + age, market=market(*assets, **prices))
