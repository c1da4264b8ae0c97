"""Who leads a partition, and where it begins and ends: over aiokafka's client."""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from aiokafka import AIOKafkaClient, TopicPartition
from aiokafka.errors import KafkaError, StaleMetadata, for_code
from aiokafka.protocol.offset import OffsetRequest

from infra.log.port import TP, Bounds

EARLIEST, LATEST = -2, -1
BACKOFF_S = 0.1
PATIENCE = 20  # times 0.1 s for a partition made just now; ten times as many for a leader


class Cluster:
    """A connection to the brokers that knows the leaders of the partitions asked for."""

    def __init__(self, client: AIOKafkaClient) -> None:
        self._client = client
        self._topics: set[str] = set()

    @classmethod
    async def connect(cls, options: Mapping[str, Any]) -> "Cluster":
        """Returns it connected. Raises: KafkaConnectionError if no broker answers."""
        client = AIOKafkaClient(**options)
        try:
            await client.bootstrap()
        except BaseException:
            await client.close()
            raise
        return cls(client)

    async def require(self, tps: Iterable[TP]) -> None:
        """Returns when all exist. Raises: LookupError if one does not within 2 s."""
        missing = set(tps)
        if not {topic for topic, _ in missing} <= self._topics:
            self._topics |= {topic for topic, _ in missing}
            await self._client.set_topics(self._topics)
        for _ in range(PATIENCE):
            missing = {tp for tp in missing if self.leader(tp) is None}
            if not missing:
                return
            await asyncio.sleep(BACKOFF_S)
            await self.refresh()
        raise LookupError(f"no such partitions, or nobody leads them: {sorted(missing)}")

    def leader(self, tp: TP) -> int | None:
        """Returns the node that leads the partition, None if nobody does."""
        node = self._client.cluster.leader_for_partition(TopicPartition(*tp))
        return None if node is None or node < 0 else int(node)

    async def refresh(self) -> None:
        """Returns when the leaders have been asked for anew."""
        await self._client.force_metadata_update()

    async def send(self, node: int | None, request: Any) -> Any:
        """Returns the node's answer. Raises: KafkaError."""
        if node is None:
            raise StaleMetadata
        return await self._client.send(node, request)

    async def bounds(self, tps: Iterable[TP]) -> Mapping[TP, Bounds]:
        """Returns start and end of each, by their leaders. Raises: TimeoutError after 20 s."""
        partitions = tuple(tps)
        starts = await self._asked(partitions, EARLIEST)
        ends = await self._asked(partitions, LATEST)
        return {tp: Bounds(starts[tp], ends[tp]) for tp in partitions}

    async def offset_at(self, tp: TP, time_ms: int) -> int:
        """Returns the first offset appended at that time, ms, or later, else the end. As bounds."""
        found = (await self._asked([tp], max(0, time_ms)))[tp]
        return found if found >= 0 else (await self._asked([tp], LATEST))[tp]

    async def _asked(self, tps: Collection[TP], which: int) -> dict[TP, int]:
        for _ in range(10 * PATIENCE):
            try:
                return await self._offsets(tps, which)
            except KafkaError as error:
                if not error.retriable:
                    raise
                await asyncio.sleep(BACKOFF_S)
                await self.refresh()
        raise TimeoutError(f"no leader says where {tps} begin and end")

    async def stop(self) -> None:
        await self._client.close()

    async def _offsets(self, tps: Iterable[TP], which: int) -> dict[TP, int]:
        asked: dict[int | None, dict[str, list[tuple[int, int]]]] = {}
        for topic, partition in tps:
            node = asked.setdefault(self.leader((topic, partition)), defaultdict(list))
            node[topic].append((partition, which))
        found = {}
        for node_id, topics in asked.items():
            answer = await self.send(node_id, OffsetRequest(-1, 0, list(topics.items())))
            for topic, partitions in answer.topics:
                for partition, code, _, offset in partitions:
                    if code:
                        raise for_code(code)(topic, partition)
                    found[topic, partition] = offset
        return found
