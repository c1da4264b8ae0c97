"""Logins, 300 at once from 300 addresses: what somebody else waits for his balance meanwhile, and the memory they take.

Each is hashed for as long as few wait, with today's parameters; the others are turned away at once.
"""

import asyncio
from collections import Counter
from time import perf_counter

import uvloop

from bench.customers import Customer, expect
from bench.generator import Latencies, at_rate
from bench.http import Server, server
from bench.report import Figure
from bench.servers import memory, stack
from ops.stack.folder import RunFolder

FLOOD = 300
RATE = 100  # balances a second
CALM_S, LOOK_S = 5, 0.05
EVER = 1_000_000
MIB = 1 << 20
BEHIND_A_PROXY = '["127.0.0.0/8"]'
"""Whom the gateway believes from where a request comes: us."""
HASHED, AWAY = 401, 503


def logins(rounds: int) -> list[Figure]:
    """Returns the figures of so many floods, each when the one before is over."""
    with stack(partitions=2, trusted_proxies=BEHIND_A_PROXY) as folder:
        return uvloop.run(measure(folder, rounds))


async def measure(folder: RunFolder, rounds: int) -> list[Figure]:
    async with server(folder.endpoints()["gateway"]) as gateway:
        ada = await Customer.with_money(gateway, "ada")
        calm, meanwhile, answers = Reader(ada), Reader(ada), Counter[int]()
        await at_rate(RATE, range(RATE * CALM_S), calm.read)
        most = before = memory(folder, "gateway")
        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(at_rate(RATE, range(EVER), meanwhile.read))
            for n in range(rounds):
                flood = [tasks.create_task(log_in(gateway, n, m)) for m in range(FLOOD)]
                while not all(login.done() for login in flood):
                    most = max(most, memory(folder, "gateway"))
                    await asyncio.sleep(LOOK_S)
                answers.update(login.result() for login in flood)
            reading.cancel()
    assert answers.keys() <= {HASHED, AWAY}, answers
    return [
        Figure(
            f"GET /balance while {FLOOD} log in at once, p50",
            meanwhile.latencies.quantile(50),
            "ms",
            "calm",
            calm.latencies.quantile(50),
        ),
        Figure(
            "  p99", meanwhile.latencies.quantile(99), "ms", "calm", calm.latencies.quantile(99)
        ),
        Figure(f"  refused of {len(meanwhile.latencies.seconds):,}", meanwhile.refused, ""),
        Figure("  memory the gateway grew by", (most - before) / MIB, "MiB"),
        Figure(
            "  logins hashed, the others turned away", answers[HASHED], "", "of", answers.total()
        ),
    ]


class Reader:
    """Somebody who looks at his balance. refused: how often a store answered the edge too late."""

    def __init__(self, customer: Customer) -> None:
        self.customer = customer
        self.latencies, self.refused = Latencies(), 0

    async def read(self, _: int, due: float) -> None:
        customer = self.customer
        answer = await customer.edge.ask("GET", "/api/v1/balance", headers=customer.headers)
        if answer.status == AWAY:
            self.refused += 1
        else:
            expect(answer, 200)
        self.latencies.seconds.append(perf_counter() - due)


async def log_in(gateway: Server, n: int, m: int) -> int:
    """Returns the status."""
    who = {"username": f"nobody-{n}-{m}", "password": "wrong horse"}
    headers = {"x-forwarded-for": f"198.51.{m // 200}.{m % 200 + 1}"}
    return (await gateway.ask("POST", "/api/v1/auth/login", who, headers)).status
