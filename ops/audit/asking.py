"""What an audit asks beside the log: are the services at rest, what do views and processes say, what brokers."""

import asyncio
from collections.abc import Mapping, Sequence
from time import monotonic
from typing import Any, NamedTuple

from msgspec import json

from events.topics import DAY, PRICES, TOPICS, Topic
from infra.log.port import TP, Bounds
from infra.raw.batches import Ends, RawReader
from infra.raw.consumer import READERS
from infra.raw.settings import Shape
from infra.raw.views import history, live

from .auditor import Auditor
from .batches import CONTRACT, NOTHING, Digest, digest
from .state import Shard
from .views import HISTORY, LIVE, View, view
from .where import Where

STILL_S, POLL_S = 1.0, 0.25
OPEN_S = 12.0
"""What a fence that was left open may take until the coordinator ends it."""
MARKERS = 4
"""Offsets behind the last record that no view steps over until another comes."""


class Rest(NamedTuple):
    """What views and processes said while nothing was appended. ends: of every partition then."""

    views: Sequence[View]
    processes: Mapping[Shard, str]
    ends: Mapping[TP, Ends]


async def rest(
    where: Where, reader: RawReader, tps: Sequence[TP], patience_s: float
) -> Rest | None:
    """Returns what is said at rest, None if the services do not come to it in that time."""
    caused = [tp for tp in tps if tp[0] in CONTRACT and tp[0] != PRICES.name]
    deadline = monotonic() + patience_s
    while await rested(reader, caused, deadline - monotonic()):
        before = await reader.ends(caused)
        views = await read_views(where, reader, tps, patience_s)
        told = Rest(views, await read_processes(where), await reader.ends(tps))
        if all(told.ends[tp] == end for tp, end in before.items()):
            return told
    return None


async def rested(reader: RawReader, caused: Sequence[TP], patience_s: float) -> bool:
    """Returns whether nothing was appended to these for a while, waiting for that for so long."""
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


async def read_processes(where: Where) -> dict[Shard, str]:
    """Returns the hash of the rows that each living service says it has."""
    return {
        (service, int(p)): hash_
        for service in dict.fromkeys(topic.writer for topic in TOPICS)
        if (port := where.admins.get(service))
        for p, hash_ in (await hashes(port)).items()
    }


def processes(auditor: Auditor, rest: Rest) -> None:
    """Has the rows compared that the living services say they have."""
    for shard, hash_ in rest.processes.items():
        auditor.remembered.lives(shard, hash_)


async def hashes(port: int) -> Mapping[str, str]:
    """Returns the hash of each partition's rows that the process on the admin port has, none if nobody is there."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return {}
    try:
        writer.write(b"GET /state-hash HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
    finally:
        writer.close()
    found: dict[str, str] = json.decode(body) if b" 200 " in head[:20] else {}
    return found


async def consumers(auditor: Auditor, kafka: str, ends: Mapping[TP, Ends]) -> None:
    """Has the checks compare what the consumers of client libraries see of the contract topics."""
    spans = {tp: Bounds(end.start, end.end) for tp, end in ends.items() if tp[0] in CONTRACT}
    for name, read in READERS.items():
        digests: dict[TP, Digest] = dict.fromkeys(spans, NOTHING)
        async for tp, records in read(kafka, spans):
            digests[tp] = digest(digests[tp], records)
        for tp, found in digests.items():
            auditor.alike.consumed(tp, found, name)


async def transactions(
    auditor: Auditor, reader: RawReader, ends: Mapping[TP, Ends], patience_s: float = OPEN_S
) -> None:
    """Says which transactions that were open at the ends do not end in time: in what a fence may take."""
    begun = monotonic()
    still = {tp: end.stable for tp, end in ends.items() if end.stable < end.end}
    while still and monotonic() - begun < patience_s:
        await asyncio.sleep(POLL_S)
        now = await reader.ends(still)
        still = {tp: stable for tp, stable in still.items() if now[tp].stable == stable}
    for tp, stable in still.items():
        auditor.healthy.transaction(tp, stable, monotonic() - begun)


def settings(auditor: Auditor, found: Mapping[str, Shape], partitions: int) -> None:
    """Compares the topics with what events/topics.py says of them."""
    for topic in TOPICS:
        compare(auditor, topic, found.get(topic.name) or Shape(0, {}), partitions)


def compare(auditor: Auditor, topic: Topic[Any], shape: Shape, partitions: int) -> None:
    """Compares one of them with its shape on the broker."""
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
