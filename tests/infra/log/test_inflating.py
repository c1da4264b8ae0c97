"""Packed batches are unpacked as far as a batch of ours may go, and a fetch no further than that."""

import pytest

from infra.log.inflating import MOST
from infra.log.port import TP
from infra.log.reader import Place
from infra.raw.batches import parsed
from tests.faults.bombs import MEBIBYTE, gzip_bomb
from tests.faults.rogue import CODECS, Raw, batch, encoded, gzip

TP0: TP = ("market.prices.v1", 0)
GOOD = encoded([Raw(b"k", b"good")])


def at(offset: int, raw: bytes) -> bytes:
    """Returns the batch as a broker keeps it at the offset, which no checksum covers."""
    return offset.to_bytes(8, "big") + raw[8:]


def packed(size: int) -> bytes:
    return encoded([Raw(b"k", bytes(size))], "gzip")


def test_one_that_is_too_much_is_one_record_as_it_was_packed() -> None:
    bomb, place = at(1, gzip_bomb(3 * MEBIBYTE)), Place(0)
    everything = at(0, GOOD) + bomb + at(2, GOOD)
    place.put(TP0, everything)
    found = place.take()
    place.put(TP0, everything[-len(GOOD) :])  # it was left for the next fetch
    found += place.take()
    assert [(each.offset, each.value) for each in found] == [(0, b"good"), (1, bomb), (2, b"good")]
    assert place.returned == 3
    assert parsed(TP0, bomb).records == [found[1]]  # the auditor's reader finds the same


def test_who_begins_in_its_middle_does_not_get_it() -> None:
    records = encoded([Raw(b"k", bytes(MEBIBYTE))] * 3, "gzip")
    place = Place(1)
    place.put(TP0, records)
    assert place.take() == []
    assert place.returned == 3


def test_as_much_as_a_topic_takes_is_read() -> None:
    place, size = Place(0), MOST - 1_000
    place.put(TP0, packed(size))
    assert [len(each.value or b"") for each in place.take()] == [size]


@pytest.mark.parametrize("members", [2, 3])
def test_what_a_stream_has_behind_its_end_counts(members: int) -> None:
    """Whoever unpacks gzip goes on after the end of a stream if another one follows."""
    each = gzip(bytes(MOST // members + 1))
    place, raw = Place(0), batch(CODECS["gzip"][0], each * members, 1)
    place.put(TP0, raw)
    assert [each.value for each in place.take()] == [raw]


def test_many_that_are_little_are_read_a_few_at_a_time() -> None:
    each, count = packed(MEBIBYTE - 100), 64
    place, fetched, most = Place(0), 0, 0
    while place.returned < count:
        place.put(TP0, b"".join(at(n, each) for n in range(place.returned, count)))
        found = place.take()
        fetched += len(found)
        most = max(most, sum(len(record.value or b"") for record in found))
    assert fetched == count
    assert most <= MOST
