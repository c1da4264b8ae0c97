"""Appends whose fate is read from the partition: each record says of which batch it is, and which of how many."""

from collections.abc import Iterable
from itertools import groupby
from random import Random

from infra.log.port import TP, Draft, Lost, Record, Writer
from tests.contracts.log_worlds import CLAIM, append

MOST = 40  # records in a batch


class Ledger:
    """What was sent and what was acknowledged, in the order of sending. Batches are numbered from 0."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.sent = 0
        self.acknowledged: list[int] = []

    async def append(self, writer: Writer, tp: TP) -> int:
        """Returns the number of one more batch, acknowledged. Raises: Lost."""
        number, count = self.sent, self.rng.randint(1, MOST)
        self.sent += 1
        await append(writer, tp, numbered(number, count))
        self.acknowledged.append(number)
        return number

    async def append_some(self, writer: Writer, tp: TP, most: int) -> Lost | None:
        """Returns why the writer ended, None if it has appended so many batches."""
        try:
            for _ in range(most):
                await self.append(writer, tp)
        except Lost as lost:
            return lost
        return None

    def check(self, records: Iterable[Record]) -> None:
        """Raises: AssertionError unless each batch stands whole, once, in order, all acknowledged among them."""
        standing = batches(records)
        assert standing == sorted(set(standing)), "a batch stands twice, or out of order"
        assert set(self.acknowledged) <= set(standing), "an acknowledged batch is missing"
        assert not standing or standing[-1] < self.sent


def numbered(number: int, count: int) -> list[Draft]:
    return [Draft(b"%d" % number, b"%d of %d" % (i, count)) for i in range(count)]


def batches(records: Iterable[Record]) -> list[int]:
    """Returns the batches' numbers, claims left out. Raises: AssertionError if one is torn."""
    standing = []
    for key, found in groupby((r for r in records if r.key != CLAIM.key), key=lambda r: r.key):
        values = [record.value for record in found]
        whole = [draft.value for draft in numbered(0, len(values))]
        assert values == whole, f"torn: {values} of batch {key!r}"
        standing.append(int(key or b""))
    return standing
