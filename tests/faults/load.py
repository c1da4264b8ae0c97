"""Commands written straight to the topics at a steady rate, by customers of every partition."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count, cycle
from random import Random
from typing import Any

from aiokafka import AIOKafkaProducer
from uuid_utils.compat import uuid7

from events.balance import Deposit
from events.ids import partition_of
from events.order import PlaceOrder
from events.topics import BALANCE_COMMANDS, ORDER_COMMANDS, Topic
from infra.publisher import HEADERS, KafkaPublisher, publishing
from infra.unavailable import Unavailable
from tests.faults.lives import PARTITIONS, now_ms

RATE = 40  # a second
CUSTOMERS = 4  # in each partition
FUNDS = 10**8  # cents
AGAIN_S = 0.2


class Load:
    """Deposits now and then, and small market orders; each command is sent until it is acknowledged."""

    def __init__(self, publisher: KafkaPublisher, seed: int = 1) -> None:
        self.publisher, self.rng = publisher, Random(seed)
        self.accounts = [a for p in range(PARTITIONS) for a in accounts(p)]
        self.sent = 0

    async def begin(self) -> None:
        """Gives every customer money."""
        for account_id in self.accounts:
            await self.send(BALANCE_COMMANDS, Deposit(**asking(account_id), amount=FUNDS))

    async def run(self, rate: int = RATE) -> None:
        """Sends until it is cancelled, whatever becomes of the earlier ones."""
        clock, turn = asyncio.get_running_loop(), cycle(self.accounts)
        due = clock.time()
        async with asyncio.TaskGroup() as sending:
            for n in count(1):
                topic, command = self.command(n, next(turn))
                sending.create_task(self.send(topic, command))
                due += 1 / rate
                await asyncio.sleep(due - clock.time())

    def command(self, n: int, account_id: str) -> tuple[Topic[Any], Any]:
        """Returns the n-th: a deposit in eight, else an order, mostly to buy."""
        if n % 8 == 0:
            return BALANCE_COMMANDS, Deposit(**asking(account_id), amount=self.rng.randint(1, 999))
        return ORDER_COMMANDS, PlaceOrder(
            **asking(account_id),
            asset_id=self.rng.choice(("BTC", "ETH", "DOGE")),
            side=self.rng.choice(("buy", "buy", "sell")),
            order_type="market",
            notional=self.rng.randint(100, 9_999),
        )

    async def send(self, topic: Topic[Any], command: Any) -> None:
        while True:
            try:
                await self.publisher.publish(topic, command)
            except Unavailable:
                await asyncio.sleep(AGAIN_S)
            else:
                self.sent += 1
                return


def accounts(p: int) -> Iterator[str]:
    """Yields new customers whose partition is p."""
    made = (str(uuid7()) for _ in count())
    here = (account_id for account_id in made if partition_of(account_id, PARTITIONS) == p)
    yield from (next(here) for _ in range(CUSTOMERS))


def asking(account_id: str) -> dict[str, Any]:
    """Returns what a new command has in common with all others."""
    ids, now = str(uuid7()), now_ms()
    return {
        "id": ids,
        "account_id": account_id,
        "occurred_at": now,
        "created_at": now,
        "correlation_id": ids,
        "fingerprint": ids,
    }


async def flood(kafka: str, count: int) -> None:
    """Has one customer of partition 0 deposit a cent so many times, as fast as the broker takes it."""
    account_id = next(accounts(0))
    async with AIOKafkaProducer(bootstrap_servers=kafka, linger_ms=5) as producer:
        for _ in range(count):
            raw = BALANCE_COMMANDS.encode(Deposit(**asking(account_id), amount=1))
            await producer.send(
                BALANCE_COMMANDS.name, raw, key=account_id.encode(), partition=0, headers=HEADERS
            )
        await producer.flush()


@asynccontextmanager
async def under_load(kafka: str, rate: int = RATE) -> AsyncIterator[Load]:
    """Yields the load while it runs; after the block nothing more comes."""
    async with publishing(kafka, PARTITIONS) as publisher:
        load = Load(publisher)
        await load.begin()
        running = asyncio.create_task(load.run(rate))
        try:
            yield load
        finally:
            running.cancel()
            await asyncio.wait({running})
