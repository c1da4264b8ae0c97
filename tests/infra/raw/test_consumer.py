"""What any client library's consumer sees of a log that owners fence: every record, whatever it asks to be spared."""

import pytest

from infra.log.kafka import KafkaLog
from infra.log.port import TP, Bounds
from infra.raw.consumer import READERS
from tests.contracts.log_worlds import KafkaWorld, append, own, values

pytestmark = pytest.mark.stack


@pytest.fixture
async def fenced(kafka: str) -> TP:
    """Returns a partition of three owners: each left a marker and a claim, two of them two records more."""
    world = KafkaWorld(kafka)
    tp = (await world.topic(), 0)
    for pair in (("a", "b"), ("c", "d"), ()):
        writer = await own(world.log(), tp)
        if pair:
            await append(writer, tp, values(*pair))
        await writer.stop()
    await world.close()
    return tp


def test_two_libraries_are_there() -> None:
    assert set(READERS) == {"aiokafka", "librdkafka"}


@pytest.mark.parametrize("reader", READERS)
async def test_every_record_is_seen(reader: str, kafka: str, fenced: TP) -> None:
    log = KafkaLog(kafka)
    whole = (await log.bounds([fenced]))[fenced]
    await log.stop()
    assert await seen(reader, kafka, fenced, whole) == "claim a b claim c d claim"


@pytest.mark.parametrize("reader", READERS)
async def test_a_part_is_seen_alone(reader: str, kafka: str, fenced: TP) -> None:
    """Offset 0 is the first marker's."""
    assert await seen(reader, kafka, fenced, Bounds(2, 6)) == "a b claim"
    assert await seen(reader, kafka, fenced, Bounds(3, 3)) == ""


async def seen(reader: str, kafka: str, tp: TP, span: Bounds) -> str:
    read = READERS[reader](kafka, {tp: span})
    return " ".join([(r.value or b"").decode() async for _, rs in read for r in rs])
