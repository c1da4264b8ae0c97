"""What the benches measure against: the bare driver or server doing the least that could be called the job."""

from time import perf_counter, process_time

from aiokafka import AIOKafkaConsumer, TopicPartition


async def consume(bootstrap: str, topic: str, p: int, count: int) -> tuple[float, float]:
    """Returns the seconds and the CPU seconds that a bare consumer takes to read so many records."""
    begun, cpu = perf_counter(), process_time()
    tp, read = TopicPartition(topic, p), 0
    async with AIOKafkaConsumer(bootstrap_servers=bootstrap, enable_auto_commit=False) as consumer:
        consumer.assign([tp])
        consumer.seek(tp, 0)
        while read < count:
            for records in (await consumer.getmany(timeout_ms=500)).values():
                read += len(records)
    return perf_counter() - begun, process_time() - cpu
