"""What the benches put into the topics: the market's catalogue and prices, and orders that are all accepted."""

import time
from functools import cache
from uuid import UUID

from events.balance import Deposit
from events.codec import stamp
from events.ids import partition_of, position_id
from events.market import AssetListed, PriceTicked, Quote
from events.money import FEE_BPS, quantity_for_spend, unit
from events.order import PlaceOrder
from events.topics import PRICES
from services.market.catalogue import catalogue

ACCOUNTS = 10_000
SPEND = 5_000  # cents an order: far from every limit
MONEY = 10**9 // 2  # cents, half of what an account may have
VERSION_7 = 0x01900000_0000_7000_8000_000000000000


@cache
def listings() -> tuple[AssetListed, ...]:
    """Returns the whole catalogue, as it stands in its topic."""
    return tuple(
        stamp(asset, id=str(UUID(int=n)), occurred_at=now_ms())
        for n, asset in enumerate(catalogue())
    )


def tick(n: int) -> PriceTicked:
    """Returns the n-th tick: every asset at its listing price."""
    quotes = tuple(Quote(asset_id=a.asset_id, price=a.listing_price) for a in listings())
    return PriceTicked(id=position_id(PRICES.name, 0, n), occurred_at=now_ms(), prices=quotes)


@cache
def accounts(p: int, partitions: int, count: int = ACCOUNTS) -> tuple[str, ...]:
    """Returns ids of accounts that live in partition p."""
    found: list[str] = []
    n = 0
    while len(found) < count:
        account_id = str(UUID(int=VERSION_7 + n))
        if partition_of(account_id, partitions) == p:
            found.append(account_id)
        n += 1
    return tuple(found)


def order_id(n: int) -> str:
    """Returns the id of the n-th command, which is its order's too."""
    return f"00000000-0000-4000-8000-{n:012x}"


def order_number(order_id: str) -> int:
    """Returns the n of the id."""
    return int(order_id[-12:], 16)


@cache
def quantity(asset: AssetListed) -> int:
    """Returns how much of the asset SPEND buys, minor units."""
    one_cent = unit(asset.scale, asset.price_scale)
    return quantity_for_spend(SPEND, asset.listing_price, FEE_BPS, one_cent)


def order(n: int, owners: tuple[str, ...]) -> PlaceOrder:
    """Returns the n-th command: a market buy, as long in bytes as the gateway's."""
    asset = listings()[n % len(listings())]
    time_ms = now_ms()
    return PlaceOrder(
        id=order_id(n),
        account_id=owners[n % len(owners)],
        occurred_at=time_ms,
        created_at=time_ms,
        correlation_id=order_id(n),
        fingerprint=f"{n:064x}",
        asset_id=asset.asset_id,
        side="buy",
        order_type="market",
        quantity=quantity(asset),
        client_order_id=f"order-{n}",
    )


def deposit(n: int, account_id: str) -> Deposit:
    """Returns the n-th command, a deposit that pays for every order of a bench."""
    time_ms = now_ms()
    return Deposit(
        id=order_id(n),
        account_id=account_id,
        occurred_at=time_ms,
        created_at=time_ms,
        correlation_id=order_id(n),
        fingerprint=f"{n:064x}",
        amount=MONEY,
    )


def now_ms() -> int:
    """Returns ms since the epoch."""
    return time.time_ns() // 1_000_000
