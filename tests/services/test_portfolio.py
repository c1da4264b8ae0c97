"""What becomes of an account's assets, what they cost and what their sale gained."""

import pytest

from events.envelope import Event
from events.order import OrderExpired
from services.portfolio.domain import FOLDS, decide
from tests.messages.envelope import OTHER_ACCOUNT, stamped
from tests.messages.orders import accepted, canceled, filled, place, rejected
from tests.messages.positions import assets_refused, changed, released, reserved
from tests.spec import Spec

portfolio = Spec(decide, FOLDS)

BUY = place("buy", quantity=3_000_000)
BOUGHT = stamped(filled(BUY, 3_000_000, cost=180_000, fee=180))
OWNED = changed(BOUGHT, available=3_000_000, cost_basis=180_180)
SELL = place("sell", quantity=1_000_000, n=2)
HELD = reserved(SELL, 1_000_000, available=2_000_000, held=1_000_000)
SOLD = stamped(filled(SELL, 1_000_000, cost=70_000, fee=70, price=7_000_000))
LESS = changed(SOLD, available=2_000_000, cost_basis=120_120, realized_pnl=9_870)
EXPIRED = OrderExpired(
    account_id=SELL.account_id, order_id=SELL.id, side="sell", asset_id=SELL.asset_id
)


def test_what_is_bought_is_available_at_once_and_costs_its_fee_too() -> None:
    assert portfolio.given().when(BOUGHT) == [OWNED]


def test_a_second_buy_adds_to_quantity_and_cost() -> None:
    again = changed(BOUGHT, available=6_000_000, cost_basis=360_360)
    assert portfolio.given(OWNED).when(BOUGHT) == [again]


def test_a_sell_has_its_quantity_reserved() -> None:
    assert portfolio.given(OWNED).when(accepted(SELL, hold=1_000_000)) == [HELD]


def test_all_of_a_position_can_be_reserved() -> None:
    everything = reserved(SELL, 3_000_000, available=0, held=3_000_000)
    assert portfolio.given(OWNED).when(accepted(SELL, hold=3_000_000)) == [everything]


def test_more_than_is_available_is_refused() -> None:
    more = place("sell", quantity=2_000_001, n=3)
    answer = assets_refused(more, 2_000_001, available=2_000_000, held=1_000_000)
    assert portfolio.given().when(accepted(SELL, hold=1)) == [assets_refused(SELL, 1)]
    assert portfolio.given(OWNED, HELD).when(accepted(more, hold=2_000_001)) == [answer]
    assert portfolio.given(OWNED, HELD, answer).rows == portfolio.given(OWNED, HELD).rows


def test_neither_another_asset_nor_another_account_serves() -> None:
    doge = place("sell", "DOGE", quantity=1, n=3)
    other = place("sell", quantity=1, n=3, account_id=OTHER_ACCOUNT)
    for order in (doge, other):
        assert portfolio.given(OWNED).when(accepted(order, hold=1)) == [assets_refused(order, 1)]


def test_an_order_holds_once() -> None:
    assert portfolio.given(OWNED, HELD).when(accepted(SELL, hold=1_000_000)) == []


def test_a_buy_holds_no_assets() -> None:
    assert portfolio.given(OWNED).when(accepted(BUY, hold=61_262)) == []


def test_a_sale_takes_its_share_of_the_cost_and_realizes_the_rest() -> None:
    # 700.00 less the fee of 0.70 less a third of 1,801.80
    assert portfolio.given(OWNED, HELD).when(SOLD) == [LESS]


def test_the_last_sale_takes_all_of_the_cost() -> None:
    rest = place("sell", quantity=2_000_000, n=3)
    sold = stamped(filled(rest, 2_000_000, cost=120_000, fee=120))
    held = reserved(rest, 2_000_000, available=0, held=2_000_000)
    gone = changed(sold, available=0, cost_basis=0, realized_pnl=9_870 - 240)
    assert portfolio.given(OWNED, HELD, LESS, held).when(sold) == [gone]


def test_a_gain_stays_when_the_position_is_gone() -> None:
    sold = stamped(filled(SELL, 3_000_000, cost=210_000, fee=210))
    held = reserved(SELL, 3_000_000, available=0, held=3_000_000)
    gone = changed(sold, available=0, cost_basis=0, realized_pnl=29_610)
    assert portfolio.given(OWNED, held).when(sold) == [gone]
    assert portfolio.given(OWNED, held, gone).when(BOUGHT) == [
        changed(BOUGHT, available=3_000_000, cost_basis=180_180, realized_pnl=29_610)
    ]


def test_a_fill_that_is_not_the_last_keeps_the_rest_held() -> None:
    first = stamped(filled(SELL, 400_000, cost=24_000, fee=24, leaves=600_000))
    part = changed(
        first,
        available=2_000_000,
        held=600_000,
        hold_left=600_000,
        cost_basis=156_156,
        realized_pnl=-48,
    )
    rest = stamped(filled(SELL, 600_000, cost=36_000, fee=36, fill=2))
    assert portfolio.given(OWNED, HELD).when(first) == [part]
    assert portfolio.given(OWNED, HELD, part).when(rest) == [
        changed(rest, available=2_000_000, cost_basis=120_120, realized_pnl=-120)
    ]


def test_the_last_fill_releases_what_it_leaves_of_the_hold() -> None:
    short = stamped(filled(SELL, 400_000, cost=24_000, fee=24))
    part = changed(
        short,
        available=2_000_000,
        held=600_000,
        hold_left=600_000,
        cost_basis=156_156,
        realized_pnl=-48,
    )
    assert portfolio.given(OWNED, HELD).when(short) == [
        part,
        released(SELL, 600_000, available=2_600_000),
    ]


@pytest.mark.parametrize("over", [canceled(SELL, "x"), rejected(SELL, "x"), EXPIRED])
def test_an_order_that_is_over_gives_its_hold_back(over: Event) -> None:
    back = released(SELL, 1_000_000, available=3_000_000)
    assert portfolio.given(OWNED, HELD).when(over) == [back]
    assert portfolio.given(OWNED, HELD, back).when(over) == []
    assert portfolio.given(OWNED).when(over) == []


def test_a_release_leaves_the_cost_as_it_was() -> None:
    back = released(SELL, 1_000_000, available=3_000_000)
    assert portfolio.given(OWNED, HELD, back).rows == portfolio.given(OWNED).rows


def test_a_fill_that_sells_more_than_was_held_stops_the_process() -> None:
    with pytest.raises(AssertionError, match="sells more than its order holds"):
        portfolio.given(OWNED).when(SOLD)
