"""Hypothesis strategies: all that the types admit, and orders of every size that a price makes sense of."""

from itertools import pairwise
from typing import NamedTuple

from hypothesis import strategies as st

from events.codec import stamp
from events.decider import Context
from events.envelope import SAFE_INTEGER
from events.market import AssetListed
from events.money import COLLAR_BPS, MAX_NOTIONAL, MIN_NOTIONAL, Side, price_limit, unit
from events.order import OrderType, PlaceOrder
from tests.messages.envelope import asking
from tests.messages.markets import context, listed

amounts = st.integers(min_value=0, max_value=SAFE_INTEGER - 1)
prices = st.integers(min_value=1, max_value=SAFE_INTEGER - 1)
sides: st.SearchStrategy[Side] = st.sampled_from(["buy", "sell"])
order_types: st.SearchStrategy[OrderType] = st.sampled_from(
    ["market", "limit", "stop", "stop_limit", "take_profit", "trailing_stop"]
)


class Case(NamedTuple):
    """An order, the asset it is for, and the price of the moment."""

    order: PlaceOrder
    asset: AssetListed
    price: int

    def at(self, price: int) -> Context:
        return context(self.asset, **{self.asset.asset_id: price})

    @property
    def now(self) -> Context:
        return self.at(self.price)

    @property
    def one_cent(self) -> int:
        return unit(self.asset.scale, self.asset.price_scale)


@st.composite
def assets(draw: st.DrawFn) -> AssetListed:
    """Any asset whose prices have cents at least."""
    scale = draw(st.integers(0, 8))
    price_scale = draw(st.integers(max(0, 2 - scale), 18))
    return listed("ANY", scale=scale, price_scale=price_scale, price=1, least=draw(prices))


@st.composite
def orders(draw: st.DrawFn) -> PlaceOrder:
    """Any order at all."""
    maybe = st.none() | amounts
    return PlaceOrder(
        **asking(draw(st.integers(1, 9))),
        asset_id=draw(st.sampled_from(["ANY", "NONE"])),
        side=draw(sides),
        order_type=draw(order_types),
        quantity=draw(maybe),
        notional=draw(maybe),
        limit_price=draw(maybe),
        stop_price=draw(maybe),
        notional_limit=draw(maybe),
    )


@st.composite
def any_cases(draw: st.DrawFn) -> Case:
    return Case(draw(orders()), draw(assets()), draw(prices))


@st.composite
def cases(draw: st.DrawFn, *, side: Side | None = None, by: str | None = None) -> Case:
    """Market orders of every size between the limits; few are refused."""
    asset = draw(assets())
    cents = draw(st.integers(MIN_NOTIONAL, MAX_NOTIONAL))
    one_cent = unit(asset.scale, asset.price_scale)
    price = draw(st.integers(1, min(SAFE_INTEGER - 1, cents * one_cent)))
    quantity = min(cents * one_cent // price, SAFE_INTEGER - 1)
    by = by or draw(st.sampled_from(["quantity", "notional"]))
    order = PlaceOrder(
        **asking(1),
        asset_id=asset.asset_id,
        side=draw(sides) if side is None else side,
        order_type="market",
        quantity=quantity if by == "quantity" else None,
        notional=cents if by == "notional" else None,
    )
    least = draw(st.integers(1, quantity))
    return Case(order, stamp(asset, min_quantity=least), price)


def collar(price: int) -> st.SearchStrategy[int]:
    """Returns every price inside the collar around this one."""
    lowest, highest = price_limit("sell", price, COLLAR_BPS), price_limit("buy", price, COLLAR_BPS)
    return st.integers(lowest, min(highest, SAFE_INTEGER - 1))


@st.composite
def partitions(draw: st.DrawFn, whole: int) -> list[int]:
    """Draws the parts, all positive, in which a whole is filled."""
    cuts = draw(st.sets(st.integers(1, whole - 1), max_size=6)) if whole > 1 else set[int]()
    edges = [0, *sorted(cuts), whole]
    return [after - before for before, after in pairwise(edges)]
