"""/inventory: what is traded here, and at what price."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import BaseModel

from events.money import MIN_NOTIONAL
from gateway.as_of import AsOfView, shown
from gateway.catalogue import Quoted
from gateway.decimals import from_minor, usd
from gateway.listing import LIMIT, Cursor, Limit, Listing
from gateway.problems import Refused
from gateway.read_route import read
from gateway.reading import Anybody
from gateway.route import resource
from gateway.routes.assets import AssetId
from gateway.times import Timestamp

router = resource("inventory")


class AssetView(BaseModel):
    """price: USD a whole unit, null before the first; scale, price_scale: how many digits may follow the point of
    a quantity and of a price; tradable: false while it is halted; supply: units in circulation, where known.
    """

    id: str
    name: str
    symbol: str
    category: str
    scale: int
    price_scale: int
    tick_size: str
    min_quantity: str
    min_notional: str
    price: str | None
    price_time: Timestamp | None
    price_position: int | None
    tradable: bool
    supply: int | None
    rank: int | None


class OneAsset(AssetView):
    as_of: AsOfView


class Assets(Listing[AssetView]):
    """The highest ranked first."""


@read(router, "/assets", "invalid_cursor")
async def list_assets(
    parts: Anybody,
    limit: Limit = LIMIT,
    cursor: Cursor = None,
    search: Annotated[str | None, Query(max_length=64)] = None,
    category: Annotated[str | None, Query(max_length=64)] = None,
) -> Assets:
    """Returns the assets whose name or symbol has the text in it, be it upper or lower case."""
    bound = ("inventory", search, category)
    after = parts.cursors.open(cursor, *bound) if cursor else None
    quotes = parts.catalogue.quotes()
    start = next((n for n, each in enumerate(quotes, 1) if each.asset.asset_id == after), 0)
    found = [each for each in quotes[start:] if matches(each, search, category)]
    page, more = found[:limit], len(found) > limit
    return Assets(
        items=[AssetView(**asset(quoted)) for quoted in page],
        next_cursor=parts.cursors.seal(page[-1].asset.asset_id, *bound) if more else None,
        as_of=shown(parts.catalogue.as_of),
    )


@read(router, "/assets/{asset_id}", "not_found")
async def one_asset(asset_id: AssetId, parts: Anybody) -> OneAsset:
    """Returns the asset. Raises: Refused with not_found."""
    quoted = parts.catalogue.quote(asset_id)
    if quoted is None:
        raise Refused("not_found")
    return OneAsset(**asset(quoted), as_of=shown(parts.catalogue.as_of))


def matches(quoted: Quoted, search: str | None, category: str | None) -> bool:
    asset, text = quoted.asset, (search or "").casefold()
    named = text in asset.name.casefold() or text in asset.asset_id.casefold()
    return named and category in (None, asset.category)


def asset(quoted: Quoted) -> dict[str, Any]:
    listed, seen = quoted.asset, quoted.seen
    return {
        "id": listed.asset_id,
        "name": listed.name,
        "symbol": listed.asset_id,
        "category": listed.category,
        "scale": listed.scale,
        "price_scale": listed.price_scale,
        "tick_size": from_minor(listed.tick_size, listed.price_scale),
        "min_quantity": from_minor(listed.min_quantity, listed.scale),
        "min_notional": usd(MIN_NOTIONAL),
        "price": from_minor(seen.price, listed.price_scale) if seen else None,
        "price_time": seen.time if seen else None,
        "price_position": seen.offset if seen else None,
        "tradable": quoted.tradable,
        "supply": listed.supply,
        "rank": listed.rank,
    }
