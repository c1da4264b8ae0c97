"""All partitions that a process owns of one service. What raises here ends the process; the restart heals."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

import structlog

from infra.log.port import Clock, Fenced, Log

from .partition import Partition
from .service import Service
from .waiting import done_within

FENCED_MS, FENCED_MOST_MS = 5_000, 60_000
log_line = structlog.get_logger()


class Shell:
    """Runs the owned partitions of a service side by side."""

    def __init__(
        self,
        service: Service,
        log: Log,
        clock: Clock,
        *,
        owned: Sequence[int],
        partitions: int,
        write_versions: Mapping[str, int],
    ) -> None:
        self.service, self.clock = service, clock
        self.owned = owned
        self._make = partial(
            Partition,
            service,
            log=log,
            clock=clock,
            partitions=partitions,
            write_versions=write_versions,
        )
        self.partitions: dict[int, Partition] = {}
        self.fenced: set[int] = set()

    async def run(self, stop: asyncio.Event) -> None:
        """Returns when stop is set and all is drained. Raises: an ExceptionGroup of what ended a partition."""
        async with asyncio.TaskGroup() as tasks:
            for p in self.owned:
                tasks.create_task(self._serve(p, stop))

    async def _serve(self, p: int, stop: asyncio.Event) -> None:
        """Serves p; fenced, it drops p, leaves the others alone, and tries again, ever more seldom."""
        pause = FENCED_MS
        while not stop.is_set():
            self.partitions[p], begun = self._make(p=p), self.clock.now_ms()
            try:
                await self.partitions[p].run(stop)
            except* Fenced as fenced:
                self.fenced.add(p)
                log_line.warning("fenced", service=self.service.name, partition=p, why=str(fenced))
            if p in self.fenced:
                del self.partitions[p]  # and its rows
                if self.clock.now_ms() - begun > FENCED_MOST_MS:
                    pause = FENCED_MS
                await self._wait(stop, pause)
                pause = min(2 * pause, FENCED_MOST_MS)
                self.fenced.discard(p)

    async def _wait(self, stop: asyncio.Event, ms: int) -> None:
        stopping = asyncio.ensure_future(stop.wait())
        try:
            await done_within(self.clock, stopping, ms)
        finally:
            stopping.cancel()

    def ready(self) -> dict[str, bool]:
        """Returns, for each owned partition, whether it has caught up with its inputs once."""
        return {
            f"{self.service.name}-{p}": p in self.partitions
            and self.partitions[p].figures.caught_up
            for p in self.owned
        }
