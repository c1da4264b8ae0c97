"""Streams: what one gateway process keeps for each, and how soon a change is at every client that follows it.

A delivery is timed from the append of the command that caused the change to the last byte of its frame at the client:
the service's hop and the projector's are in it. Everything, the clients too, shares the machine.
"""

import asyncio
import json
import time
from contextlib import AsyncExitStack
from datetime import datetime
from urllib.parse import urlsplit

import uvloop

from bench.customers import Customer
from bench.generator import Latencies, at_rate
from bench.http import Json, request, server
from bench.report import MICROSECONDS, Figure
from bench.servers import cpu_seconds, memory, stack
from ops.stack.folder import RunFolder

EACH = 5  # streams an account
RATE = 20  # deposits a second
WITHIN_S = 60
KIB = 1024


class Client:
    """One stream. delays: s that each change took to come; heard: is released for each."""

    def __init__(self, heard: asyncio.Semaphore) -> None:
        self.heard = heard
        self.delays: list[float] = []
        self.begun = asyncio.Event()

    async def follow(self, url: str, headers: Json) -> None:
        """Reads until it is canceled."""
        parts = urlsplit(url)
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        writer.write(request("GET", "/api/v1/stream", None, {"host": parts.netloc, **headers}))
        try:
            while True:
                self.read(await reader.readuntil(b"\n\n"))
        finally:
            writer.close()

    def read(self, block: bytes) -> None:
        if b"event: snapshot\n" in block:
            self.begun.set()
        elif b"event: balance\n" in block:
            said = json.loads(block.partition(b"data: ")[2])["as_of"]["time"]
            caused = datetime.fromisoformat(said).timestamp()
            self.delays.append(time.time() - caused)
            self.heard.release()


def streams(count: int, seconds: int) -> list[Figure]:
    """Returns the figures of so many streams, while so long deposits come."""
    with stack(partitions=2) as folder:
        return uvloop.run(measure(folder, count, seconds))


async def measure(folder: RunFolder, count: int, seconds: int) -> list[Figure]:
    url = folder.endpoints()["gateway"]
    async with server(url) as edge, AsyncExitStack() as opened:
        customers = [
            await Customer.with_money(edge, f"bench-{n}") for n in range(-(-count // EACH))
        ]
        before = memory(folder, "gateway")
        heard = asyncio.Semaphore(0)
        clients = [Client(heard) for _ in range(count)]
        tasks = await opened.enter_async_context(asyncio.TaskGroup())
        reading = [
            tasks.create_task(client.follow(url, customers[n // EACH].headers))
            for n, client in enumerate(clients)
        ]
        async with asyncio.timeout(WITHIN_S):
            for client in clients:
                await client.begun.wait()
        each = (memory(folder, "gateway") - before) / count
        cpu = cpu_seconds(folder, "gateway")
        deposits = RATE * seconds

        async def act(n: int, _: float) -> None:
            await deposit(customers[n % len(customers)])

        await at_rate(RATE, range(deposits), act)
        expected = sum(min(EACH, count - EACH * (n % len(customers))) for n in range(deposits))
        async with asyncio.timeout(WITHIN_S):
            for _ in range(expected):
                await heard.acquire()
        cpu = cpu_seconds(folder, "gateway") - cpu
        for task in reading:
            task.cancel()
    delays = Latencies(delay for client in clients for delay in client.delays)
    frames = len(delays.seconds)
    return [
        Figure(f"{count:,} streams of {len(customers):,} accounts: memory each", each / KIB, "KiB"),
        Figure(f"  {frames:,} changes brought, append to client: p50", delays.quantile(50), "ms"),
        Figure("  p99", delays.quantile(99), "ms"),
        Figure("  CPU of the gateway, deposits too", cpu / frames * MICROSECONDS, "µs/change"),
    ]


async def deposit(customer: Customer) -> None:
    headers = {**customer.headers, "prefer": "respond-async"}
    answer = await customer.edge.ask("POST", "/api/v1/balance/deposit", {"amount": "1.00"}, headers)
    assert answer.status == 202, answer
