"""What a cluster must have before anything runs: topics as events/topics.py says, the stores' tables."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from importlib import import_module
from typing import Any

import structlog
from pydantic import Field

from events.topics import DAY, MEBIBYTE, TOPICS, Topic
from infra.log.admin import Mismatch, brokers, ensure
from infra.log.fence import LEASE_MS
from infra.log.port import TopicSpec
from infra.process.run import Program
from infra.process.settings import HistorySettings
from infra.shell.service import Service
from infra.stores.dynamodb import connect
from infra.stores.users import ensure_tables
from infra.views import history
from ops.stack import processes

SHELL_SERVICES: tuple[Service, ...] = tuple(
    import_module(f"services.{name}.app").SERVICE for name in processes.SHELL_SERVICES
)
COMPACTION = {
    "segment.bytes": str(64 * MEBIBYTE),
    "min.cleanable.dirty.ratio": "0.1",
    "delete.retention.ms": str(DAY),
}
"""Of state topics: compacted early, and markers and tombstones outlive any restart by far."""
REMEMBERED_MS = 4 * LEASE_MS
"""For how long a broker must remember a silent producer, else a fence that its owner relies on may be forgotten."""
log = structlog.get_logger()


class ClusterSettings(HistorySettings):
    """replication: on how many brokers each topic stands; all but one of them must take a record."""

    replication: int = Field(default=1, ge=1)


def topic_specs(partitions: int, replication: int = 1) -> list[TopicSpec]:
    """Returns every topic of a cluster whose account topics have that many partitions."""
    return [
        *(contract_topic(topic, partitions, replication) for topic in TOPICS),
        *(spec for service in SHELL_SERVICES for spec in sides(service, partitions, replication)),
    ]


def contract_topic(topic: Topic[Any], partitions: int, replication: int) -> TopicSpec:
    return TopicSpec(
        topic.name,
        topic.partitions or partitions,
        compacted=topic.compacted,
        retention_ms=topic.retention_days and topic.retention_days * DAY,
        max_message_bytes=topic.max_message_bytes,
        compression=topic.compression,
        replication=replication,
        min_insync=max(1, replication - 1),
    )


def sides(service: Service, partitions: int, replication: int) -> Sequence[TopicSpec]:
    """Returns the service's state topic, and the dead-letter topic of each of its inputs: twice as wide."""
    insync = max(1, replication - 1)
    state, *dead = service.sides(0)
    widest = 2 * max(topic.max_message_bytes for topic in service.topics.values())
    return [
        TopicSpec(
            state[0],
            partitions,
            compacted=True,
            replication=replication,
            min_insync=insync,
            settings=COMPACTION,
        ),
        *(
            TopicSpec(
                name,
                partitions,
                max_message_bytes=widest,
                replication=replication,
                min_insync=insync,
            )
            for name, _ in dead
        ),
    ]


async def require_brokers(bootstrap: str) -> None:
    """Raises: Mismatch if a broker would make a topic by itself or forget a fence too early."""
    wrong = [
        f"broker {node}: {difference}"
        for node, found in (await brokers(bootstrap)).items()
        for difference in differences(found)
    ]
    if wrong:
        raise Mismatch("\n".join(wrong))


def differences(broker: Mapping[str, str]) -> Iterator[str]:
    """Yields what must not stay as it is."""
    if broker["auto.create.topics.enable"] != "false":
        yield "auto.create.topics.enable is true, must be false"
    for name in ("transactional.id.expiration.ms", "producer.id.expiration.ms"):
        if int(broker[name]) < REMEMBERED_MS:
            yield f"{name} is {broker[name]}, must be at least {REMEMBERED_MS}"


async def provision(settings: ClusterSettings, _stop: asyncio.Event) -> None:
    """Makes what is missing and changes nothing that is there. Raises: Mismatch if that is not as it must be."""
    await require_brokers(settings.kafka)
    specs = topic_specs(settings.partition_count, settings.replication)
    made = await ensure(specs, settings.kafka)
    log.info("topics_made", count=len(made))
    async with connect(settings.dynamodb) as client:
        made = [*await ensure_tables(client), *await history.ensure_tables(client)]
        log.info("tables_made", tables=made)


main = Program(provision, ClusterSettings)
