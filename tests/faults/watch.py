"""Customers who look, again and again: what they see must be right whenever they see anything; and one who buys."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Coroutine, Sequence
from contextlib import asynccontextmanager
from time import monotonic

import httpx2

from ops.audit.outcomes import Asked
from tests.e2e.customer import Customer

FUNDS = "1234.50"
PAUSE_S = 0.01
ORDER = {"asset_id": "BTC", "side": "buy", "notional": "1.00"}
ACCEPTED, REFUSED = (201, 202), (422, 503)


class Watch:
    """Reads the balance of customers that nothing happens to. statuses: of the answers; wrong: those that say
    something else than the truth; longest: seconds that one took.
    """

    def __init__(self, customers: Sequence[Customer]) -> None:
        self.customers = customers
        self.statuses: Counter[int] = Counter()
        self.wrong: list[str] = []
        self.longest = 0.0

    async def look(self, customer: Customer) -> None:
        begun = monotonic()
        answer = await customer.http.get("/api/v1/balance", headers=customer.headers())
        self.longest = max(self.longest, monotonic() - begun)
        self.statuses[answer.status_code] += 1
        if answer.status_code == 200:
            body = answer.json()
            if (body["available"], body["held"], body["total"]) != (FUNDS, "0.00", FUNDS):
                self.wrong.append(answer.text)
        elif answer.status_code != 503:
            self.wrong.append(f"{answer.status_code} {answer.text}")

    async def keep_looking(self) -> None:
        """Looks until it is cancelled."""
        while True:
            for customer in self.customers:
                await self.look(customer)
                await asyncio.sleep(PAUSE_S)


class Buyer:
    """Buys without a name for it, so never a second time. statuses: of the answers; accepted: the orders' ids."""

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.statuses: Counter[int] = Counter()
        self.accepted: list[str] = []

    async def keep_buying(self) -> None:
        """Buys until it is cancelled. Raises: AssertionError at an answer that is not documented."""
        http, headers = self.customer.http, self.customer.headers(Prefer="respond-async")
        while True:
            answer = await http.post("/api/v1/orders", json=ORDER, headers=headers)
            self.statuses[answer.status_code] += 1
            if answer.status_code in ACCEPTED:
                self.accepted.append(answer.json()["id"])
            else:
                assert answer.status_code in REFUSED, answer.text
            await asyncio.sleep(PAUSE_S)

    def journal(self) -> list[Asked]:
        return [Asked(order_id, accepted=True) for order_id in self.accepted]


async def savers(http: httpx2.AsyncClient, count: int) -> list[Customer]:
    """Returns new customers with funds, who leave them alone."""
    customers = [await Customer.registered(http) for _ in range(count)]
    for customer in customers:
        await customer.deposit(FUNDS)
    return customers


@asynccontextmanager
async def going_on(doing: Coroutine[None, None, None]) -> AsyncIterator[None]:
    """Does it while the block runs. Raises: what ended it before."""
    task = asyncio.create_task(doing)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.result()
