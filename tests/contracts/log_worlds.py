"""Two worlds for one contract: the twin's brokers, and Kafka's."""

import uuid
from collections.abc import Mapping, Sequence
from random import Random
from typing import Protocol

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete

from infra.log.admin import ensure
from infra.log.clock import SystemClock
from infra.log.kafka import KafkaLog
from infra.log.life import Faults, Life
from infra.log.memory import MemoryLog
from infra.log.port import TP, Appended, Clock, Draft, Log, Record, TopicSpec, Writer

CLAIM = Draft(b"control:claim", b"claim", (("kind", b"control"),))
EAGER = {  # whatever is not in the newest segment is compacted at the next look of the cleaner
    "segment.ms": "100",
    "min.cleanable.dirty.ratio": "0.01",
    "delete.retention.ms": "60000",
}


class World(Protocol):
    """Brokers, and what may happen to a log from outside."""

    clock: Clock

    async def topic(
        self, partitions: int = 1, *, compacted: bool = False, max_message_bytes: int = 1_048_588
    ) -> str:
        """Returns the name of a new topic."""

    def log(self) -> Log:
        """Returns the log as a process of its own sees it."""

    async def put(self, tp: TP, drafts: Sequence[Draft]) -> None:
        """Appends without a fence, as anybody with write rights could."""

    async def compact(self, tp: TP) -> None:
        """Has all that stands there now compacted, soon; appends a filler record."""

    async def delete_before(self, tp: TP, offset: int) -> None:
        """Moves the log's start."""

    async def close(self) -> None: ...


class MemoryWorld:
    def __init__(self, seed: int = 0) -> None:
        self.brokers, self._random = MemoryLog(), Random(seed)
        self.clock: Clock = self.brokers.clock

    async def topic(
        self, partitions: int = 1, *, compacted: bool = False, max_message_bytes: int = 1_048_588
    ) -> str:
        name = f"topic-{len(self.brokers.partitions)}"
        spec = TopicSpec(name, partitions, compacted, max_message_bytes=max_message_bytes)
        self.brokers.create([spec])
        return name

    def log(self) -> Log:
        return Life(self.brokers, Faults(rng=self._random, transit_ms=2))

    async def put(self, tp: TP, drafts: Sequence[Draft]) -> None:
        self.brokers.put(tp, drafts)

    async def compact(self, tp: TP) -> None:
        end = self.brokers.bounds(tp).end
        self.brokers.put(tp, [Draft(b"filler", b"")])
        self.brokers.compact(tp, end)

    async def delete_before(self, tp: TP, offset: int) -> None:
        self.brokers.delete_before(tp, offset)

    async def close(self) -> None:
        pass


class KafkaWorld:
    def __init__(self, bootstrap: str) -> None:
        self._bootstrap = bootstrap
        self._logs: list[KafkaLog] = []
        self.clock: Clock = SystemClock()

    async def topic(
        self, partitions: int = 1, *, compacted: bool = False, max_message_bytes: int = 1_048_588
    ) -> str:
        name, settings = f"topic-{uuid.uuid4().hex[:12]}", EAGER if compacted else {}
        spec = TopicSpec(
            name, partitions, compacted, max_message_bytes=max_message_bytes, settings=settings
        )
        await ensure([spec], self._bootstrap)
        return name

    def log(self) -> Log:
        self._logs.append(KafkaLog(self._bootstrap, confirm_ms=300))
        return self._logs[-1]

    async def put(self, tp: TP, drafts: Sequence[Draft]) -> None:
        producer = AIOKafkaProducer(bootstrap_servers=self._bootstrap, max_batch_size=1_000_000)
        await producer.start()
        try:
            batch = producer.create_batch()
            for key, value, headers in drafts:
                assert batch.append(timestamp=None, key=key, value=value, headers=list(headers))
            await (await producer.send_batch(batch, tp[0], partition=tp[1]))
        finally:
            await producer.stop()

    async def compact(self, tp: TP) -> None:
        await self.clock.sleep(150)  # longer than segment.ms: the next record opens a segment
        await self.put(tp, [Draft(b"filler", b"")])

    async def delete_before(self, tp: TP, offset: int) -> None:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._bootstrap)
        await admin.start()
        try:
            await admin.delete_records({TopicPartition(*tp): RecordsToDelete(offset)})
        finally:
            await admin.close()

    async def close(self) -> None:
        for log in self._logs:
            await log.stop()


async def read(log: Log, tp: TP, start: int = 0) -> list[Record]:
    """Returns all records from an offset to the end."""
    return (await read_all(log, {tp: start}))[tp]


async def read_all(log: Log, positions: Mapping[TP, int]) -> dict[TP, list[Record]]:
    found: dict[TP, list[Record]] = {tp: [] for tp in positions}
    reader = await log.reader(positions)
    try:
        while not all(reader.drained(tp) for tp in positions):
            for tp, records in (await reader.fetch(100)).items():
                found[tp] += records
    finally:
        await reader.stop()
    return found


def values(*texts: str) -> list[Draft]:
    return [Draft(b"key", text.encode()) for text in texts]


async def own(log: Log, *tps: TP) -> Writer:
    return await log.take_over(f"owner-of-{tps[0][0]}", tps, CLAIM)


async def append(writer: Writer, tp: TP, drafts: Sequence[Draft]) -> Appended:
    batch = writer.batch(tp)
    for draft in drafts:
        batch.add(draft)
    return await writer.append(batch)


async def texts(log: Log, tp: TP, start: int = 0) -> list[str]:
    return [(r.value or b"").decode() for r in await read(log, tp, start)]
