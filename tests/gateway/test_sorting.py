"""The orders of the catalogue: total, the same however often they are made, each the other way round of its own."""

from hypothesis import given
from hypothesis import strategies as st

from events.codec import stamp
from events.market import Seen
from gateway.catalogue import Quoted
from gateway.sorting import exact, key, price_of
from tests.messages.markets import BTC

NAMES = st.text(st.characters(codec="utf-8", exclude_categories=["C"]), min_size=1, max_size=5)
SYMBOLS = st.text("AB1", min_size=1, max_size=3)
NUMBERS = st.none() | st.integers(0, 9)


@st.composite
def quoted(draw: st.DrawFn) -> Quoted:
    price, scale = draw(NUMBERS), draw(st.integers(0, 3))
    asset = stamp(
        BTC,
        asset_id=draw(SYMBOLS),
        name=draw(NAMES),
        rank=draw(NUMBERS),
        price_scale=scale,
    )
    return Quoted(asset, None if price is None else Seen(price, 1, 1), tradable=True)


CATALOGUES = st.lists(quoted(), unique_by=lambda each: each.asset.asset_id)


@given(CATALOGUES)
def test_texts_are_sorted_as_texts(assets: list[Quoted]) -> None:
    for by in ("name", "symbol"):
        up = sorted(assets, key=lambda each: key(each, by, price_of(each)))
        spelled = [(each.asset.name.casefold(), each.asset.asset_id) for each in up]
        expected = sorted(spelled if by == "name" else [(id_, name) for name, id_ in spelled])
        assert [pair[0] for pair in expected] == [
            name if by == "name" else id_ for name, id_ in spelled
        ]


@given(CATALOGUES)
def test_numbers_are_sorted_and_what_has_none_is_last(assets: list[Quoted]) -> None:
    for sort, sign in (("price", 1), ("-price", -1)):
        found = sorted(assets, key=lambda each: key(each, sort, price_of(each)))  # type: ignore[arg-type]
        prices = [price_of(each) for each in found]
        known = [price for price in prices if price is not None]
        assert prices == known + [None] * (len(prices) - len(known))
        assert known == sorted(known, key=lambda price: sign * price)


@given(CATALOGUES)
def test_no_two_have_the_same_place(assets: list[Quoted]) -> None:
    for sort in ("rank", "-rank", "name", "-name", "symbol", "-symbol", "price", "-price"):
        keys = {key(each, sort, price_of(each)) for each in assets}
        assert len(keys) == len(assets)


@given(CATALOGUES)
def test_a_text_s_order_turns_round(assets: list[Quoted]) -> None:
    up = sorted(assets, key=lambda each: key(each, "symbol", None))
    assert sorted(assets, key=lambda each: key(each, "-symbol", None)) == up[::-1]


def test_prices_compare_across_scales() -> None:
    price = price_of(Quoted(BTC, Seen(6_000_000, 1, 1), tradable=True))
    assert price == exact("60000") == exact("60000.000")
    assert exact("0.000000000000000001") == 1
