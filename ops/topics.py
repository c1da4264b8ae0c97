"""`orderstream topics`: what the cluster holds, beside what events/topics.py says of it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from events.topics import DAY, TOPICS, Topic, dead_letter_topic, state_topic
from infra.log import listing
from infra.log.kafka import KafkaLog
from infra.log.listing import Found
from infra.log.port import TP, Bounds, Log
from infra.shell.reading import is_control
from ops.reading import between

COUNTED = 100_000
"""Offsets. The records of a topic that spans more are not counted: one would have to read them all."""


class Known(NamedTuple):
    """What is known of a topic by its name. carries: the types of its messages."""

    role: Literal["contract", "snapshots", "dead letters", "unknown"]
    writer: str
    key: str
    about: str
    carries: tuple[str, ...] = ()


class Described(NamedTuple):
    """A topic of the cluster. records: without control records, None if there are too many to count.

    offsets: the start and end of each partition.
    """

    name: str
    known: Known
    kept: str
    records: int | None
    offsets: tuple[Bounds, ...]

    @property
    def holds_poison(self) -> bool:
        """Returns whether something was set aside in it."""
        return self.known.role == "dead letters" and self.records != 0

    @property
    def spanned(self) -> int:
        """Returns how many offsets it spans: as many records at most."""
        return sum(end - start for start, end in self.offsets)

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            **self.known._asdict(),
            "kept": self.kept,
            "records": self.records,
            "partitions": len(self.offsets),
            "offsets": [bounds._asdict() for bounds in self.offsets],
        }


async def listed(bootstrap: str) -> list[Described]:
    """Returns the topics of the cluster at host:port, as describe does. Raises: Unavailable."""
    cluster = await listing.topics(bootstrap)
    log = KafkaLog(bootstrap)
    try:
        return await describe(log, cluster)
    finally:
        await log.stop()


async def describe(
    log: Log, cluster: Mapping[str, Found], counted: int = COUNTED
) -> list[Described]:
    """Returns the cluster's topics: the contract's, then the services' own, then all others.

    counted: the records of a topic that spans more offsets are not counted.
    """
    bounds = await log.bounds(
        (name, p) for name in cluster for p in range(cluster[name].partitions)
    )
    records = await counts(log, bounds, counted)
    ours = dict(known())
    names = [name for name in ours if name in cluster] + [
        name for name in cluster if name not in ours
    ]
    return [
        Described(
            name,
            ours.get(name, Known("unknown", "?", "?", "Not one of ours.")),
            kept(cluster[name]),
            records[name],
            tuple(bounds[name, p] for p in range(cluster[name].partitions)),
        )
        for name in names
    ]


def known() -> Iterator[tuple[str, Known]]:
    """Yields every topic that a cluster may have, and what is known of it."""
    for topic in TOPICS:
        yield (
            topic.name,
            Known("contract", topic.writer, topic.key or "none", topic.about, types(topic)),
        )
    for service in dict.fromkeys(topic.writer for topic in TOPICS):
        yield state_topic(service), Known("snapshots", service, "row", "Snapshots of its rows.")
        for origin in TOPICS:
            yield (
                dead_letter_topic(origin.name, service),
                Known("dead letters", service, origin.key or "none", "Poison, set aside."),
            )


def types(topic: Topic[Any]) -> tuple[str, ...]:
    return tuple(kind.contract.model_fields["type"].default for kind in topic.types)


def kept(found: Found) -> str:
    """Returns how long the cluster keeps the topic's records."""
    if found.compacted:
        return "newest of each key"
    return "for ever" if found.retention_ms is None else f"{found.retention_ms // DAY} days"


async def counts(log: Log, bounds: Mapping[TP, Bounds], counted: int) -> dict[str, int | None]:
    """Returns the number of each topic's records, without control records; None if it spans more offsets."""
    spanned: Counter[str] = Counter()
    for (name, _), (start, end) in bounds.items():
        spanned[name] += end - start
    cheap = {tp: span for tp, span in bounds.items() if spanned[tp[0]] <= counted}
    found: Counter[str] = Counter()
    async for record in between(log, cheap):
        found[record.topic] += not is_control(record)
    return {name: found[name] if span <= counted else None for name, span in spanned.items()}


def show(console: Console, described: Sequence[Described], *, every: bool) -> None:
    """Shows the contract's topics and where poison lies; every: all other topics too."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("topic", "writer", "key"):
        table.add_column(name, no_wrap=True)
    for name in ("partitions", "records"):
        table.add_column(name, no_wrap=True, justify="right")
    for name in ("offsets", "kept"):
        table.add_column(name, no_wrap=True)
    table.add_column("carries")
    for topic in described:
        is_contract = topic.known.role == "contract"
        if is_contract or topic.holds_poison or every:
            style = "red" if topic.holds_poison else "" if is_contract else "dim"
            about = Text(topic.known.about, no_wrap=True, overflow="ellipsis")
            table.add_row(*cells(topic), about, style=style)
    console.print(table)


def cells(topic: Described) -> tuple[str, ...]:
    """Returns the topic's row of the table, but for what it carries."""
    return (
        topic.name,
        topic.known.writer,
        topic.known.key,
        str(len(topic.offsets)),
        f"≤ {topic.spanned:,}" if topic.records is None else f"{topic.records:,}",
        "  ".join(f"{start}..{end}" for start, end in topic.offsets),
        topic.kept,
    )
