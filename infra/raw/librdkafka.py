"""Reads partitions by librdkafka, as consumers in most languages do, committed records and others alike."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any, NamedTuple

from confluent_kafka import Consumer, KafkaError, KafkaException, Message, TopicPartition

from infra.log.port import TP, Bounds

WAIT_S = 0.5
MOST = 5_000


class Read(NamedTuple):
    offset: int
    value: bytes | None


async def by_librdkafka(
    bootstrap: str, spans: Mapping[TP, Bounds]
) -> AsyncIterator[tuple[TP, Sequence[Read]]]:
    """Yields the records of each partition, from start on and below end. Raises: KafkaException."""
    options: dict[str, Any] = {
        "bootstrap.servers": bootstrap,
        "group.id": "audit",  # it wants a name, and joins no group
        "enable.auto.commit": False,
        "enable.partition.eof": True,
        "isolation.level": "read_uncommitted",
        "auto.offset.reset": "error",
    }
    open_ = {tp: span for tp, span in spans.items() if span.start < span.end}
    consumer = Consumer(options)
    try:
        consumer.assign([TopicPartition(*tp, span.start) for tp, span in open_.items()])
        while open_:
            found: dict[TP, list[Read]] = defaultdict(list)
            for message in await asyncio.to_thread(consumer.consume, MOST, WAIT_S):
                tp = message.topic() or "", message.partition() or 0
                if is_at_end(message, open_.get(tp)):
                    open_.pop(tp, None)
                else:
                    found[tp].append(Read(message.offset() or 0, message.value()))
            for tp, records in found.items():
                yield tp, records
    finally:
        await asyncio.to_thread(consumer.close)


def is_at_end(message: Message, span: Bounds | None) -> bool:
    """Returns whether nothing more of its partition is wanted. Raises: KafkaException."""
    if error := message.error():
        if error.code() == KafkaError._PARTITION_EOF:
            return True
        raise KafkaException(error)
    return span is None or (message.offset() or 0) >= span.end
