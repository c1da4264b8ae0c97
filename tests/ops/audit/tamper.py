"""Tampering with what an audit is handed: finds, changes, drops and doubles what stands in a log."""

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple
from uuid import UUID

from events.codec import encode, stamp
from events.topics import TOPICS
from infra.log.port import TP, Record
from ops.audit.batches import CLAIM, is_claim
from tests.ops.audit.evidence import Evidence

BY_NAME = {topic.name: topic for topic in TOPICS}
NOWHERE = str(UUID(int=7))


class Absent(Exception):
    """The log has nothing that the fault could befall."""


class Found(NamedTuple):
    """A record, where it stands in its partition's batches, and its message."""

    tp: TP
    batch: int
    record: int
    message: Any


def each(evidence: Evidence, kind: type[Any]) -> Iterator[Found]:
    """Yields the records of that kind, the services' own first to last."""
    name = next(topic.name for topic in TOPICS if kind in topic.types)
    for tp in [tp for tp in evidence.log if tp[0] == name]:
        for b, batch in enumerate(evidence.log[tp]):
            for r, record in enumerate(batch.records):
                if (
                    evidence.foreign.isdisjoint({record[:3]})
                    and (record.key or b"")[:8] != b"control:"
                ):
                    message = BY_NAME[name].decode(record.value or b"")
                    if isinstance(message, kind):
                        yield Found(tp, b, r, message)


def find(
    evidence: Evidence, kind: type[Any], where: Callable[[Any], bool] = lambda _: True
) -> Found:
    """Returns the first of that kind. Raises: Absent."""
    for found in each(evidence, kind):
        if where(found.message):
            return found
    raise Absent(kind.__name__)


def put(evidence: Evidence, found: Found, *records: Record) -> None:
    """Has these records stand in the place of the one found."""
    batch = evidence.log[found.tp][found.batch]
    kept = [*batch.records[: found.record], *records, *batch.records[found.record + 1 :]]
    evidence.log[found.tp][found.batch] = batch._replace(records=kept)


def record_of(evidence: Evidence, found: Found) -> Record:
    return evidence.log[found.tp][found.batch].records[found.record]


def change(evidence: Evidence, found: Found, **fields: Any) -> None:
    """Has the message say something else."""
    record = record_of(evidence, found)
    put(evidence, found, record._replace(value=encode(stamp(found.message, **fields))))


def write_checkpoint(evidence: Evidence, found: Found, raw: bytes) -> None:
    """Has the batch of the record carry another checkpoint."""
    batch = evidence.log[found.tp][found.batch]
    last = batch.records[-1]
    headers = tuple((n, raw if n == "checkpoint" else value) for n, value in last.headers)
    put(evidence, found._replace(record=len(batch.records) - 1), last._replace(headers=headers))


def drop(evidence: Evidence, found: Found) -> None:
    """Takes the record away; what rides on a batch's last one stays with the one before."""
    batch = evidence.log[found.tp][found.batch]
    if len(batch.records) == 1:
        del evidence.log[found.tp][found.batch]
    else:
        put(evidence, found)


def double(evidence: Evidence, found: Found) -> None:
    record = record_of(evidence, found)
    put(evidence, found, record, record._replace(offset=record.offset + 1))


def claims(evidence: Evidence) -> Iterator[tuple[TP, int]]:
    """Yields where take-overs but the first of each partition are claimed."""
    for tp, batches in evidence.log.items():
        at = [b for b, batch in enumerate(batches) if is_claim(batch)]
        if tp[0] == "order.events.v1":
            yield from ((tp, b) for b in at[1:])


def letters(evidence: Evidence) -> Iterator[tuple[TP, int]]:
    for tp, batches in evidence.log.items():
        if tp[0].endswith(".dlq.v1"):
            yield from (
                (tp, b)
                for b, batch in enumerate(batches)
                if batch.records and batch.records[0].key != CLAIM
            )
