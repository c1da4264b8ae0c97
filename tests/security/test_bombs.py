"""A batch of Kafka's that stands for a gigabyte: row 39 of the security table. On a stack of its own."""

from collections.abc import Iterator

import pytest
from aiokafka.errors import KafkaError

from events.topics import ORDER_COMMANDS, PRICES, TOPICS
from infra.log.kafka import KafkaLog
from infra.log.port import TP
from ops.stack.folder import RunFolder
from services.order.app import SERVICE
from tests.contracts.log_worlds import read
from tests.faults.bombs import MEBIBYTE, gzip_bomb, zstd_bomb
from tests.faults.rogue import Raw, send, write
from tests.faults.test_bad_records import P, set_aside
from tests.stand import process, standing, until

from .growth import ROOM, grown

GIBIBYTE = 1024 * MEBIBYTE
READERS = ("order", "projector-live")
"""Of what is kept packed. The history has no prices."""
HEAD = 61  # bytes of a batch, of which a broker sets some


def pids(stack: RunFolder) -> dict[str, int]:
    return {name: process(stack, name).pid or 0 for name in ("kafka", *READERS)}


def passed(stack: RunFolder) -> int:
    """Returns how many records the projector could not read and passed over."""
    return stack.log("projector-live").read_text().count("record_passed_over")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    with standing(tmp_path_factory.mktemp("bombs"), *READERS) as stack:
        yield stack


def test_s39_no_topic_keeps_what_a_reader_does_not_unpack_with_care() -> None:
    assert {topic.compression for topic in TOPICS} == {"uncompressed", "gzip"}


@pytest.mark.stack
async def test_s39_a_bomb_is_set_aside_and_nobody_grows(own: RunFolder) -> None:
    kafka, before = own.endpoints()["kafka"], pids(own)
    prices: TP = (PRICES.name, 0)
    bomb = gzip_bomb(GIBIBYTE)
    assert MEBIBYTE // 2 < len(bomb) < MEBIBYTE  # what a topic takes
    log = KafkaLog(kafka)
    async with grown(before) as most:
        offset = await send(kafka, prices, bomb)
        await write(kafka, prices, [Raw(None, b"behind")])

        async def is_over() -> bool:
            letters = [await set_aside(log, SERVICE, PRICES.name, p) for p in range(P)]
            return all(len(each) == 2 for each in letters) and passed(own) == 2

        await until(is_over, "all have passed it")
    for p in range(P):
        letter, behind = await set_aside(log, SERVICE, PRICES.name, p)
        assert (letter.value or b"")[HEAD:] == bomb[HEAD:]
        assert dict(letter.headers)["origin"] == f"{PRICES.name}:0:{offset}".encode()
        assert behind.value == b"behind"
    await log.stop()
    assert all(most[name] <= ROOM for name in READERS)
    assert pids(own) == before


@pytest.mark.stack
@pytest.mark.parametrize("size", [64 * MEBIBYTE, GIBIBYTE])
async def test_s39_a_broker_that_would_unpack_one_refuses_it_and_goes_on(
    own: RunFolder, size: int
) -> None:
    kafka, before, tp = own.endpoints()["kafka"], pids(own), (ORDER_COMMANDS.name, 0)
    end = await write(kafka, tp, [Raw(b"k", b"before")]) + 1
    async with grown(before) as most:
        for make in (zstd_bomb, gzip_bomb):
            with pytest.raises(KafkaError):
                await send(kafka, tp, make(size))
    log = KafkaLog(kafka)
    offset = await write(kafka, tp, [Raw(b"k", b"taken")])
    assert offset == end
    [record] = await read(log, tp, start=end)
    assert record.value == b"taken"
    await log.stop()
    assert all(most[name] <= ROOM for name in READERS)
    assert pids(own) == before
