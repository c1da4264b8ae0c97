"""The audit of a running or resting cluster: reads everything there is, in the checks' order, and reports."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from time import monotonic, process_time
from typing import Any

from msgspec import json

from events.topics import BALANCE_COMMANDS, DAY, ORDER_COMMANDS, PRICES, TOPICS, Topic, state_topic
from infra.log.port import TP, Bounds
from infra.raw.batches import Ends, RawReader
from infra.raw.consumer import consumed
from infra.raw.settings import Shape, shapes
from infra.raw.views import history, live

from .auditor import Auditor
from .batches import CONTRACT, Foreign, digest
from .outcomes import Asked
from .report import Report, lines_of, violations_of
from .views import HISTORY, LIVE, View, view
from .where import Where

MARKERS = 4
"""Offsets behind the last record that no view steps over until another comes."""
Told = Callable[[int, int], None]
"""Takes how many offsets are read, and of how many."""
STILL_S, PATIENCE_S, POLL_S = 1.0, 60.0, 0.25
OPEN_S = 12.0
"""What a fence that was left open may take until the coordinator ends it."""


def silent(_done: int, _total: int) -> None:
    """Shows nothing."""


async def audit(
    where: Where,
    *,
    patience_s: float = PATIENCE_S,
    prefix: bool = False,
    journal: Iterable[Asked] | None = None,
    foreign: frozenset[tuple[str, int, int]] = frozenset(),
    told: Told = silent,
) -> Report:
    """Returns what was found. patience_s: how long it waits for the services to be at rest; prefix: it doesn't wait,
    and asks only what holds at any time; foreign: records that a test wrote in a service's name.

    Raises: Unavailable, KafkaError.
    """
    begun, cpu = monotonic(), process_time()
    topics = await shapes(where.kafka)
    tps = in_order((name, p) for name, found in topics.items() for p in range(found.partitions))
    partitions = topics[ORDER_COMMANDS.name].partitions
    async with reading(where.kafka) as reader:
        at_rest = not prefix and await rested(reader, tps, patience_s)
        views = await read_views(where, reader, tps, patience_s) if at_rest else []
        auditor = Auditor(partitions, journal=journal, foreign=Foreign(foreign), views=views)
        ends = await reader.ends(tps)
        since = await show(auditor, reader, ends, told)
        await close_transactions(auditor, reader, ends)
    await compare(auditor, where.kafka, ends)
    for topic in TOPICS:
        required(auditor, topic, topics, partitions)
    if at_rest:
        await ask_lives(auditor, where)
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
    """Shows everything below the ends. Returns since when each topic that forgets has its records, ms.

    What is kept of the log is in no cycles: to search it for them again and again would take half the time.
    """
    gc.disable()
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
    gc.enable()
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


async def read_views(
    where: Where, reader: RawReader, tps: Sequence[TP], patience_s: float
) -> list[View]:
    """Returns what the views show once they have folded what there is, or stand still."""
    found = []
    for name, url, read in ((LIVE, where.redis, live), (HISTORY, where.dynamodb, history)):
        if url is None:
            continue
        ends = await reader.ends(tp for tp in tps if tp[0] in CONTRACT)
        deadline, stored = monotonic() + patience_s, await read(url)
        while lags(stored.positions, ends) and monotonic() < deadline:
            await asyncio.sleep(STILL_S)
            earlier, stored = stored, await read(url)
            if stored.positions == earlier.positions and not lags(stored.positions, ends, MARKERS):
                break
        found.append(view(name, stored.positions, stored.rows))
    return found


def lags(positions: Mapping[tuple[str, str], int], ends: Mapping[TP, Ends], slack: int = 0) -> bool:
    """Returns whether an input is not folded up to its end, prices aside, but for `slack` offsets."""
    return any(
        positions.get((str(p), topic), end.end) < end.end - slack
        for (topic, p), end in ends.items()
    )


async def ask_lives(auditor: Auditor, where: Where) -> None:
    """Has the rows compared that the living services say they have."""
    for service in dict.fromkeys(topic.writer for topic in TOPICS):
        if port := where.admins.get(service):
            for p, hash_ in (await hashes(port)).items():
                auditor.remembered.lives((service, int(p)), hash_)


async def hashes(port: int) -> Mapping[str, str]:
    """Returns the hash of each partition's rows that the process on the admin port has; none if it has no such page."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(b"GET /state-hash HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    found: dict[str, str] = json.decode(body) if b" 200 " in head[:20] else {}
    return found
