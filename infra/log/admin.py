"""Makes the topics, and compares those that are there with what they must be."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import (
    TopicAlreadyExistsError,
    UnknownTopicOrPartitionError,
    for_code,
)

from infra.log.port import TopicSpec

PATIENCE = 50  # times 0.1 s


class Mismatch(Exception):
    """Topics that are there differ from what they must be: one line a difference."""


async def ensure(specs: Sequence[TopicSpec], bootstrap: str, **security: Any) -> list[str]:
    """Returns the names of the topics that it made. Changes none that is there.

    Raises: Mismatch; KafkaError if the brokers refuse.
    """
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **security)
    await admin.start()
    try:
        made = await create(admin, specs)
        differences = await described(admin, specs)
    finally:
        await admin.close()
    if differences:
        raise Mismatch("\n".join(differences))
    return made


async def brokers(bootstrap: str, **security: Any) -> Mapping[int, Mapping[str, str]]:
    """Returns every broker's settings by Kafka's names, by node. Raises: KafkaError if one does not answer."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **security)
    await admin.start()
    try:
        nodes = [node["node_id"] for node in (await admin.describe_cluster())["brokers"]]
        asked = [ConfigResource(ConfigResourceType.BROKER, str(node)) for node in nodes]
        answers = await admin.describe_configs(asked)
    finally:
        await admin.close()
    return {
        int(name): {key: value for key, value, *_ in entries}
        for answer in answers
        for _, _, _, name, entries in answer.resources
    }


def settings(spec: TopicSpec) -> dict[str, str]:
    """Returns the topic's settings by Kafka's names."""
    return {
        "cleanup.policy": "compact" if spec.compacted else "delete",
        "retention.ms": str(-1 if spec.retention_ms is None else spec.retention_ms),
        "max.message.bytes": str(spec.max_message_bytes),
        "min.insync.replicas": str(spec.min_insync),
        "message.timestamp.type": "LogAppendTime",  # an old record time would age out the fence
        "unclean.leader.election.enable": "false",
        "compression.type": spec.compression,
        **spec.settings,
    }


async def create(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> list[str]:
    """Returns the names of those that were not there. Raises: KafkaError."""
    topics = [
        NewTopic(s.name, s.partitions, s.replication, topic_configs=settings(s)) for s in specs
    ]
    made = []
    for name, code, *message in (await admin.create_topics(topics)).topic_errors:
        error = for_code(code)
        if not code:
            made.append(name)
        elif error is not TopicAlreadyExistsError:
            raise error(f"{name}: {message}")
    return made


async def described(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> list[str]:
    """Returns the differences, once the broker asked knows the topics just made."""
    for _ in range(PATIENCE):
        with suppress(UnknownTopicOrPartitionError):
            return await compare(admin, specs)
        await asyncio.sleep(0.1)
    return await compare(admin, specs)


async def compare(admin: AIOKafkaAdminClient, specs: Sequence[TopicSpec]) -> list[str]:
    """Returns the differences, sorted: topic, what, as it is, as it must be."""
    found: dict[str, Mapping[str, str]] = {}
    wanted = [ConfigResource(ConfigResourceType.TOPIC, spec.name) for spec in specs]
    for answer in await admin.describe_configs(wanted):
        for code, message, _, name, entries in answer.resources:
            if code:
                raise for_code(code)(f"{name}: {message}")
            found[name] = {key: value for key, value, *_ in entries}
    shapes = {t["topic"]: t["partitions"] for t in await admin.describe_topics(list(found))}
    if unknown := [name for name in found if not shapes.get(name)]:
        raise UnknownTopicOrPartitionError(unknown)
    return sorted(
        f"{spec.name}: {what} is {is_!r}, must be {must!r}"
        for spec in specs
        for what, is_, must in [
            *((key, found[spec.name].get(key), value) for key, value in settings(spec).items()),
            ("partitions", len(shapes[spec.name]), spec.partitions),
            ("replication", len(shapes[spec.name][0]["replicas"]), spec.replication),
        ]
        if is_ != must
    )
