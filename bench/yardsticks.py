"""What the benches measure against: the bare driver doing the least that could be called the job."""

from collections.abc import Sequence
from time import perf_counter, process_time
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from events.topics import Topic


async def consume(bootstrap: str, tps: Sequence[TopicPartition], count: int) -> tuple[float, float]:
    """Returns the seconds and the CPU seconds that a bare consumer takes to read so many records."""
    begun, cpu, read = perf_counter(), process_time(), 0
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False) as consumer:
        begin(consumer, tps)
        while read < count:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                read += len(records)
    return perf_counter() - begun, process_time() - cpu


def begin(consumer: AIOKafkaConsumer, tps: Sequence[TopicPartition]) -> None:
    """Has the consumer read these partitions from their first record on."""
    consumer.assign(tps)
    for tp in tps:
        consumer.seek(tp, 0)


def places(topics: Sequence[Topic[Any]], partitions: int) -> list[TopicPartition]:
    """Returns every partition of the topics. partitions: of an account topic."""
    return [
        TopicPartition(topic.name, p)
        for topic in topics
        for p in range(topic.partitions or partitions)
    ]
