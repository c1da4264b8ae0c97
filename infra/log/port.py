"""The Log as the shell and the projectors see it: take over partitions, append to them, read them.

Kafka's words: a record batch is appended whole or not at all; offsets have gaps (control markers
take one and nobody reads them), so records are never counted by offsets.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
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
    """What a topic must be; all are LogAppendTime. settings: further ones, by Kafka's names."""

    name: str
    partitions: int = 1
    compacted: bool = False
    retention_ms: int | None = None  # None: for ever
    max_message_bytes: int = 1_048_588
    replication: int = 1
    min_insync: int = 1
    compression: str = "uncompressed"
    settings: Mapping[str, str] = MappingProxyType({})


class Lost(Exception):
    """This writer may write no more; what it sent last may be in the partition or not."""


class Fenced(Lost):
    """Lost, because somebody else has taken over."""


class TooLarge(Exception):
    """More than one record batch holds. Nothing was sent, the writer stays usable."""


class OutOfRange(Exception):
    """A reader stands where the log has no record, before its start or past its end."""


class Clock(Protocol):
    def now_ms(self) -> int:
        """Returns ms since the epoch."""

    async def sleep(self, ms: int) -> None:
        """Returns after so many ms of this clock."""

    async def until(self, woken: asyncio.Future[None], ms: int) -> None:
        """Returns when the future is done, at the latest after so many ms: then it is, too."""


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
        Raises: Lost if others keep taking over at the same time; LookupError if a partition
        does not exist.
        """

    async def reader(self, positions: Mapping[TP, int]) -> Reader:
        """Returns a reader that begins at these offsets. Raises: LookupError: no such partition."""

    async def bounds(self, tps: Iterable[TP]) -> Mapping[TP, Bounds]:
        """Returns start and end of each. Only a claim's offset is sure to be no stale end."""

    async def offset_at(self, tp: TP, time_ms: int) -> int:
        """Returns the first offset appended at that time, ms, or later, else the end.

        It may be a marker's: the record is then the next one.
        """

    async def stop(self) -> None:
        """Returns when the log holds no connection; its writers and readers stop apart."""


def size_of(draft: Draft) -> int:
    """Returns the bytes that the record takes in a batch, at most."""
    key, value, headers = draft
    size = 32 + len(key or b"") + len(value or b"")
    for name, text in headers:
        size += 10 + 4 * len(name) + len(text)  # no character takes more than 4 bytes
    return size


def out_of_range(tp: TP, position: int, bounds: Bounds) -> OutOfRange:
    """Returns the exception that says what to do."""
    topic, partition = tp
    where = f"{topic}-{partition}: offset {position} is outside {bounds.start}..{bounds.end}"
    if position < bounds.start:
        return OutOfRange(
            f"{where}: its records were deleted before they were read here. If that loss is meant,"
            f" begin again at {bounds.start}; else bring the topic back first"
        )
    return OutOfRange(
        f"{where}: the log is shorter than what was read of it. The topic was made anew or its"
        " brokers lost records: audit before anything is started from here"
    )
