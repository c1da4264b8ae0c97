"""Follows what services write: it tells when each partition spoke again after a death."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from infra.log.kafka import KafkaLog
from infra.log.port import TP, Log, Record
from infra.shell.reading import is_control
from ops.provision import SHELL_SERVICES
from tests.faults.lives import PARTITIONS, now_ms

WAIT_MS, PATIENCE_S = 500, 60
OUTPUTS: Mapping[str, tuple[TP, ...]] = {
    service.name: tuple(service.output(p) for p in range(PARTITIONS)) for service in SHELL_SERVICES
}
"""The partitions that each service writes."""


class Witness:
    """claims, events: when the records in each partition were appended, ms since the epoch."""

    def __init__(self) -> None:
        tps = [tp for written in OUTPUTS.values() for tp in written]
        self.claims: dict[TP, list[int]] = {tp: [] for tp in tps}
        self.events: dict[TP, list[int]] = {tp: [] for tp in tps}
        self._news = asyncio.Condition()

    async def follow(self, log: Log) -> None:
        """Reads all there is and goes on until it is cancelled."""
        reader = await log.reader(dict.fromkeys(self.events, 0))
        try:
            while True:
                for tp, records in (await reader.fetch(WAIT_MS)).items():
                    self.note(tp, records)
                async with self._news:
                    self._news.notify_all()
        finally:
            await reader.stop()

    def note(self, tp: TP, records: Iterable[Record]) -> None:
        for record in records:
            if not is_control(record):
                self.events[tp].append(record.timestamp)
            elif record.key == b"control:partition_claimed":
                self.claims[tp].append(record.timestamp)

    async def spoke(self, service: str, died_ms: int) -> float:
        """Returns the s from the death to the first event of the last of its partitions. Raises: TimeoutError."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            times = await self._news.wait_for(lambda: self.after(service, died_ms))
        return (max(times) - died_ms) / 1_000

    async def claimed(self, service: str, since_ms: int) -> float:
        """Returns the s from then to the claim of the last of its partitions. Raises: TimeoutError."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            times = await self._news.wait_for(lambda: self.owners(service, since_ms))
        return (max(times) - since_ms) / 1_000

    async def progress(self, service: str, since_ms: int) -> None:
        """Returns once an event was appended since then. Raises: TimeoutError."""
        async with asyncio.timeout(PATIENCE_S), self._news:
            await self._news.wait_for(lambda: self.count(service, since_ms, now_ms() + 1))

    def owners(self, service: str, since_ms: int) -> list[int]:
        """Returns when each partition's first owner since then claimed it; nothing while one has none."""
        claims = [first(self.claims[tp], since_ms) for tp in OUTPUTS[service]]
        return [time for time in claims if time is not None] if None not in claims else []

    def after(self, service: str, died_ms: int) -> list[int]:
        """Returns when each partition's first event came that a next owner wrote; nothing while one is silent."""
        claims = self.owners(service, died_ms)
        times = [first(self.events[tp], c) for tp, c in zip(OUTPUTS[service], claims, strict=False)]
        return [time for time in times if time is not None] if None not in times else []

    def count(self, service: str, since_ms: int, until_ms: int) -> int:
        """Returns how many events of the service were appended in that time."""
        return sum(
            since_ms <= time < until_ms for tp in OUTPUTS[service] for time in self.events[tp]
        )

    def take_overs(self, since_ms: int) -> int:
        """Returns how often any partition was taken over since then."""
        return sum(time >= since_ms for times in self.claims.values() for time in times)


def first(times: Iterable[int], since_ms: int) -> int | None:
    return next((time for time in times if time >= since_ms), None)


@asynccontextmanager
async def witnessing(kafka: str) -> AsyncIterator[Witness]:
    """Yields a witness of all that was written and of what is while the block runs."""
    log, witness = KafkaLog(kafka), Witness()
    following = asyncio.create_task(witness.follow(log))
    try:
        yield witness
    finally:
        following.cancel()
        await asyncio.wait({following})
        await log.stop()
