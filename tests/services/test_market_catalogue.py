"""What holds of every asset; each test names those of which it doesn't."""

import re
from collections.abc import Callable
from decimal import Decimal

from events.codec import encode, stamp
from events.market import AssetListed
from events.topics import ASSETS
from services.market.catalogue import catalogue
from services.market.make_catalogue import Listing, listings

CATALOGUE = catalogue()
SAFE = 2**53  # the first integer that a JavaScript consumer can't tell from the next


def without(rule: Callable[[AssetListed], bool]) -> list[str]:
    return [asset.asset_id for asset in CATALOGUE if not rule(asset)]


def test_a_hundred_assets_are_listed_each_once() -> None:
    assert len({asset.asset_id for asset in CATALOGUE}) == len(CATALOGUE) >= 100
    assert len({asset.name for asset in CATALOGUE}) == len(CATALOGUE)


def test_the_file_says_what_the_table_says() -> None:
    assert list(listings()) == [
        Listing(a.asset_id, a.category, Decimal(a.listing_price).scaleb(-a.price_scale), a.supply)
        for a in CATALOGUE
    ]


def test_an_asset_is_what_its_topic_carries() -> None:
    listed = [stamp(asset, id="0" * 36, occurred_at=1) for asset in CATALOGUE]
    assert [ASSETS.decode(encode(asset)) for asset in listed] == listed


def test_a_symbol_is_short_and_upper_case_and_never_the_currency() -> None:
    assert without(lambda a: bool(re.fullmatch(r"[A-Z][A-Z0-9]{0,9}", a.asset_id))) == []
    assert "USD" not in {asset.asset_id for asset in CATALOGUE}


def test_ten_billion_dollars_of_an_asset_are_a_safe_integer() -> None:
    assert without(lambda a: a.scale <= 8) == []
    assert without(lambda a: 10 ** (10 + a.price_scale + a.scale) < SAFE * a.listing_price) == []


def test_a_price_keeps_five_digits_at_a_thousandth_and_is_safe_at_a_thousandfold() -> None:
    assert without(lambda a: a.listing_price // 1_000 >= 10_000) == []
    assert without(lambda a: a.listing_price * 1_000 < SAFE) == []


def test_a_price_has_ten_thousand_steps_wherever_the_walk_may_take_it() -> None:
    assert without(lambda a: a.listing_price % a.tick_size == 0) == []
    assert without(lambda a: a.listing_price // 100 // a.tick_size >= 10_000) == []


def test_the_least_quantity_costs_at_most_a_cent_unless_the_minor_unit_does_not() -> None:
    cent = {a.asset_id: 10 ** (a.price_scale + a.scale) for a in CATALOGUE}
    costs = {a.asset_id: a.min_quantity * a.listing_price * 100 for a in CATALOGUE}
    assert without(lambda a: a.min_quantity == 1 or costs[a.asset_id] <= cent[a.asset_id]) == []
