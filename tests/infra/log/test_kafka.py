"""What only a real broker can show."""

import uuid
from contextlib import nullcontext

import pytest
from aiokafka.errors import KafkaError
from aiokafka.protocol.fetch import FetchRequest
from aiokafka.protocol.transaction import InitProducerIdRequest
from aiokafka.record.memory_records import MemoryRecords

from infra.log.admin import Mismatch, ensure
from infra.log.cluster import Cluster
from infra.log.fence import ROTATE_AT, fence
from infra.log.kafka import KafkaLog
from infra.log.port import MAX_BATCH, TP, Draft, Fenced, TopicSpec

CLAIM = Draft(b"control:claim", b"claim")
pytestmark = pytest.mark.stack


def topic() -> TopicSpec:
    return TopicSpec(f"topic-{uuid.uuid4().hex[:12]}")


async def batches(bootstrap: str, tp: TP) -> list[tuple[int, int, int, bool]]:
    """Returns of each batch: producer id, epoch, records, whether it is a marker."""
    cluster = await Cluster.connect({"bootstrap_servers": bootstrap})
    await cluster.require([tp])
    request = FetchRequest(0, 1, 8 << 20, 0, [(tp[0], [(tp[1], 0, 8 << 20)])])
    answer = await cluster.send(cluster.leader(tp), request)
    await cluster.stop()
    found, encoded = [], MemoryRecords(answer.topics[0][1][0][-1])
    while encoded.has_next():
        b = encoded.next_batch()
        records = b.last_offset_delta + 1
        found.append((b.producer_id, b.producer_epoch, records, b.is_control_batch))
    return found


async def test_a_batch_is_one_record_batch_with_the_epoch_after_the_markers(kafka: str) -> None:
    spec = topic()
    tp = (spec.name, 0)
    await ensure([spec], kafka)
    log = KafkaLog(kafka)
    writer = await log.take_over(spec.name, [tp], CLAIM)
    batch = writer.batch(tp)
    while batch.free >= 1_000:
        batch.add(Draft(b"k", b"x" * 100))
    await writer.append(batch)
    await writer.refence()
    last = writer.batch(tp)
    last.add(Draft(b"k", b"v"))
    await writer.append(last)
    await writer.stop()
    await log.stop()

    found = await batches(kafka, tp)
    (producer,) = {header[0] for header in found}
    assert found == [
        (producer, 0, 1, True),
        (producer, 1, 1, False),
        (producer, 1, len(batch), False),
        (producer, 2, 1, True),
        (producer, 3, 1, False),
    ]
    assert len(batch) > 5_000


async def initialise_up_to(bootstrap: str, owner: str, epoch: int) -> None:
    """Has the owner's name begun so many times."""
    cluster = await Cluster.connect({"bootstrap_servers": bootstrap})
    await cluster.require([(owner, 0)])
    request = InitProducerIdRequest(transactional_id=owner, transaction_timeout_ms=10_000)
    node, reached = cluster.leader((owner, 0)), -1
    while reached < epoch:  # an error is a coordinator that still loads: its epoch is -1
        reached = (await cluster.send(node, request)).producer_epoch
    await cluster.stop()


async def test_an_owner_keeps_no_epoch_near_the_last(kafka: str) -> None:
    spec = topic()
    tp = (spec.name, 0)
    await ensure([spec], kafka)
    log = KafkaLog(kafka)
    older = await log.take_over(spec.name, [tp], CLAIM)
    await initialise_up_to(kafka, spec.name, ROTATE_AT - 2)

    newer = await log.take_over(spec.name, [tp], CLAIM)

    for writer, refused in ((older, True), (newer, False)):
        batch = writer.batch(tp)
        batch.add(Draft(b"k", b"v"))
        with pytest.raises(Fenced) if refused else nullcontext():
            await writer.append(batch)
        await writer.stop()
    await log.stop()
    ids, epochs, _, _ = zip(*await batches(kafka, tp), strict=True)
    assert epochs == (0, 1, ROTATE_AT - 1, 0, 0)
    assert ids[0] == ids[1] == ids[2] != ids[3] == ids[4]


async def test_topics_are_made_once(kafka: str) -> None:
    specs = [topic(), topic()._replace(partitions=3, retention_ms=604_800_000)]
    assert await ensure(specs[:1], kafka) == [specs[0].name]
    assert await ensure(specs, kafka) == [specs[1].name]
    assert await ensure(specs, kafka) == []


async def test_each_difference_of_a_topic_is_named(kafka: str) -> None:
    spec = topic()._replace(settings={"segment.bytes": "67108864"})
    await ensure([spec], kafka)
    wanted = spec._replace(
        partitions=2, compacted=True, retention_ms=1_000, settings={"segment.bytes": "1048576"}
    )
    with pytest.raises(Mismatch) as mismatch:
        await ensure([wanted], kafka)
    assert str(mismatch.value).splitlines() == [
        f"{spec.name}: cleanup.policy is 'delete', must be 'compact'",
        f"{spec.name}: partitions is 1, must be 2",
        f"{spec.name}: retention.ms is '-1', must be '1000'",
        f"{spec.name}: segment.bytes is '67108864', must be '1048576'",
    ]


async def test_nothing_is_sent_once_brokers_may_have_forgotten_the_producer(kafka: str) -> None:
    spec = topic()
    tp = (spec.name, 0)
    await ensure([spec], kafka)
    log = KafkaLog(kafka)
    session = await fence(log, spec.name, [tp], MAX_BATCH)
    batch = session.batch(tp)
    batch.add(Draft(b"k", b"late"))
    with pytest.raises(KafkaError, match="asleep"):
        await session.produce(batch, log.alive_ms() - 1)
    await session.stop()
    await log.stop()
    assert [control for *_, control in await batches(kafka, tp)] == [True]
