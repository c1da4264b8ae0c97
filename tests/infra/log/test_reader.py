"""What the reader makes of records that no library of ours would write: none of them stops the log."""

import uuid
from typing import Any

import pytest

from infra.log.admin import ensure
from infra.log.kafka import KafkaLog
from infra.log.port import TopicSpec
from tests.contracts.log_worlds import read
from tests.faults.rogue import CODECS, Raw, write

pytestmark = pytest.mark.stack


@pytest.fixture
async def topic(kafka: str) -> str:
    """Returns the name of a new topic of one partition."""
    name = f"topic-{uuid.uuid4().hex[:12]}"
    await ensure([TopicSpec(name)], kafka)
    return name


async def test_a_header_name_that_is_no_text_is_read_as_java_reads_it(
    kafka: str, topic: str
) -> None:
    tp, log = (topic, 0), KafkaLog(kafka)
    await write(kafka, tp, [Raw(b"k", b"before")])
    strange = ((b"\xff\xfe", b"1"), (b"", b"2"), ("é".encode(), None), (b"\xe2\x82", b"\xff"))
    await write(kafka, tp, [Raw(b"k", b"a", strange), Raw(None, None), Raw(b"", b"", strange)])
    await write(kafka, tp, [Raw(b"k", b"behind")])

    found = await read(log, tp)
    later = await read(log, tp, start=2)
    await log.stop()

    headers: Any = (("��", b"1"), ("", b"2"), ("é", None), ("�", b"\xff"))
    assert [record.offset for record in found] == [0, 1, 2, 3, 4]
    assert [(record.key, record.value) for record in found[1:4]] == [
        (b"k", b"a"),
        (None, None),
        (b"", b""),
    ]
    assert found[1].headers == found[3].headers == headers
    assert {record.timestamp for record in found[1:4]} == {found[1].timestamp}
    assert found[1].timestamp >= found[0].timestamp > 0
    assert later == found[2:]


@pytest.mark.parametrize("codec", CODECS)
async def test_whatever_a_writer_packs_with_is_read(kafka: str, topic: str, codec: str) -> None:
    tp, log = (topic, 0), KafkaLog(kafka)
    await write(kafka, tp, [Raw(b"k", b"x" * 1_000, ((b"\xff", b"1"),)), Raw(b"k", b"y")], codec)
    found = await read(log, tp)
    await log.stop()
    assert [record.value for record in found] == [b"x" * 1_000, b"y"]
    assert found[0].headers == (("�", b"1"),)
