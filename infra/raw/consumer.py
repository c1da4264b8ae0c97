"""Reads partitions as anybody's consumer does, by the client library's own: committed records only, as it says."""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from infra.log.port import TP, Bounds

WAIT_MS = 500
MOST = 5_000


async def consumed(
    bootstrap: str, spans: Mapping[TP, Bounds], **security: Any
) -> AsyncIterator[tuple[TP, Sequence[Any]]]:
    """Yields the library's records of each partition, from start on and below end. Raises: KafkaError."""
    wanted = {TopicPartition(*tp): span for tp, span in spans.items() if span.start < span.end}
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="none",
        **security,
    )
    await consumer.start()
    try:
        consumer.assign(list(wanted))
        for tp, span in wanted.items():
            consumer.seek(tp, span.start)
        open_ = set(wanted)
        while open_:
            for tp, records in (
                await consumer.getmany(timeout_ms=WAIT_MS, max_records=MOST)
            ).items():
                yield (tp.topic, tp.partition), [r for r in records if r.offset < wanted[tp].end]
            for tp in list(open_):
                if await consumer.position(tp) >= wanted[tp].end:
                    open_.discard(tp)
                    consumer.pause(tp)
    finally:
        await consumer.stop()
