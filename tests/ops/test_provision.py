"""What a cluster must have: every topic from the one table, and brokers that remember a fence."""

import asyncio

import pytest
from aiokafka import AIOKafkaProducer

from events.topics import ORDER_COMMANDS, TOPICS
from infra.log.admin import Mismatch
from ops.provision import (
    REMEMBERED_MS,
    SHELL_SERVICES,
    ClusterSettings,
    differences,
    provision,
    require_brokers,
    topic_specs,
)
from tests.stack import serve

REPEATED = b"again and " * 500
GOOD = {
    "auto.create.topics.enable": "false",
    "transactional.id.expiration.ms": str(REMEMBERED_MS),
    "producer.id.expiration.ms": str(REMEMBERED_MS),
}


def test_every_topic_is_made_once_with_its_writers_sides() -> None:
    names = [spec.name for spec in topic_specs(2)]
    assert len(set(names)) == len(names)
    assert {topic.name for topic in TOPICS} <= set(names)
    for service in SHELL_SERVICES:
        assert {name for name, _ in service.sides(0)} <= set(names)


def test_a_dead_letter_topic_takes_twice_its_origins_largest_record() -> None:
    largest = {spec.name: spec.max_message_bytes for spec in topic_specs(2)}
    for service in SHELL_SERVICES:
        for topic in service.topics.values():
            assert largest[service.dead_letters(topic.name, 0)[0]] >= 2 * largest[topic.name]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("auto.create.topics.enable", "true"),
        ("transactional.id.expiration.ms", "3600000"),
        ("producer.id.expiration.ms", "86399"),
    ],
)
def test_a_broker_that_would_forget_a_fence_is_named(name: str, value: str) -> None:
    assert list(differences(GOOD)) == []
    assert [line.split()[0] for line in differences(GOOD | {name: value})] == [name]


@pytest.mark.stack
async def test_a_cluster_with_other_partitions_is_refused() -> None:
    servers = serve("provision", "kafka", "dynamodb").endpoints()
    settings = ClusterSettings(
        kafka=servers["kafka"], dynamodb=servers["dynamodb"], partition_count=2
    )
    await require_brokers(servers["kafka"])
    await provision(settings, asyncio.Event())
    await provision(settings, asyncio.Event())
    wider = settings.model_copy(update={"partition_count": 3})
    with pytest.raises(Mismatch, match=r"order\.events\.v1: partitions is 2, must be 3"):
        await provision(wider, asyncio.Event())


@pytest.mark.stack
async def test_what_a_writer_compresses_is_stored_as_every_reader_can_read_it() -> None:
    folder = serve("provision", "kafka", "dynamodb")
    servers = folder.endpoints()
    await provision(
        ClusterSettings(kafka=servers["kafka"], dynamodb=servers["dynamodb"]), asyncio.Event()
    )
    async with AIOKafkaProducer(
        bootstrap_servers=servers["kafka"], compression_type="gzip"
    ) as producer:
        await producer.send_and_wait(ORDER_COMMANDS.name, REPEATED, partition=0)
    (segment,) = folder.data("kafka").glob(f"*/{ORDER_COMMANDS.name}-0/*.log")
    assert REPEATED in segment.read_bytes()
