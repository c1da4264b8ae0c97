"""All partitions that a process owns of one service. What raises here ends the process; the restart heals."""

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

import structlog

from infra.log.port import Clock, Fenced, Log

from .partition import Partition
from .service import Service

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
            self.partitions[p] = self._make(p=p)
            try:
                await self.partitions[p].run(stop)
            except* Fenced as fenced:
                self.fenced.add(p)
                log_line.warning("fenced", service=self.service.name, partition=p, why=str(fenced))
            if p in self.fenced and not stop.is_set():
                await self.clock.sleep(pause)
                pause = min(2 * pause, FENCED_MOST_MS)
                self.fenced.discard(p)

    def ready(self) -> dict[str, bool]:
        """Returns, for each owned partition, whether it has caught up with its inputs once."""
        return {
            f"{self.service.name}-{p}": p in self.partitions
            and self.partitions[p].figures.caught_up
            for p in self.owned
        }
