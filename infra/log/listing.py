"""Which topics a cluster has, and how long it keeps what stands in them."""

from typing import Any, NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaConnectionError

from infra.unavailable import Unavailable


class Found(NamedTuple):
    """A topic as the cluster has it. retention_ms: None if for ever."""

    name: str
    partitions: int
    compacted: bool
    retention_ms: int | None


async def topics(bootstrap: str, **security: Any) -> dict[str, Found]:
    """Returns the cluster's topics by name, Kafka's own left out. Raises: Unavailable."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap, **security)
    try:
        await admin.start()
        shapes = {
            topic["topic"]: len(topic["partitions"])
            for topic in await admin.describe_topics()
            if not topic["is_internal"]
        }
        names = [ConfigResource(ConfigResourceType.TOPIC, name) for name in sorted(shapes)]
        found = {}
        for answer in await admin.describe_configs(names) if names else ():
            for _, _, _, name, entries in answer.resources:
                settings = {key: value for key, value, *_ in entries}
                kept = int(settings["retention.ms"])
                found[name] = Found(
                    name,
                    shapes[name],
                    compacted="compact" in settings["cleanup.policy"],
                    retention_ms=None if kept < 0 else kept,
                )
    except KafkaConnectionError as failure:
        raise Unavailable("kafka") from failure
    finally:
        await admin.close()
    return found
