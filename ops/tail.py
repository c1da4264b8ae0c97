"""`orderstream tail`: the records of a topic, decoded, one line each, as they come."""

import json
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NamedTuple

from pydantic_core import from_json
from rich.text import Text

from events.codec import Poison, encode
from events.envelope import Command, Event
from events.ids import partition_of
from events.topics import CONTROL, TOPICS
from infra.log import listing
from infra.log.kafka import KafkaLog
from infra.log.listing import Found
from infra.log.port import TP, Bounds, Log, Record
from infra.shell.reading import is_control
from ops.reading import WAIT_MS, between, in_time

FIRST_LOOK = 1_000  # offsets back from the end; then four times as many, until enough is found
SHOWN_BYTES = 200  # of what can't be decoded
CONTRACT = {topic.name: topic for topic in TOPICS}
ENVELOPE = {*Command.model_fields, *Event.model_fields} - {"sequence"}
"""Fields that every message has, and that tell people little."""
COLOURS: tuple[tuple[str, str], ...] = (
    ("refused", "red"),
    ("rejected", "red"),
    ("canceled", "magenta"),
    ("expired", "magenta"),
    ("released", "blue"),
    ("reserved", "blue"),
    ("filled", "bold green"),
    ("executed", "bold green"),
    ("settled", "green"),
    ("changed", "green"),
    ("accepted", "yellow"),
)
OTHERS = "cyan"


class Decoded(NamedTuple):
    """A record read. kind: what it is; name: the message's type, or why it is poison."""

    record: Record
    kind: Literal["message", "control", "poison", "raw"]
    name: str
    body: Any

    def as_json(self) -> str:
        """Returns one line of JSON."""
        record = self.record
        headers = {name: value.decode(errors="replace") for name, value in record.headers}
        return json.dumps(
            {
                "topic": record.topic,
                "partition": record.partition,
                "offset": record.offset,
                "timestamp": record.timestamp,
                "key": record.key.decode(errors="replace") if record.key is not None else None,
                "headers": headers,
                "kind": self.kind,
                "name": self.name,
                "value": self.body,
            }
        )

    def as_text(self) -> Text:
        """Returns one line: time in UTC, place, the account's last digits, type, fields."""
        record = self.record
        time = datetime.fromtimestamp(record.timestamp // 1_000, UTC)
        key = b"" if self.kind == "control" else record.key or b""
        place = f"{record.partition}:{record.offset}"
        line = Text(f"{time:%H:%M:%S}.{record.timestamp % 1_000:03} {place:9} ", style="dim")
        line.append(f"{plain(key.decode(errors='replace'))[-12:]:12} ", style="dim")
        line.append(f"{plain(self.name)}", style=self._colour())
        line.append(f" {plain(fields(self.body))}", style="dim" if self.kind == "control" else "")
        return line

    def _colour(self) -> str:
        if self.kind in ("control", "poison"):
            return {"control": "dim", "poison": "bold white on red"}[self.kind]
        return next((colour for end, colour in COLOURS if self.name.endswith(end)), OTHERS)


def decode(record: Record) -> Decoded:
    """Returns what the record says: at its newest version, if its topic is one of the contract."""
    raw, headers = record.value or b"", dict(record.headers)
    if "origin" in headers:  # what its reader set aside
        body = {"origin": headers["origin"].decode(errors="replace"), "value": readable(raw)}
        return Decoded(record, "poison", headers.get("reason", b"").decode(errors="replace"), body)
    try:
        if is_control(record):
            return Decoded(record, "control", *told(CONTROL(raw)))
        if record.topic in CONTRACT:
            return Decoded(record, "message", *told(CONTRACT[record.topic].decode(raw)))
    except Poison as poison:
        return Decoded(record, "poison", poison.reason, readable(raw))
    return Decoded(record, "raw", "row" if raw else "gone", readable(raw) if raw else {})


def told(message: Any) -> tuple[str, Any]:
    """Returns the message's type and its JSON."""
    return message.type, from_json(encode(message))


def readable(raw: bytes) -> Any:
    """Returns the JSON, or the beginning of the text if it is none."""
    try:
        return from_json(raw)
    except ValueError:
        return raw[:SHOWN_BYTES].decode(errors="replace")


def plain(text: str) -> str:
    """Returns the text without what would move a terminal's cursor."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)


def fields(body: Any) -> str:
    """Returns name=value of all but the envelope."""
    if not isinstance(body, Mapping):
        return str(body)
    return " ".join(
        f"{name}={value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}"
        for name, value in body.items()
        if name not in ENVELOPE and value is not None
    )


def partitions(found: Found, account_id: str | None) -> list[TP]:
    """Returns the topic's partitions, or the one in which the account lives."""
    if account_id is None or found.partitions == 1:
        return [(found.name, p) for p in range(found.partitions)]
    return [(found.name, partition_of(account_id, found.partitions))]


class Wanted(NamedTuple):
    """Which records are shown."""

    account_id: str | None = None
    control: bool = False

    def __call__(self, record: Record) -> bool:
        if is_control(record):
            return self.control
        return self.account_id is None or record.key == self.account_id.encode()


async def tail(
    log: Log, tps: Iterable[TP], wanted: Wanted, *, last: int | None, follow: bool
) -> AsyncIterator[Record]:
    """Yields the last records that are wanted (all, if last is None), then those that come, if asked to follow.

    A partition's are in their order.
    """
    bounds = await log.bounds(tps)
    if last is None:
        async for record in between(log, bounds):
            if wanted(record):
                yield record
    else:
        for record in await newest(log, bounds, wanted, last):
            yield record
    if not follow:
        return
    reader = await log.reader({tp: end for tp, (_, end) in bounds.items()})
    try:
        while True:
            for record in in_time(await reader.fetch(WAIT_MS)):
                if wanted(record):
                    yield record
    finally:
        await reader.stop()


async def follow(
    bootstrap: str,
    topic: str,
    wanted: Wanted,
    show: Callable[[Decoded], None],
    *,
    last: int | None,
    to_end: bool,
) -> None:
    """Shows a topic's records, as tail yields them; to_end: returns there. Raises: Unavailable, LookupError."""
    cluster = await listing.topics(bootstrap)
    if topic not in cluster:
        raise LookupError(f"no topic is named {topic}: {', '.join(cluster)}")
    log = KafkaLog(bootstrap)
    try:
        tps = partitions(cluster[topic], wanted.account_id)
        async for record in tail(log, tps, wanted, last=last, follow=not to_end):
            show(decode(record))
    finally:
        await log.stop()


async def newest(
    log: Log, bounds: Mapping[TP, Bounds], wanted: Wanted, last: int
) -> Iterable[Record]:
    """Returns the last records that are wanted, by time: as far back as they are found."""
    back = FIRST_LOOK
    while last:
        spans = {tp: Bounds(max(start, end - back), end) for tp, (start, end) in bounds.items()}
        found = [record async for record in between(log, spans) if wanted(record)]
        if len(found) >= last or spans == bounds:
            return deque(sorted(found, key=lambda record: record.timestamp), maxlen=last)
        back *= 4
    return ()
