"""The edge: one account asked for much, and how many requests a second one gateway answers, beside bare routes."""

from collections.abc import Iterator, Sequence
from decimal import Decimal
from itertools import count
from time import perf_counter
from typing import Any, NamedTuple

import uvloop

from bench.customers import OVER, Customer, expect
from bench.generator import Latencies, at_most, at_rate
from bench.http import server
from bench.report import Figure
from bench.servers import halted, stack
from bench.views import caught_up
from bench.way import CONNECTIONS, CUSTOMERS, Act, bare_route
from ops.stack.folder import RunFolder

RATE, LONE = 100, 50
KINDS = ("deposit", "withdraw", "buy")
BEHIND = ("order", "balance", "portfolio", "tape", "projector-live", "projector-history")
"""What works behind the edge. It stands still while the edge takes commands, which is what is measured then."""
READS = ("/balance", "/portfolio/{name}")


class Hot(NamedTuple):
    """One account: latencies of a request alone, and of many; how many of those had an outcome; whether its balance is
    the sum of its ledger.
    """

    alone: Latencies
    many: Latencies
    answered: int
    exact: bool


def edge(seconds: int) -> list[Figure]:
    """Returns the figures of so many seconds each."""
    with stack(partitions=2) as folder:
        return uvloop.run(measure(folder, seconds))


async def measure(folder: RunFolder, seconds: int) -> list[Figure]:
    async with server(folder.endpoints()["gateway"]) as gateway:
        one = await hot(await Customer.with_money(gateway, "hot"), seconds)
        customers = [await Customer.with_money(gateway, f"edge-{n}") for n in range(CUSTOMERS)]
        with halted(folder, BEHIND):
            taken = {
                named: await a_second(seconds, posting(customers, named)) for named in (False, True)
            }
        for customer in customers:
            await customer.settled()
            await customer.audit(OVER)  # the price has moved since it was ordered
        await caught_up("history", folder.endpoints())  # else the reads are measured beside it
        shown = {path: await a_second(seconds, getting(customers, path)) for path in READS}
    async with bare_route() as route:
        body = customers[0].body()

        async def post(_: int) -> None:
            expect(await route.ask("POST", "/api/v1/orders", body), 201)

        async def get(_: int) -> None:
            expect(await route.ask("GET", "/api/v1/balance"), 200)

        bare_post, bare_get = await a_second(seconds, post), await a_second(seconds, get)
    return [*of_one(one), *of_all(taken, shown, bare_post, bare_get)]


async def hot(customer: Customer, seconds: int) -> Hot:
    """Returns what one account is answered to deposits, withdrawals and orders in turn."""
    numbers, outcomes = count(), 0

    async def ask(kind: str) -> float:
        nonlocal outcomes
        path, body = asked(kind)
        headers = {**customer.headers, "idempotency-key": f"hot-{next(numbers)}"}
        began = perf_counter()
        answer = await customer.edge.ask("POST", f"/api/v1{path}", body, headers)
        outcomes += answer.status in (201, 422)
        return perf_counter() - began

    alone = Latencies([await ask(KINDS[n % len(KINDS)]) for n in range(LONE)])
    many: list[float] = []
    outcomes = 0

    async def timed(n: int, due: float) -> None:
        await ask(KINDS[n % len(KINDS)])
        many.append(perf_counter() - due)

    await at_rate(RATE, range(RATE * seconds), timed)
    return Hot(alone, Latencies(many), outcomes, await is_exact(customer))


def asked(kind: str) -> tuple[str, dict[str, Any]]:
    if kind == "buy":
        return "/orders", {"asset_id": "BTC", "side": "buy", "type": "market", "notional": "2.00"}
    return f"/balance/{kind}", {"amount": "1.00"}


async def is_exact(customer: Customer) -> bool:
    """Returns whether the lines of the ledger add up to the balance, once nothing is held."""
    await customer.settled()
    lines = await customer.listed("/balance/transactions")
    total = sum((Decimal(line["amount"]) for line in lines), Decimal(0))
    return total == Decimal((await customer.get("/balance"))["total"])


async def a_second(seconds: int, act: Act) -> float:
    done, took = await at_most(CONNECTIONS, seconds, act)
    return done / took


def posting(customers: Sequence[Customer], named: bool) -> Act:
    async def post(n: int) -> None:
        await customers[n % CUSTOMERS].place_async(named=named)

    return post


def getting(customers: Sequence[Customer], path: str) -> Act:
    async def get(n: int) -> None:
        customer = customers[n % CUSTOMERS]
        await customer.get(path.format(name=customer.name))

    return get


def of_one(one: Hot) -> Iterator[Figure]:
    total = len(one.many.seconds)
    yield Figure(f"one account at {RATE}/s, answered by an outcome", one.answered, "", "of", total)
    for q in (50, 95, 99):
        yield Figure(f"  p{q}", one.many.quantile(q), "ms", "a lone one", one.alone.quantile(q))
    yield Figure("  its ledger adds up to its balance", int(one.exact), "1: yes")


def of_all(
    taken: dict[bool, float], shown: dict[str, float], bare_post: float, bare_get: float
) -> Iterator[Figure]:
    for named, rate in taken.items():
        how = ", with client_order_id" if named else ""
        yield Figure(f"POST /orders, respond-async{how}", rate, "/s", "bare POST", bare_post)
    for path, rate in shown.items():
        yield Figure(f"GET {path}", rate, "/s", "bare GET", bare_get)
