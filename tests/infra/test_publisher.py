"""The publisher's contract, held by the twin and by Kafka."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple
from uuid import uuid4

import pytest

from events.ids import partition_of
from events.topics import USER_EVENTS, Topic
from events.user import UserMessage, UserRegistered
from infra.log.admin import ensure
from infra.log.kafka import KafkaLog
from infra.log.port import TopicSpec
from infra.publisher import MemoryPublisher, Position, Publisher, publishing
from infra.unavailable import Unavailable

PARTITIONS = 2
PATIENCE = 10  # s


class World(NamedTuple):
    """A publisher, a topic of its own, and what a reader finds at a position."""

    publisher: Publisher
    topic: Topic[UserMessage]
    read: Callable[[Position], Awaitable[UserMessage]]


def topic() -> Topic[UserMessage]:
    return Topic(
        name=f"user.events.{uuid4()}", carries=UserMessage, writer="gateway", about="A test's."
    )


def event() -> UserRegistered:
    return UserRegistered(
        id=str(uuid4()), account_id=str(uuid4()), occurred_at=1, correlation_id="request-1"
    )


@pytest.fixture(params=["memory", pytest.param("kafka", marks=pytest.mark.stack)])
async def world(request: pytest.FixtureRequest) -> AsyncIterator[World]:
    own = topic()
    if request.param == "memory":
        twin = MemoryPublisher()

        async def recall(position: Position) -> UserMessage:
            found: UserMessage = twin.read(own)[position.offset]
            return found

        yield World(twin, own, recall)
        return
    kafka: str = request.getfixturevalue("kafka")
    await ensure([TopicSpec(own.name, PARTITIONS)], kafka)
    log = KafkaLog(kafka)

    async def read(position: Position) -> UserMessage:
        tp = (position.topic, position.partition)
        reader = await log.reader({tp: position.offset})
        async with asyncio.timeout(PATIENCE):
            while not (records := (await reader.fetch(1_000)).get(tp)):
                pass
        await reader.stop()
        record = records[0]
        decoded = own.decode(record.value or b"")
        assert record.key == decoded.account_id.encode()
        assert record.headers == (("content-type", b"application/json"),)
        assert record.partition == partition_of(decoded.account_id, PARTITIONS)
        return decoded

    async with publishing(kafka, PARTITIONS) as publisher:
        yield World(publisher, own, read)
    await log.stop()


async def test_what_is_published_lies_where_it_says(world: World) -> None:
    events = [event() for _ in range(10)]
    positions = [await world.publisher.publish(world.topic, one) for one in events]
    assert [await world.read(position) for position in positions] == events


async def test_many_at_once_each_have_a_place(world: World) -> None:
    events = [event() for _ in range(100)]
    at_once = (world.publisher.publish(world.topic, one) for one in events)
    positions = await asyncio.gather(*at_once)
    assert len(set(positions)) == len(events)
    assert await world.read(positions[-1]) == events[-1]


async def test_a_log_that_is_away_says_so() -> None:
    twin = MemoryPublisher()
    twin.away = True
    with pytest.raises(Unavailable, match="kafka"):
        await twin.publish(USER_EVENTS, event())


@pytest.mark.stack
async def test_a_topic_that_is_not_there_is_a_log_that_is_away(kafka: str) -> None:
    async with publishing(kafka, PARTITIONS) as publisher:
        with pytest.raises(Unavailable, match="kafka"):
            await publisher.publish(topic(), event())
