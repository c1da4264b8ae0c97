"""The servers of tests/stack.py answer, with the settings that the design needs."""

import aioboto3
import pytest
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import UnknownTopicOrPartitionError
from redis.asyncio import Redis

pytestmark = pytest.mark.stack


async def test_kafka_stamps_a_record_itself(kafka: str) -> None:
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    await admin.create_topics([NewTopic("stamped", 1, 1)])
    await admin.close()
    async with AIOKafkaProducer(bootstrap_servers=kafka) as producer:
        answer = await producer.send_and_wait("stamped", b"x", timestamp_ms=1)
    assert answer.timestamp > 1


async def test_kafka_makes_no_topic_by_itself(kafka: str) -> None:
    async with AIOKafkaProducer(bootstrap_servers=kafka, request_timeout_ms=500) as producer:
        with pytest.raises(UnknownTopicOrPartitionError):
            await producer.send_and_wait("never-made", b"x")


async def test_dynamodb_answers(dynamodb: str) -> None:
    session = aioboto3.Session(
        aws_access_key_id="local", aws_secret_access_key="local", region_name="local"
    )
    async with session.client("dynamodb", endpoint_url=dynamodb) as client:
        await client.create_table(
            TableName="answers",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            BillingMode="PAY_PER_REQUEST",
        )
        assert "answers" in (await client.list_tables())["TableNames"]


async def test_redis_keeps_what_it_is_told(redis: str) -> None:
    async with Redis.from_url(redis) as client:
        assert (await client.config_get("appendonly"))["appendonly"] == "yes"
