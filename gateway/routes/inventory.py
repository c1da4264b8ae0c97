"""/inventory: what is traded here, and at what price."""

from bisect import bisect_right
from typing import Annotated, Any

from fastapi import Depends
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
from gateway.sorting import Filter, Sort, behind, filtered, key, price_of, spot
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
    """In the order that is asked for, the highest ranked first if none is; what has no rank or no price comes last."""


@read(router, "/assets", "invalid_cursor")
async def list_assets(
    parts: Anybody,
    wanted: Annotated[Filter, Depends(filtered)],
    limit: Limit = LIMIT,
    cursor: Cursor = None,
    sort: Sort = "rank",
) -> Assets:
    """Returns the assets whose name or symbol has the text in it, be it upper or lower case."""
    bound = ("inventory", sort, *wanted)
    found = {
        key(each, sort, price_of(each)): each
        for each in parts.catalogue.quotes()
        if wanted.matches(each)
    }
    places = sorted(found)
    if cursor:
        end = behind(parts.cursors.open(cursor, *bound), sort, parts.catalogue)
        places = places[bisect_right(places, end) :]
    page, more = [found[place] for place in places[:limit]], len(places) > limit
    return Assets(
        items=[AssetView(**asset(quoted)) for quoted in page],
        next_cursor=parts.cursors.seal(spot(page[-1]), *bound) if more else None,
        as_of=shown(parts.catalogue.as_of),
    )


@read(router, "/assets/{asset_id}", "not_found")
async def one_asset(asset_id: AssetId, parts: Anybody) -> OneAsset:
    """Returns the asset. Raises: Refused with not_found."""
    quoted = parts.catalogue.quote(asset_id)
    if quoted is None:
        raise Refused("not_found")
    return OneAsset(**asset(quoted), as_of=shown(parts.catalogue.as_of))


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
