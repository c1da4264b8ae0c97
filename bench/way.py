"""An order's whole way: from POST until money and assets have moved and are in view; and how many a second can.

Everything, the load's maker too, shares the machine. The bare route is FastAPI's on the gateway's own server, in
a process of its own, asked by the same client in the same run.
"""

import asyncio
import socket
import sys
from asyncio.subprocess import create_subprocess_exec
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any, NamedTuple

import uvloop

from bench.customers import Customer, expect
from bench.generator import Latencies, at_most, at_rate
from bench.http import Server, server
from bench.report import Figure
from bench.servers import cpu_seconds, stack
from bench.views import caught_up
from ops.stack.folder import RunFolder

RATES = (20, 100, 200)
CUSTOMERS = 32
CONNECTIONS = 64
PAUSE_S = 0.05
STARTED_WITHIN_S = 30
Act = Callable[[int], Coroutine[Any, Any, None]]


class Highest(NamedTuple):
    """orders: how many; accepted, settled: seconds until the last one was; cpu: seconds by process; lacking: offsets
    that the history had not folded then; drained: seconds until it had.
    """

    orders: int
    accepted: float
    settled: float
    cpu: Mapping[str, float]
    lacking: int
    drained: float


class Measured(NamedTuple):
    """rates: latencies at each; highest: without a limit. named: the same, at the first rate, of orders that carry
    a client_order_id.
    """

    rates: Mapping[int, Latencies]
    highest: Highest
    named: Latencies
    highest_named: Highest
    refused: int


def way(seconds: int, rates: Sequence[int] = RATES) -> list[Figure]:
    """Returns the figures of so many seconds at each rate, and as many without a limit."""
    with stack(partitions=2) as folder:
        return uvloop.run(measure(folder, seconds, rates))


async def measure(folder: RunFolder, seconds: int, rates: Sequence[int]) -> list[Figure]:
    async with server(folder.endpoints()["gateway"]) as edge:
        customers = [await Customer.with_money(edge, f"bench-{n}") for n in range(CUSTOMERS)]
        at = {rate: await settling(folder, customers, rate, seconds) for rate in rates}
        named = await settling(folder, customers, rates[0], seconds, named=True)
        ours = Measured(
            at,
            await as_many_as_go(folder, customers, seconds),
            named,
            await as_many_as_go(folder, customers, seconds, named=True),
            sum(customer.refused for customer in customers),
        )
        for customer in customers:
            await customer.audit()
    async with bare_route() as route:
        body = customers[0].body()

        async def post(_: int) -> None:
            expect(await route.ask("POST", "/api/v1/orders", body), 201)

        bare = {rate: await latencies(rate, seconds, post) for rate in rates}
        done, took = await at_most(CONNECTIONS, seconds, post)
    return list(figures(ours, bare, done / took))


async def settling(
    folder: RunFolder, customers: list[Customer], rate: int, seconds: int, *, named: bool = False
) -> Latencies:
    """Returns how long orders, of each customer in turn, took to settle at that rate."""

    async def place(n: int) -> None:
        await customers[n % CUSTOMERS].place(named=named)

    await caught_up("history", folder.endpoints())
    return await latencies(rate, seconds, place)


async def latencies(rate: int, seconds: int, act: Act) -> Latencies:
    """Returns how long the acts took at that rate, each from when it was due, after a quarter of it to warm up."""
    measured: list[float] = []
    warm = max(1, seconds // 4) * rate

    async def timed(n: int, due: float) -> None:
        await act(n)
        if n >= warm:
            measured.append(perf_counter() - due)

    await at_rate(rate, range(warm + seconds * rate), timed)
    return Latencies(measured)


async def as_many_as_go(
    folder: RunFolder, customers: list[Customer], seconds: int, *, named: bool = False
) -> Highest:
    """Returns how many orders were taken and settled."""
    await caught_up("history", folder.endpoints())
    names = [process.name for process in folder.status().processes]
    before = {name: cpu_seconds(folder, name) for name in names}
    begun = perf_counter()
    placed = sum(len(customer.orders) for customer in customers)
    _, accepted = await at_most(
        CONNECTIONS, seconds, lambda n: customers[n % CUSTOMERS].place_async(named=named)
    )
    orders = sum(len(customer.orders) for customer in customers) - placed
    for customer in customers:
        await customer.settled()
    settled = perf_counter() - begun
    cpu = {name: cpu_seconds(folder, name) - before[name] for name in names}
    lacking = await caught_up("history", folder.endpoints())
    return Highest(orders, accepted, settled, cpu, lacking, perf_counter() - begun - settled)


@asynccontextmanager
async def bare_route() -> AsyncIterator[Server]:
    """Returns a client of the bare route, which serves while the block runs."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = await create_subprocess_exec(sys.executable, "-m", "bench.bare", str(port))
    try:
        async with server(f"http://127.0.0.1:{port}") as route:
            await answering(route)
            yield route
    finally:
        process.terminate()
        await process.wait()


async def answering(route: Server) -> None:
    """Returns once the server answers. Raises: TimeoutError."""
    async with asyncio.timeout(STARTED_WITHIN_S):
        while True:
            try:
                await route.ask("GET", "/openapi.json")
            except OSError:
                await asyncio.sleep(PAUSE_S)
            else:
                return


def figures(ours: Measured, bare: Mapping[int, Latencies], bare_highest: float) -> Iterator[Figure]:
    for rate, found in ours.rates.items():
        yield from percentiles(f"{rate}/s", found, bare[rate])
    yield from limits("", ours.highest, bare_highest)
    first, named = next(iter(bare)), ", with client_order_id"
    yield from percentiles(f"{first}/s{named}", ours.named, bare[first])
    yield from limits(named, ours.highest_named, bare_highest)
    yield Figure("refused: a store answered too late", ours.refused, "orders")


def percentiles(at: str, ours: Latencies, bare: Latencies) -> Iterator[Figure]:
    for q in (50, 99):
        what = f"POST → settled at {at}, p{q}"
        yield Figure(what, ours.quantile(q), "ms", "bare route", bare.quantile(q))


def limits(how: str, highest: Highest, bare: float) -> Iterator[Figure]:
    """Yields what came of offering as many orders as go."""
    orders, accepted, settled, cpu, lacking, drained = highest
    what = f"settled, {CONNECTIONS} connections{how}"
    yield Figure(what, orders / settled, "orders/s", "bare route", bare)
    yield Figure("  taken", orders / accepted, "orders/s", "bare route", bare)
    yield Figure("  last answer → last settled", settled - accepted, "s")
    yield Figure("  the history lacked then", lacking, "records")
    yield Figure("  … and had them after", drained, "s")
    for name, seconds in sorted(cpu.items(), key=lambda item: -item[1]):
        yield Figure(f"  CPU of {name}", seconds * 1_000 / orders, "ms/order")
