"""What customers asked over REST and what they were answered: each order is asked for once, at a steady rate."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle
from random import Random
from time import monotonic
from typing import NamedTuple
from uuid import uuid4

import httpx2

from events.topics import ORDER_COMMANDS
from tests.books import Books
from tests.e2e.customer import Customer

RATE = 10  # a second
CUSTOMERS = 8
WAIT_S = 1
DEADLINE_S = 3  # to stand in the log, and to be waited for
PATIENCE_S = 60
"""After it a client gives a request up."""


ONCE, NEVER, PERHAPS = {1}, {0}, {0, 1}
STANDING = {  # how often an order stands in the log, by status and code of the answer
    (201, "taken"): ONCE,
    (202, "taken"): ONCE,
    (422, "insufficient_funds"): ONCE,
    (422, "insufficient_assets"): ONCE,
    (422, "price_stale"): ONCE,
    (422, "price_left_collar"): ONCE,
    (503, "log_unavailable"): PERHAPS,
    (503, "dependency_unavailable"): NEVER,
}


class Entry(NamedTuple):
    """name: the order's; seconds: until the answer; code, retry_after: of a problem. status: 0 if none came."""

    name: str
    seconds: float
    status: int
    code: str | None = None
    retry_after: str | None = None


class Journal:
    """entries: all that was asked and answered."""

    def __init__(self, customers: Sequence[Customer], seed: int = 1) -> None:
        self.rng, self.customers = Random(seed), customers
        self.entries: list[Entry] = []

    @classmethod
    async def of_new_customers(cls, http: httpx2.AsyncClient) -> "Journal":
        customers = [await Customer.registered(http) for _ in range(CUSTOMERS)]
        for customer in customers:
            await customer.deposit("5000.00")
        return cls(customers)

    async def write(self) -> None:
        """Asks until it is cancelled, whatever becomes of the earlier ones."""
        due = monotonic()
        async with asyncio.TaskGroup() as asking:
            for customer in cycle(self.customers):
                asking.create_task(self.ask(customer))
                due += 1 / RATE
                await asyncio.sleep(due - monotonic())

    async def ask(self, customer: Customer) -> None:
        name, begun = uuid4().hex, monotonic()
        body = {
            "type": "market",
            "client_order_id": name,
            "asset_id": self.rng.choice(("BTC", "ETH")),
            "side": self.rng.choice(("buy", "buy", "sell")),
            "notional": f"{self.rng.randint(1, 99)}.00",
        }
        try:
            answer = await customer.http.post(
                "/api/v1/orders",
                json=body,
                headers=customer.headers(prefer=f"wait={WAIT_S}"),
            )
        except httpx2.HTTPError:
            self.entries.append(Entry(name, monotonic() - begun, 0))
            return
        code = answer.json().get("code")
        retry_after = answer.headers.get("retry-after")
        entry = Entry(name, monotonic() - begun, answer.status_code, code, retry_after)
        self.entries.append(entry)

    @property
    def longest(self) -> float:
        """Returns the s of the longest request."""
        return max(entry.seconds for entry in self.entries)

    def answers(self) -> Counter[str]:
        """Returns how often each status and code came."""
        return Counter(f"{e.status} {e.code or ''}".strip() for e in self.entries)

    def check(self, books: Books) -> None:
        """Raises: AssertionError if an answer was false: what was taken stands in the log once, nothing stands twice,
        what was refused doesn't stand there, and each 503 says when to come again.
        """
        standing = Counter(command.client_order_id for command in books.of(ORDER_COMMANDS))
        for entry in self.entries:
            assert standing[entry.name] in STANDING[entry.status, entry.code or "taken"], entry
            assert entry.status != 503 or entry.retry_after, entry


@asynccontextmanager
async def written(journal: Journal) -> AsyncIterator[None]:
    """Has the journal written during the block; returns when all is answered."""
    writing = asyncio.create_task(journal.write())
    try:
        yield
    finally:
        writing.cancel()
        await asyncio.wait({writing})
