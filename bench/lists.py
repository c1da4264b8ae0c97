"""What it takes to read lists, one request after another: of an account most of whose orders the history alone has."""

import asyncio
from collections.abc import Iterator, Mapping
from time import perf_counter
from typing import NamedTuple

import uvloop

from bench.customers import Customer, expect
from bench.generator import Latencies
from bench.http import Server, server
from bench.report import Figure
from bench.servers import stack
from bench.views import caught_up
from bench.way import bare_route
from ops.stack.folder import RunFolder

ASSETS = ("BTC", "ETH", "SOL", "ADA")
AT_ONCE = 50
OLDER = 200
"""Orders of an account that the live view has at least; the history has all."""


class Question(NamedTuple):
    """items: how many there are in the answer, None: however many."""

    path: str
    items: int | None


QUESTIONS: Mapping[str, Question] = {
    "its newest 50 orders": Question("/orders", 50),
    "… of one asset": Question("/orders?asset_id=BTC", 50),
    "50 older ones, from the history": Question("/orders?cursor={older}", 50),
    "200 of those": Question("/orders?limit=200&cursor={older}", 200),
    "rejected ones, of which there are none": Question("/orders?status=rejected", 0),
    "its newest 50 fills": Question("/trades", 50),
    "its newest 50 movements of money": Question("/balance/transactions", 50),
    "the catalogue, searched and sorted": Question("/inventory/assets?search=a&sort=-price", None),
}


def lists(orders: int, times: int) -> list[Figure]:
    """Returns the figures of an account that has so many orders, 400 at least, each list read so many times."""
    with stack(partitions=2) as folder:
        return uvloop.run(measure(folder, orders, times))


async def measure(folder: RunFolder, orders: int, times: int) -> list[Figure]:
    async with server(folder.endpoints()["gateway"]) as gateway:
        customer = await Customer.with_money(gateway, "lists")
        for first in range(0, orders, AT_ONCE):
            await asyncio.gather(*(order(customer, first + n) for n in range(AT_ONCE)))
        await caught_up("history", folder.endpoints())
        older = (await customer.get(f"/orders?limit={OLDER}"))["next_cursor"]
        found = {
            what: await timed(gateway, customer, path.format(older=older), items, times)
            for what, (path, items) in QUESTIONS.items()
        }
    async with bare_route() as route:
        bare = await timed(route, customer, "/balance", None, times)
    return list(figures(orders, found, bare))


async def order(customer: Customer, n: int) -> None:
    asked = {**customer.body(), "asset_id": ASSETS[n % len(ASSETS)], "notional": "2.00"}
    headers = {**customer.headers, "prefer": "wait=30"}
    expect(await customer.edge.ask("POST", "/api/v1/orders", asked, headers), 201)


async def timed(
    edge: Server, customer: Customer, path: str, items: int | None, times: int
) -> Latencies:
    """Returns what the list took. Raises: AssertionError if it has not so many items."""
    took = []
    for _ in range(times):
        began = perf_counter()
        shown = expect(await edge.ask("GET", f"/api/v1{path}", headers=customer.headers), 200)
        took.append(perf_counter() - began)
        assert items is None or len(shown["items"]) == items, path
    return Latencies(took)


def figures(orders: int, found: Mapping[str, Latencies], bare: Latencies) -> Iterator[Figure]:
    yield Figure("lists of an account, its orders", orders, "")
    for what, latencies in found.items():
        for q in (50, 99):
            said = f"{what}, p50" if q == 50 else "  p99"
            yield Figure(said, latencies.quantile(q), "ms", "bare GET", bare.quantile(q))
