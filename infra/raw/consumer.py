"""Reads partitions as anybody's consumers do: by two client libraries' own, one that says which records it wants
committed and one that doesn't care.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any

from aiokafka import AIOKafkaConsumer, TopicPartition

from infra.log.port import TP, Bounds

Consumed = AsyncIterator[tuple[TP, Sequence[Any]]]
"""A library's records of each partition, each with an offset and a value."""

WAIT_MS = 500
MOST = 5_000


async def by_aiokafka(bootstrap: str, spans: Mapping[TP, Bounds]) -> Consumed:
    """Yields the committed records of each partition, from start on and below end. Raises: KafkaError."""
    wanted = {TopicPartition(*tp): span for tp, span in spans.items() if span.start < span.end}
    if not wanted:
        return
    consumer = AIOKafkaConsumer(
        bootstrap_servers=bootstrap,
        isolation_level="read_committed",
        enable_auto_commit=False,
        auto_offset_reset="none",
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


READERS: dict[str, Callable[[str, Mapping[TP, Bounds]], Consumed]] = {"aiokafka": by_aiokafka}

if find_spec("confluent_kafka"):  # the extra `audit`
    from infra.raw.librdkafka import by_librdkafka

    READERS["librdkafka"] = by_librdkafka
