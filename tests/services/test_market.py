from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.codec import stamp
from events.market import AssetListed, Quote
from services.market.catalogue import catalogue
from services.market.domain import REPEAT, Prices, Told, listings, quotes
from services.market.feed import WIDEST, RandomWalk, walk

ASSETS = {asset.asset_id: asset for asset in catalogue()}
BTC, ETH = ASSETS["BTC"], ASSETS["ETH"]
LISTED = {"BTC": stamp(BTC, id="0" * 36, occurred_at=1)}


async def beats(*numbers: int) -> AsyncIterator[int]:
    for number in numbers:
        yield number


async def walked(prices: Prices, *numbers: int, seed: str = "spec") -> list[Prices]:
    source = RandomWalk(ASSETS.values(), prices, seed=seed, beats=beats(*numbers))
    return [tick async for tick in source.ticks()]


def test_a_price_never_told_is_told() -> None:
    assert quotes({}, {"BTC": 7}, 1) == (Quote(asset_id="BTC", price=7),)


def test_a_price_that_changed_is_told() -> None:
    assert quotes({"BTC": Told(6, 1)}, {"BTC": 7}, 2) == (Quote(asset_id="BTC", price=7),)


def test_a_price_that_stands_still_is_told_again_every_fifth_tick() -> None:
    told = {"BTC": Told(7, 10)}
    assert quotes(told, {"BTC": 7}, 10 + REPEAT - 1) == ()
    assert quotes(told, {"BTC": 7}, 10 + REPEAT) == (Quote(asset_id="BTC", price=7),)


def test_only_news_is_listed() -> None:
    assert list(listings([BTC, ETH], LISTED)) == [ETH]


def test_a_listing_that_differs_is_listed_anew() -> None:
    renamed = stamp(BTC, name="Bitcoin Core")
    assert list(listings([renamed], LISTED)) == [renamed]


def test_an_asset_that_left_the_catalogue_is_listed_once_more_as_not_tradable() -> None:
    gone = stamp(BTC, tradable=False)
    assert list(listings([ETH], LISTED)) == [ETH, gone]
    assert list(listings([ETH], {"BTC": gone, "ETH": ETH})) == []


@pytest.mark.parametrize("field", ["scale", "price_scale"])
def test_the_unit_that_amounts_are_counted_in_never_changes(field: str) -> None:
    with pytest.raises(ValueError, match="BTC: scale"):
        list(listings([stamp(BTC, **{field: 1})], LISTED))


async def test_a_walk_begins_at_the_listing_prices_and_moves() -> None:
    first, *_, last = await walked({}, *range(20))
    assert first.keys() == last.keys() == ASSETS.keys()
    assert sum(last[asset_id] != ASSETS[asset_id].listing_price for asset_id in ASSETS) > 100


async def test_a_walk_is_a_function_of_its_seed() -> None:
    whole = await walked({}, *range(20))
    assert whole == await walked({}, *range(20))
    assert whole != await walked({}, *range(20), seed="other")


async def test_a_walk_goes_on_from_the_prices_it_is_given() -> None:
    whole = await walked({}, *range(20))
    assert whole[12:] == await walked(whole[11], *range(12, 20))


async def test_a_stablecoin_stays_near_its_listing_price() -> None:
    listed = ASSETS["USDT"].listing_price
    prices = [tick["USDT"] for tick in await walked({}, *range(300))]
    assert all(abs(price - listed) * 1_000 < listed for price in prices)


@given(
    asset=st.sampled_from(sorted(ASSETS)).map(ASSETS.__getitem__),
    start=st.integers(min_value=10**10 // WIDEST, max_value=10**10 * WIDEST),
    thrown=st.binary(min_size=9, max_size=9),
)
def test_a_price_stays_on_its_steps_and_within_its_bounds(
    asset: AssetListed, start: int, thrown: bytes
) -> None:
    step = asset.tick_size
    price = walk(asset.listing_price * start // 10**10 // step * step, asset, thrown)
    assert price % step == 0
    assert asset.listing_price <= price * WIDEST <= asset.listing_price * WIDEST**2
