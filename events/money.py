"""The only place where money is rounded. Integers throughout: cents of USD, minor units of an asset.

A fill's *exact* value is price x quantity, an integer at price_scale + scale decimals. Over an order's fills
exact values add up, and each fill costs the difference of two roundings of the running total: so the fills
together cost one rounding, and never more than the hold.
"""

from functools import cache
from typing import Literal

Side = Literal["buy", "sell"]

USD_SCALE = 2
FEE_BPS = 10
COLLAR_BPS = 200
MIN_NOTIONAL = 100
"""Cents. Keeps a sale's proceeds above its fee."""
MAX_NOTIONAL = 10**9
"""Cents. No order is worth more, and no deposit brings a balance above it."""
PRICE_MAX_AGE = 10_000
"""Milliseconds after which a price fills nothing."""
HALT_DIVISOR = 1_000
"""Below its listing price divided by this, an asset is halted: so no quantity leaves the safe integers."""


@cache
def unit(scale: int, price_scale: int) -> int:
    """Returns how many exact units one cent has. scale + price_scale >= 2."""
    return int(10 ** (scale + price_scale - USD_SCALE))


def rounded(side: Side, exact: int, one_cent: int) -> int:
    """Returns cents: up for a buy, down for a sell, so a rounding never favours the customer."""
    return -(-exact // one_cent) if side == "buy" else exact // one_cent


def fee(cost: int, fee_bps: int) -> int:
    """Returns the fee on a cost in cents, rounded up."""
    return -(-cost * fee_bps // 10_000)


def notional_limit(own: int | None) -> int:
    """Returns the cents that an order may be worth. own: what its account may order, no more than any; None: that."""
    return MAX_NOTIONAL if own is None else min(own, MAX_NOTIONAL)


def price_limit(side: Side, reference: int, collar_bps: int) -> int:
    """Returns the worst price at which a market order may fill: the last inside the collar."""
    if side == "buy":
        return reference * (10_000 + collar_bps) // 10_000
    return -(-reference * (10_000 - collar_bps) // 10_000)


def quantity_for_spend(notional: int, price: int, fee_bps: int, one_cent: int) -> int:
    """Returns the largest quantity whose cost and fee are within notional cents. price > 0."""
    return notional * 10_000 // (10_000 + fee_bps) * one_cent // price


def quantity_for_proceeds(notional: int, price: int, one_cent: int) -> int:
    """Returns the quantity worth at most notional cents before the fee. price > 0."""
    return notional * one_cent // price


def basis_removed(cost_basis: int, sold: int, position: int) -> int:
    """Returns the part of a position's cost that a sale of 0 < sold <= position takes out; the last sale all."""
    return cost_basis * sold // position
