"""The audit of a running or resting cluster: reads everything there is, in the checks' order, and reports."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from time import monotonic, process_time
from typing import Any

from events.topics import BALANCE_COMMANDS, DAY, ORDER_COMMANDS, PRICES, TOPICS, Topic, state_topic
from infra.log.port import TP, Bounds
from infra.raw.batches import Ends, RawReader
from infra.raw.consumer import consumed
from infra.raw.settings import Shape, shapes

from .auditor import Auditor
from .batches import CONTRACT, Foreign, digest
from .outcomes import Asked
from .report import Report, lines_of, violations_of

Told = Callable[[int, int], None]
"""Takes how many offsets are read, and of how many."""
STILL_S, PATIENCE_S, POLL_S = 1.0, 60.0, 0.25
OPEN_S = 12.0
"""What a fence that was left open may take until the coordinator ends it."""


def silent(_done: int, _total: int) -> None:
    """Shows nothing."""


async def audit(
    kafka: str,
    *,
    patience_s: float = PATIENCE_S,
    prefix: bool = False,
    journal: Iterable[Asked] | None = None,
    foreign: frozenset[tuple[str, int, int]] = frozenset(),
    told: Told = silent,
) -> Report:
    """Returns what was found. kafka: host:port; patience_s: how long it waits for the services to be at rest; prefix:
    it doesn't wait, and asks only what holds at any time; foreign: records that a test wrote in a service's name.

    Raises: Unavailable, KafkaError.
    """
    begun, cpu = monotonic(), process_time()
    topics = await shapes(kafka)
    tps = in_order((name, p) for name, found in topics.items() for p in range(found.partitions))
    partitions = topics[ORDER_COMMANDS.name].partitions
    auditor = Auditor(partitions, journal=journal, foreign=Foreign(foreign))
    async with reading(kafka) as reader:
        at_rest = not prefix and await rested(reader, tps, patience_s)
        ends = await reader.ends(tps)
        since = await show(auditor, reader, ends, told)
        await close_transactions(auditor, reader, ends)
    await compare(auditor, kafka, ends)
    for topic in TOPICS:
        required(auditor, topic, topics, partitions)
    auditor.close(at_rest=at_rest)
    return Report(
        lines_of(auditor.checks, at_rest=at_rest),
        violations_of(auditor.checks, at_rest=at_rest),
        {tp: Bounds(end.start, end.end) for tp, end in ends.items()},
        since,
        at_rest,
        auditor.events,
        monotonic() - begun,
        process_time() - cpu,
    )


@asynccontextmanager
async def reading(kafka: str) -> AsyncIterator[RawReader]:
    reader = await RawReader.connect(kafka)
    try:
        yield reader
    finally:
        await reader.stop()


def in_order(tps: Iterable[TP]) -> list[TP]:
    """Returns the partitions as the checks want to be shown them: a service's snapshots before its events, prices
    after all that quotes them.
    """
    states = [state_topic(name) for name in {topic.writer: None for topic in TOPICS}]
    known = [*states, *(topic.name for topic in TOPICS if topic is not PRICES), PRICES.name]
    ranks = {name: rank for rank, name in enumerate(known)}
    return sorted(tps, key=lambda tp: (ranks.get(tp[0], len(ranks)), tp))


async def rested(reader: RawReader, tps: Sequence[TP], patience_s: float) -> bool:
    """Returns whether nothing was appended for a while to what accounts cause, waiting for that for so long."""
    caused = [tp for tp in tps if tp[0] in CONTRACT and tp[0] != PRICES.name]
    deadline = monotonic() + patience_s
    seen: Mapping[TP, Ends] = {}
    since = monotonic()
    while True:
        found = await reader.ends(caused)
        now = monotonic()
        if found != seen:
            seen, since = found, now
        if now - since >= STILL_S:
            return True
        if now > deadline:
            return False
        await asyncio.sleep(POLL_S)


async def show(
    auditor: Auditor, reader: RawReader, ends: Mapping[TP, Ends], told: Told
) -> dict[str, int]:
    """Shows everything below the ends. Returns since when each topic that forgets has its records, ms."""
    since: dict[str, int] = {}
    total, before = sum(end.end - end.start for end in ends.values()), 0
    for (topic, p), end in ends.items():
        auditor.begin()
        async for batches in reader.batches((topic, p), end.start, end.end):
            for batch in batches:
                auditor.take(batch)
            if batches and topic in (ORDER_COMMANDS.name, BALANCE_COMMANDS.name, PRICES.name):
                since.setdefault(topic, batches[0].time)
            if batches:
                told(before + batches[-1].end - end.start, total)
        before += end.end - end.start
    told(total, total)
    return since


async def compare(auditor: Auditor, kafka: str, ends: Mapping[TP, Ends]) -> None:
    """Has the checks compare what a consumer sees of the contract topics."""
    spans = {tp: Bounds(end.start, end.end) for tp, end in ends.items() if tp[0] in CONTRACT}
    digests: dict[TP, tuple[int, int]] = dict.fromkeys(spans, (0, 0))
    async for tp, records in consumed(kafka, spans):
        digests[tp] = digest(digests[tp], records)
    for tp, found in digests.items():
        auditor.alike.consumed(tp, found, "a consumer")


async def close_transactions(auditor: Auditor, reader: RawReader, ends: Mapping[TP, Ends]) -> None:
    """Says which transactions that were open at the ends do not end within the time that a fence may take."""
    begun = monotonic()
    still = {tp: end.stable for tp, end in ends.items() if end.stable < end.end}
    while still and monotonic() - begun < OPEN_S:
        await asyncio.sleep(POLL_S)
        now = await reader.ends(still)
        still = {tp: stable for tp, stable in still.items() if now[tp].stable == stable}
    for tp, stable in still.items():
        auditor.healthy.transaction(tp, stable, monotonic() - begun)


def required(
    auditor: Auditor, topic: Topic[Any], found: Mapping[str, Shape], partitions: int
) -> None:
    """Compares a topic with what events/topics.py says of it."""
    shape = found.get(topic.name) or Shape(0, {})
    days = topic.retention_days
    wanted = {
        "cleanup.policy": "compact" if topic.compacted else "delete",
        "retention.ms": str(days * DAY if days else -1),
        "max.message.bytes": str(topic.max_message_bytes),
        "message.timestamp.type": "LogAppendTime",
        "compression.type": topic.compression,
        "unclean.leader.election.enable": "false",
    }
    for what, must in wanted.items():
        auditor.healthy.setting(topic.name, what, shape.settings.get(what), must)
    must = str(topic.partitions or partitions)
    auditor.healthy.setting(topic.name, "partitions", str(shape.partitions), must)
