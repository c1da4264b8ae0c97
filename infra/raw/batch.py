"""A record batch as it stands in a partition: what consumers hide is there too, headers and control markers."""

from collections.abc import Sequence
from typing import NamedTuple

from infra.log.port import TP, Record


class RawBatch(NamedTuple):
    """offset: of its first record; end: behind its last; sequence: of its first record, -1 if its producer counts
    none; time: ms since the epoch, of its append; control: a marker that ends a transaction, `records` is empty then.
    """

    topic: str
    partition: int
    offset: int
    end: int
    leader_epoch: int
    producer_id: int
    epoch: int
    sequence: int
    time: int
    transactional: bool
    control: bool
    records: Sequence[Record]

    @property
    def tp(self) -> TP:
        return self.topic, self.partition
