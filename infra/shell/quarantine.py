"""Poison never stops the log and never vanishes: it stands in a dead-letter topic, and the own log says so."""

from collections import deque
from typing import Any, NamedTuple

from pydantic_core import from_json

from events.codec import Poison
from events.control import RecordQuarantined
from events.ids import partition_of
from events.reasons import Unreadable
from events.topics import dead_letter_topic
from infra.log.port import TP, Draft, Log, Record

from .reading import is_control, stretch
from .repeats import SKEW
from .service import Service
from .snapshot import Side

LIMIT = 1_000
"""So many in a minute of log time are no longer poison: the fault is ours, and the process stops. Good records that
follow an account's poison don't count: a busy account is no fault.
"""
MINUTE_MS = 60_000
HEADERS, NAME = 100, 200
"""So many of a record's own headers go with it, so many characters of their names: then whatever fits its topic fits
the dead-letter topic, although a header is dearer there.
"""


class TooMuchPoison(Exception):
    """Most likely this program is older or worse than its inputs."""


class SetAside(NamedTuple):
    """A record that is not decided. account_id: whose later records of the topic follow it."""

    record: Record
    reason: str
    account_id: str | None
    follows: bool = False

    def event(self) -> RecordQuarantined:
        """Returns what the own log says of it."""
        record = self.record
        return RecordQuarantined(
            occurred_at=record.timestamp,
            topic=record.topic,
            partition=record.partition,
            offset=record.offset,
            reason=self.reason,
            account_id=self.account_id,
            follows=self.follows,
        )

    def dead_letter(self) -> Draft:
        """Returns the record for the dead-letter topic: its raw bytes, its origin and reason in headers."""
        record = self.record
        headers = (
            ("origin", f"{record.topic}:{record.partition}:{record.offset}".encode()),
            ("reason", self.reason.encode()),
            ("account", (self.account_id or "").encode()),
            # A header of others may be null.
            *((f"origin-{name[:NAME]}", value or b"") for name, value in record.headers[:HEADERS]),
        )
        if left_out := len(record.headers[HEADERS:]):
            headers = (*headers, ("headers-left-out", b"%d" % left_out))
        return Draft(record.key, record.value, headers)


def judged(service: Service, record: Record, partitions: int, error: ValueError) -> SetAside:
    """Returns how the record is set aside: a command alone; an event with its account, if key, partition and
    what can be read of it agree on one.
    """
    topic = service.topics[record.topic]
    reason = error.reason if isinstance(error, Poison) else Unreadable.MALFORMED
    if topic.key != "account_id" or service.commands.intersection(topic.types):
        return SetAside(record, reason, None)
    return SetAside(record, reason, _account(record, partitions))


def _account(record: Record, partitions: int) -> str | None:
    try:
        key = (record.key or b"").decode()
    except UnicodeDecodeError:
        return None
    try:
        body: Any = from_json(record.value or b"")
    except ValueError:
        body = None
    named = body.get("account_id", key) if isinstance(body, dict) else key
    here = len(key) == 36 and record.partition == partition_of(key, partitions)
    return key if here and named == key else None


def misplaced(record: Record, message: Any, partitions: int) -> bool:
    """Returns whether the record's key, its partition and the message's account disagree."""
    account_id = message.account_id
    return record.key != account_id.encode() or record.partition != partition_of(
        account_id, partitions
    )


class Quarantine:
    """Sets records aside once each. dead: the origins that stood in the dead-letter topics at take-over."""

    def __init__(
        self, service: Service, p: int, side: Side, dead: set[tuple[str, int, int]]
    ) -> None:
        self.service, self.p, self.side, self.dead = service, p, side, dead
        self._recent: deque[int] = deque()  # their times

    async def set_aside(self, entry: SetAside) -> None:
        """Returns when the record stands in its dead-letter topic. Raises: TooMuchPoison, Lost."""
        record = entry.record
        origin = (record.topic, record.partition, record.offset)
        if origin not in self.dead:
            to = self.service.dead_letters(record.topic, self.p)
            await self.side.append(to, [entry.dead_letter()])
        if not entry.follows:
            self._count(entry)

    def _count(self, entry: SetAside) -> None:
        record, recent = entry.record, self._recent
        recent.append(max(record.timestamp, recent[-1] if recent else 0))
        while recent[0] < recent[-1] - MINUTE_MS:
            recent.popleft()
        if len(recent) > LIMIT:
            origin = f"{record.topic}-{record.partition} at {record.offset}"
            raise TooMuchPoison(f"more than {LIMIT} within a minute, {origin}: {entry.reason}")


async def dead_origins(
    log: Log, service: Service, p: int, claims: dict[TP, int], positions: dict[TP, int], *, now: int
) -> set[tuple[str, int, int]]:
    """Returns the origins at or after the positions that stand in the dead-letter topics already. They were set
    aside after `now`, the time at those positions: what was before, however much, is not read again.
    """
    dead = set()
    for origin_tp, position in positions.items():
        tp = (dead_letter_topic(origin_tp[0], service.name), p)
        start = await log.offset_at(tp, now - SKEW)
        async for record in stretch(log, tp, start, claims[tp]):
            if is_control(record):
                continue
            topic, partition, offset = dict(record.headers)["origin"].decode().rsplit(":", 2)
            if int(offset) >= position:
                dead.add((topic, int(partition), int(offset)))
    return dead
