"""The catalogue and the prices that a view shows."""

from events.codec import encode, stamp
from events.market import Quote
from gateway.projections.market import PRICE, PriceRow, asset, price
from gateway.projections.projection import Place
from tests.messages.envelope import NOW
from tests.messages.markets import BTC

AT = Place(offset=12, time=NOW)
TOLD = PriceRow(asset_id="BTC", price=6_000_001, time=NOW, position=12)


def test_a_price_is_what_its_record_told_when_it_was_appended() -> None:
    row = price(None, Quote(asset_id="BTC", price=6_000_001), AT)
    assert row == TOLD
    assert PRICE.decode(encode(row)) == row


def test_the_newest_price_and_the_newest_listing_hold() -> None:
    newer = price(TOLD, Quote(asset_id="BTC", price=5), Place(13, NOW + 1))
    assert newer == PriceRow(asset_id="BTC", price=5, time=NOW + 1, position=13)
    halted = stamp(BTC, tradable=False)
    assert asset(BTC, halted, AT) is halted
