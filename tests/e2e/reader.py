"""A plain reader of the topics: an ordinary consumer, from the first record to the end."""

import asyncio

from aiokafka import AIOKafkaConsumer, TopicPartition

from events.topics import TOPICS
from infra.log.port import TP, Record
from tests.books import Books, Violation, check


async def closed_books(bootstrap: str, patience_s: float = 30) -> Books:
    """Returns the books once they are closed: no client waits for the tape, so it may be a moment behind. Raises:
    Violation if they are not exact by then.
    """
    deadline = asyncio.get_running_loop().time() + patience_s
    while True:
        read = await read_books(bootstrap)
        try:
            check(read)
        except Violation:
            if asyncio.get_running_loop().time() > deadline:
                raise
        else:
            return read


async def read_books(bootstrap: str, partitions: int = 2) -> Books:
    """Returns all that stands in the contract topics at this moment."""
    tps = [
        TopicPartition(topic.name, p)
        for topic in TOPICS
        for p in range(topic.partitions or partitions)
    ]
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        enable_auto_commit=False,
        auto_offset_reset="none",
        check_crcs=True,
    )
    await consumer.start()
    try:
        consumer.assign(tps)
        starts, ends = await consumer.beginning_offsets(tps), await consumer.end_offsets(tps)
        for tp in tps:
            consumer.seek(tp, starts[tp])
        records: dict[TP, list[Record]] = {(tp.topic, tp.partition): [] for tp in tps}
        while [tp for tp in tps if await consumer.position(tp) < ends[tp]]:
            for tp, batch in (await consumer.getmany(timeout_ms=500)).items():
                records[tp.topic, tp.partition] += [
                    Record(
                        r.topic,
                        r.partition,
                        r.offset,
                        r.timestamp,
                        r.key,
                        r.value,
                        tuple(r.headers),
                    )
                    for r in batch
                    if r.offset < ends[tp]
                ]
    finally:
        await consumer.stop()
    return Books(records)
