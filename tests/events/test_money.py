"""Money: rounded in one direction, once an order; no sum leaves the safe integers."""

from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events import money
from events.envelope import SAFE_INTEGER
from events.money import MAX_NOTIONAL, Side

amounts = st.integers(min_value=0, max_value=SAFE_INTEGER - 1)  # all an Amount admits
prices = st.integers(min_value=1, max_value=SAFE_INTEGER - 1)
points = st.integers(min_value=0, max_value=10_000)
cents = st.integers(min_value=0, max_value=18 + 18 - 2).map(lambda digits: 10**digits)
sides: st.SearchStrategy[Side] = st.sampled_from(["buy", "sell"])
fills = st.lists(st.tuples(amounts, prices), min_size=1)


@given(sides, amounts, prices, cents)
def test_a_rounding_takes_less_than_a_cent_and_never_favours_the_customer(
    side: Side, quantity: int, price: int, one_cent: int
) -> None:
    difference = money.rounded(side, quantity * price, one_cent) * one_cent - quantity * price
    assert abs(difference) < one_cent
    assert difference >= 0 if side == "buy" else difference <= 0


@given(amounts, points)
def test_a_fee_is_rounded_up_by_less_than_a_cent_and_is_no_more_than_its_cost(
    cost: int, fee_bps: int
) -> None:
    fee = money.fee(cost, fee_bps)
    assert 0 <= fee * 10_000 - cost * fee_bps < 10_000
    assert fee <= cost


@given(sides, fills, points, cents)
def test_an_orders_fills_add_up_to_one_rounding(
    side: Side, parts: list[tuple[int, int]], fee_bps: int, one_cent: int
) -> None:
    exact = [0, *accumulate(quantity * price for quantity, price in parts)]
    totals = [money.rounded(side, total, one_cent) for total in exact]
    fees = [money.fee(total, fee_bps) for total in totals]
    assert all(after >= before for each in (totals, fees) for before, after in pairwise(each))
    once = money.rounded(side, exact[-1], one_cent)
    assert sum(after - before for before, after in pairwise(totals)) == once
    assert sum(after - before for before, after in pairwise(fees)) == money.fee(once, fee_bps)


@given(fills, prices, points, points, cents)
def test_a_hold_covers_every_fill_inside_the_collar(
    parts: list[tuple[int, int]], reference: int, collar_bps: int, fee_bps: int, one_cent: int
) -> None:
    worst = money.price_limit("buy", reference, collar_bps)
    quantity = sum(part for part, _ in parts)
    exact = sum(part * min(price, worst) for part, price in parts)
    held = money.rounded("buy", quantity * worst, one_cent)
    paid = money.rounded("buy", exact, one_cent)
    assert paid + money.fee(paid, fee_bps) <= held + money.fee(held, fee_bps)


@given(prices, points)
def test_the_limit_is_the_last_price_inside_the_collar(reference: int, collar_bps: int) -> None:
    highest = money.price_limit("buy", reference, collar_bps)
    lowest = money.price_limit("sell", reference, collar_bps)
    move = reference * collar_bps
    assert (highest - reference) * 10_000 <= move < (highest + 1 - reference) * 10_000
    assert (reference - lowest) * 10_000 <= move < (reference - lowest + 1) * 10_000


@given(amounts, prices, points, cents)
def test_a_spend_buys_the_largest_quantity_and_is_never_passed(
    notional: int, price: int, fee_bps: int, one_cent: int
) -> None:
    def paid(quantity: int) -> int:
        cost = money.rounded("buy", quantity * price, one_cent)
        return cost + money.fee(cost, fee_bps)

    quantity = money.quantity_for_spend(notional, price, fee_bps, one_cent)
    assert paid(quantity) <= notional < paid(quantity + 1)


@given(amounts, prices, cents)
def test_a_sale_by_worth_sells_the_largest_quantity_that_is_worth_no_more(
    notional: int, price: int, one_cent: int
) -> None:
    quantity = money.quantity_for_proceeds(notional, price, one_cent)
    assert quantity * price <= notional * one_cent < (quantity + 1) * price


@given(amounts, st.lists(st.integers(min_value=1, max_value=SAFE_INTEGER // 1_000), min_size=1))
def test_sales_take_out_the_whole_basis_and_no_part_of_it_twice(
    basis: int, sales: list[int]
) -> None:
    left, position = basis, sum(sales)
    for sold in sales:
        removed = money.basis_removed(left, sold, position)
        assert 0 <= removed <= left
        left, position = left - removed, position - sold
    assert left == 0


@st.composite
def markets(draw: st.DrawFn) -> tuple[int, int, int, int]:
    """Returns scale, price_scale, listing and price of an asset that the catalogue may hold and that isn't halted."""
    scale = draw(st.integers(min_value=0, max_value=8))
    price_scale = draw(st.integers(min_value=max(0, money.USD_SCALE - scale), max_value=18 - scale))
    least = 10 ** (10 + scale + price_scale) // SAFE_INTEGER + 1
    listing = draw(st.integers(min_value=least, max_value=SAFE_INTEGER - 1))
    halt = -(-listing // money.HALT_DIVISOR)
    return scale, price_scale, listing, draw(st.integers(halt, SAFE_INTEGER - 1))


@given(markets())
def test_the_largest_account_after_the_largest_move_stays_within_the_safe_integers(
    market: tuple[int, int, int, int],
) -> None:
    scale, price_scale, listing, price = market
    assert 10 ** (10 + scale + price_scale) < SAFE_INTEGER * listing  # what the catalogue keeps to
    one_cent = money.unit(scale, price_scale)
    position = money.quantity_for_spend(MAX_NOTIONAL, price, 0, one_cent)
    assert position < SAFE_INTEGER
    assert money.rounded("sell", position * listing, one_cent) <= money.HALT_DIVISOR * MAX_NOTIONAL
    worst = money.price_limit("buy", price, money.COLLAR_BPS)
    held = money.rounded("buy", position * worst, one_cent)
    assert held + money.fee(held, money.FEE_BPS) < SAFE_INTEGER
    assert 2 * money.HALT_DIVISOR * MAX_NOTIONAL < SAFE_INTEGER


@pytest.mark.parametrize(
    ("scale", "price_scale", "expected"), [(0, 2, 1), (2, 0, 1), (8, 2, 10**8), (8, 18, 10**24)]
)
def test_a_cent_is_so_many_exact_units(scale: int, price_scale: int, expected: int) -> None:
    assert money.unit(scale, price_scale) == expected
    assert type(money.unit(scale, price_scale)) is int


def test_the_smallest_sale_pays_its_fee() -> None:
    lowest = money.price_limit("sell", 10_000, money.COLLAR_BPS)
    proceeds = money.rounded("sell", money.MIN_NOTIONAL * lowest, 10_000)
    assert money.fee(proceeds, money.FEE_BPS) < proceeds
