"""What a cluster's topics are set to, by Kafka's names."""

from collections.abc import Mapping
from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError

from infra.unavailable import Unavailable


class Shape(NamedTuple):
    partitions: int
    settings: Mapping[str, str]


async def shapes(bootstrap: str, **security: Any) -> dict[str, Shape]:
    """Returns the cluster's topics by name, Kafka's own left out. Raises: Unavailable."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **security)
    try:
        await admin.start()
        described = await admin.describe_topics()
        partitions = {t["topic"]: len(t["partitions"]) for t in described if not t["is_internal"]}
        asked = [ConfigResource(ConfigResourceType.TOPIC, name) for name in partitions]
        answers = await admin.describe_configs(asked) if asked else ()
        return {
            name: Shape(partitions[name], {key: value for key, value, *_ in entries})
            for answer in answers
            for _, _, _, name, entries in answer.resources
        }
    except KafkaConnectionError as failure:
        raise Unavailable("kafka") from failure
    finally:
        await admin.close()
