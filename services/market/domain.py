"""What the market says: which assets it lists and which prices go into a tick. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from events.codec import stamp
from events.envelope import SAFE_INTEGER
from events.market import AssetListed, Quote

REPEAT = 5  # ticks: a price that stands still is told again long before it counts as stale

JUMP = 10  # times: a price that is told as so much higher or lower than the last one is a mistake

Prices = Mapping[str, int]
"""By asset_id, in USD at the asset's price_scale."""


class Told(NamedTuple):
    """The price that consumers know and the number of the tick that told them."""

    price: int
    tick: int


def quotes(told: Mapping[str, Told], prices: Prices, tick: int) -> tuple[Quote, ...]:
    """Returns what the tick tells: every price that changed, each other one every REPEAT ticks. What is no price is not
    told: the last one grows stale.
    """
    return tuple(
        Quote(asset_id=asset_id, price=price)
        for asset_id, price in prices.items()
        if is_sound(price, last := told.get(asset_id))
        and (last is None or last.price != price or tick - last.tick >= REPEAT)
    )


def is_sound(price: object, last: Told | None) -> bool:
    """Returns whether a source's word is a price at all, and no mistake after the last one."""
    if type(price) is not int or not 0 < price < SAFE_INTEGER:
        return False
    return last is None or (last.price < price * JUMP and price < last.price * JUMP)


def listings(
    catalogue: Iterable[AssetListed], listed: Mapping[str, AssetListed]
) -> Iterator[AssetListed]:
    """Yields, yet unstamped, what the topic's readers don't know: an asset that is new or differs,
    and one that the catalogue has no more, as not tradable: who holds it must be able to read it.

    Raises: ValueError if an asset's scale or price_scale differs, for what the topics say of it
    is counted in them.
    """
    offered = {asset.asset_id: asset for asset in catalogue}
    for asset_id, asset in offered.items():
        before = listed.get(asset_id, asset)
        if (before.scale, before.price_scale) != (asset.scale, asset.price_scale):
            raise ValueError(f"{asset_id}: scale and price_scale can't change once it is listed")
        if asset_id not in listed or unstamped(before) != asset:
            yield asset
    for asset_id, asset in listed.items():
        if asset_id not in offered and asset.tradable:
            yield stamp(unstamped(asset), tradable=False)


def unstamped(asset: AssetListed) -> AssetListed:
    """Returns what the record says of the asset, without what tells the record from others."""
    return stamp(asset, id="", occurred_at=0)
