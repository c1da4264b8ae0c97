"""Where a request's messages lie in the log, found by the correlation id that all of them carry."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import NamedTuple, Self

from events.topics import TOPICS
from infra.log.listing import Found
from infra.log.port import TP, Log, Reader
from ops.reading import WAIT_MS, in_time
from ops.tail import decode

PATIENCE_S = 10


class Missing(Exception):
    """Messages that a request must lead to did not come to lie in the log."""


class Trace(NamedTuple):
    """A message's place. time: of its append, ms since the epoch."""

    topic: str
    partition: int
    offset: int
    type: str
    time: int


class Traces:
    """Follows every topic of accounts from where it stood."""

    def __init__(self, reader: Reader, patience_s: int = PATIENCE_S) -> None:
        self._reader, self._patience_s = reader, patience_s
        self._found: dict[str, list[Trace]] = defaultdict(list)

    @classmethod
    async def begin(cls, log: Log, cluster: Mapping[str, Found]) -> Self:
        """Returns them from this moment on."""
        bounds = await log.bounds(account_partitions(cluster))
        return cls(await log.reader({tp: end for tp, (_, end) in bounds.items()}))

    async def of(self, correlation_id: str, causes: Collection[str]) -> list[Trace]:
        """Returns the messages of the request, by time, once all those types are among them. Raises: Missing."""
        found = self._found[correlation_id]
        try:
            async with asyncio.timeout(self._patience_s):
                while not {trace.type for trace in found}.issuperset(causes):
                    await self._read()
        except TimeoutError:
            late = set(causes) - {trace.type for trace in found}
            raise Missing(f"no {', '.join(sorted(late))} within {self._patience_s} s") from None
        return sorted(found, key=lambda trace: trace.time)

    async def stop(self) -> None:
        await self._reader.stop()

    async def _read(self) -> None:
        for record in in_time(await self._reader.fetch(WAIT_MS)):
            _, kind, name, body = decode(record)
            if kind == "message":
                place = (record.topic, record.partition, record.offset)
                trace = Trace(*place, name, record.timestamp)
                self._found[body["correlation_id"]].append(trace)


def account_partitions(cluster: Mapping[str, Found]) -> list[TP]:
    """Returns all partitions of the contract's topics that belong to accounts."""
    return [
        (topic.name, p)
        for topic in TOPICS
        if topic.key == "account_id"
        for p in range(cluster[topic.name].partitions)
    ]
