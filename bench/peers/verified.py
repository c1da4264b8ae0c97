"""What came out of a course, read as any consumer reads it: each command's event once, every balance right."""

from typing import NamedTuple

from aiokafka import AIOKafkaConsumer, TopicPartition

from bench.orders import order_number
from bench.peers.job import Books, Course, service
from bench.yardsticks import begin
from infra.log.kafka import KafkaLog
from infra.shell.emission import CONTROL

COMMITTED = {"isolation_level": "read_committed"}


class Times(NamedTuple):
    """Ms of the log's own clock: when the first event stood there, half of them, and the last."""

    first: int
    half: int
    last: int


async def verified(bootstrap: str, course: Course, count: int) -> Times:
    """Raises: AssertionError unless the events are exactly those of the first so many commands."""
    books, tp, end = Books(), TopicPartition(course.events, 0), await end_of(bootstrap, course)
    decode, stamps = service(course).writes.decode, []
    async with AIOKafkaConsumer(
        bootstrap_servers=bootstrap, enable_auto_commit=False, **COMMITTED
    ) as consumer:
        begin(consumer, [tp])
        while await consumer.position(tp) < end:
            for record in (await consumer.getmany(timeout_ms=500)).get(tp, ()):
                if CONTROL not in record.headers:
                    event = decode(record.value)
                    books.enter(order_number(event.command_id), event)
                    stamps.append(record.timestamp)
    assert books.answered == count, f"{books.answered} of {count} answered"
    return Times(stamps[0], stamps[count // 2], stamps[-1])


async def end_of(bootstrap: str, course: Course) -> int:
    log, tp = KafkaLog(bootstrap), (course.events, 0)
    try:
        return (await log.bounds([tp]))[tp].end
    finally:
        await log.stop()
