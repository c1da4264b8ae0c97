"""Services as processes by themselves: nobody starts one again but the test."""

import asyncio
import os
import signal
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from events.topics import PRICES
from infra.log.admin import ensure
from infra.log.kafka import KafkaLog
from infra.process.settings import Settings
from ops.provision import topic_specs
from ops.stack.processes import SERVICES
from tests.stand import until

ROOT = Path(__file__).parents[2]
PARTITIONS = int(Settings.model_fields["partition_count"].default)
WITHIN_S = 60
AS_SHIPPED, IN_A_HURRY = ("-P", "-m", "ops.cli", "run"), ("-m", "tests.faults.hurried")


class Life:
    """A service's process, one at a time, and its log."""

    def __init__(self, name: str, kafka: str, folder: Path) -> None:
        self.name, self.kafka = name, kafka
        self.log = folder / f"{name}.log"
        self.running: asyncio.subprocess.Process | None = None

    async def start(self, *, crash: str | None = None, **settings: str) -> None:
        """Begins the next life. crash: where it ends, POINT:N; such a life is in a hurry."""
        assert self.running is None, f"{self.name} lives"
        own = {"ORDERSTREAM_ENV": "test", "ORDERSTREAM_KAFKA": self.kafka, **settings}
        own |= {"ORDERSTREAM_CRASH": crash} if crash else {}
        with self.log.open("ab") as opened:
            self.running = await asyncio.create_subprocess_exec(
                *(sys.executable, *(IN_A_HURRY if crash else AS_SHIPPED), self.name),
                cwd=ROOT,
                env={**os.environ, **own},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=opened,
                stderr=opened,
            )

    @property
    def is_over(self) -> bool:
        """Returns whether it ended, or never began."""
        return self.running is None or self.running.returncode is not None

    def send(self, number: signal.Signals) -> None:
        assert self.running
        self.running.send_signal(number)

    async def ended(self) -> int:
        """Returns the exit code, once it ended by itself or by a signal. Raises: TimeoutError."""
        assert self.running
        code = await asyncio.wait_for(self.running.wait(), WITHIN_S)
        self.running = None
        return code

    async def kill(self) -> int:
        """Kills it as by kill -9. Returns when that was, ms since the epoch."""
        if not self.is_over:
            self.send(signal.SIGKILL)
            await self.ended()
        return now_ms()

    async def end(self) -> None:
        """Has it drain, if it lives."""
        if not self.is_over:
            self.send(signal.SIGTERM)
            self.send(signal.SIGCONT)
            await self.ended()


def now_ms() -> int:
    return time.time_ns() // 1_000_000


@asynccontextmanager
async def living(kafka: str, folder: Path, **through: str) -> AsyncIterator[dict[str, Life]]:
    """Yields all services, each alive, once the market tells prices; ends them after the block.

    through: host:port by which a service reaches the broker, if not straight.
    """
    await ensure(topic_specs(PARTITIONS), kafka)
    lives = {name: Life(name, through.get(name, kafka), folder) for name in SERVICES}
    try:
        await asyncio.gather(*(life.start() for life in lives.values()))
        await prices_told(kafka)
        yield lives
    finally:
        await asyncio.gather(*(life.end() for life in lives.values()))


async def prices_told(kafka: str) -> None:
    """Returns when there is a price: before that an order meets a catalogue in the making."""
    log, prices = KafkaLog(kafka), (PRICES.name, 0)

    async def told() -> bool:
        return (await log.bounds([prices]))[prices].end > 0

    try:
        await until(told, "the market tells prices")
    finally:
        await log.stop()
