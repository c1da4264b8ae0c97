"""Where a partition ends: asked again and again, it also tells whether the log is there."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka.errors import KafkaError

from infra.unavailable import Unavailable

from .cluster import Cluster
from .port import TP

WITHIN_MS, GIVEN_UP_MS = 900, 2_000


class End:
    def __init__(self, cluster: Cluster, tp: TP) -> None:
        self._cluster, self._tp = cluster, tp

    async def __call__(self) -> int:
        """Returns the offset of the next record. Raises: Unavailable if no broker says so in time."""
        try:
            async with asyncio.timeout(WITHIN_MS / 1_000):
                await self._cluster.require([self._tp])
                return (await self._cluster.bounds([self._tp]))[self._tp].end
        except (KafkaError, LookupError, TimeoutError) as failure:
            raise Unavailable("kafka") from failure


@asynccontextmanager
async def end_of(bootstrap: str, tp: TP) -> AsyncIterator[End]:
    """Returns what tells it, on a connection of its own. Raises: KafkaConnectionError if there is no broker to begin
    with.
    """
    options = {"bootstrap_servers": bootstrap, "request_timeout_ms": GIVEN_UP_MS}
    cluster = await Cluster.connect(options)
    try:
        yield End(cluster, tp)
    finally:
        await cluster.stop()
