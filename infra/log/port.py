"""The Log as the shell and the projectors see it: take over partitions, append to them, read them.

Kafka's words: a record batch is appended whole or not at all; offsets have gaps (control markers
take one and nobody reads them), so records are never counted by offsets.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple, Protocol

TP = tuple[str, int]
Headers = tuple[tuple[str, bytes], ...]

MAX_BATCH = 1_000_000  # bytes of an encoded record batch; topics take 1 MiB unless they say more


class Record(NamedTuple):
    """A record as read. timestamp: ms since the epoch, when the broker appended it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Draft(NamedTuple):
    """A record to be appended."""

    key: bytes | None
    value: bytes | None
    headers: Headers = ()


class Bounds(NamedTuple):
    """start: the first offset that can be read; end: the next one to be given out."""

    start: int
    end: int


class Appended(NamedTuple):
    """offset: of the batch's first record; timestamp: of all of them, ms since the epoch."""

    offset: int
    timestamp: int


class TopicSpec(NamedTuple):
    """What a topic must be. Times in ms, sizes in bytes; None: the broker's default."""

    name: str
    partitions: int
    compacted: bool = False
    retention_ms: int | None = None  # None: for ever
    max_message_bytes: int = 1_048_588
    segment_bytes: int | None = None
    replication: int = 1
    min_insync: int = 1


class Lost(Exception):
    """This writer may write no more; what it sent last may be in the partition or not."""


class TooLarge(Exception):
    """More than one record batch holds. Nothing was sent, the writer stays usable."""


class OutOfRange(Exception):
    """A reader stands where the log has no record, before its start or past its end."""


class Clock(Protocol):
    def now_ms(self) -> int:
        """Returns ms since the epoch."""

    async def sleep(self, ms: int) -> None:
        """Returns after so many ms of this clock."""


class Batch(Protocol):
    """One record batch in the making, encoded while it grows. Made by a Writer, appended once."""

    @property
    def to(self) -> TP:
        """Returns the partition that it is meant for."""

    @property
    def free(self) -> int:
        """Returns the bytes left: a record goes in if its size_of is no more."""

    def __len__(self) -> int:
        """Returns the number of records in it."""

    def add(self, draft: Draft) -> None:
        """Encodes one more record. Raises: TooLarge if it doesn't fit; the batch is as before."""


class Writer(Protocol):
    """The only writer of its partitions, until somebody else takes one of them over.

    One append at a time; the next batch may be made meanwhile.
    """

    @property
    def claims(self) -> Mapping[TP, int]:
        """Returns the offset of the own claim in each partition: up to it stands all there is."""

    def next_offset(self, to: TP) -> int:
        """Returns where the next batch will begin, given that the one under way arrives."""

    def batch(self, to: TP) -> Batch:
        """Returns an empty batch for one of the own partitions."""

    async def append(self, batch: Batch) -> Appended:
        """Returns where the batch stands, whole. Raises: Lost, whatever else went wrong."""

    async def refence(self) -> None:
        """Has the brokers remember the fence, between two appends; hourly. Raises: Lost."""

    async def stop(self) -> None:
        """Returns when nothing more is sent, not even again."""


class Reader(Protocol):
    """Reads partitions from explicit offsets on, each in its order."""

    async def fetch(self, wait_ms: int) -> Mapping[TP, Sequence[Record]]:
        """Returns all that has come in, never an empty list; nothing after wait_ms without any.

        At most some 1 MiB a partition. Raises: OutOfRange.
        """

    def position(self, tp: TP) -> int:
        """Returns the offset after the last one returned, markers and gaps stepped over."""

    def drained(self, tp: TP) -> bool:
        """Returns whether all was returned and the broker said so less than 1 s ago."""

    def pause(self, tps: Iterable[TP]) -> None:
        """Has fetch leave them out: their position stays."""

    def resume(self, tps: Iterable[TP]) -> None:
        """Has fetch return them again."""

    async def stop(self) -> None:
        """Returns when the reader holds no connection."""


class Log(Protocol):
    async def take_over(
        self, owner: str, partitions: Sequence[TP], claim: Draft, max_batch: int = MAX_BATCH
    ) -> Writer:
        """Returns the only writer: every earlier one of this owner's name is refused from now on.

        The claim, a record that readers know to skip, is appended to each partition first.
        Raises: Lost if others keep taking over at the same time.
        """

    async def reader(self, positions: Mapping[TP, int]) -> Reader:
        """Returns a reader that begins at these offsets."""

    async def bounds(self, tps: Iterable[TP]) -> Mapping[TP, Bounds]:
        """Returns start and end of each. Only a claim's offset is sure to be no stale end."""

    async def stop(self) -> None:
        """Returns when the log holds no connection; its writers and readers stop apart."""


def size_of(draft: Draft) -> int:
    """Returns the bytes that the record takes in a batch, at most."""
    size = 32 + len(draft.key or b"") + len(draft.value or b"")
    for name, value in draft.headers:
        size += 10 + len(name.encode()) + len(value)
    return size
