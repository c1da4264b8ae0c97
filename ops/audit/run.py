"""The audit of a running or resting cluster: reads everything there is, in the checks' order, and reports."""

import gc
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from time import monotonic, process_time

from events.topics import BALANCE_COMMANDS, ORDER_COMMANDS, PRICES, TOPICS, state_topic
from infra.log.port import TP, Bounds
from infra.raw.batches import Ends, RawReader
from infra.raw.consumer import READERS
from infra.raw.settings import shapes

from . import asking
from .auditor import Auditor
from .batches import Foreign
from .check import Check
from .outcomes import Asked
from .report import Report, lines_of, violations_of
from .where import Where

PATIENCE_S = 60.0
Told = Callable[[int, int], None]
"""Takes how many offsets are read, and of how many."""


def silent(_done: int, _total: int) -> None:
    """Shows nothing."""


async def audit(
    where: Where,
    *,
    patience_s: float = PATIENCE_S,
    prefix: bool = False,
    journal: Iterable[Asked] | None = None,
    foreign: frozenset[tuple[str, int, int]] = frozenset(),
    more: Sequence[Check] = (),
    told: Told = silent,
) -> Report:
    """Returns what was found. patience_s: how long it waits for the services to be at rest; prefix: it doesn't wait,
    and asks only what holds at any time; foreign: records that a test wrote in a service's name; more: further checks.

    Raises: Unavailable, KafkaError.
    """
    begun, cpu = monotonic(), process_time()
    topics = await shapes(where.kafka)
    tps = in_order((name, p) for name, found in topics.items() for p in range(found.partitions))
    partitions = topics[ORDER_COMMANDS.name].partitions
    async with reading(where.kafka) as reader:
        rest = None if prefix else await asking.rest(where, reader, tps, patience_s)
        ends = rest.ends if rest else await reader.ends(tps)
        views = rest.views if rest else []
        auditor = Auditor(
            partitions, journal=journal, foreign=Foreign(foreign), views=views, more=more
        )
        since = await show(auditor, reader, ends, told)
        await asking.transactions(auditor, reader, ends)
    await asking.consumers(auditor, where.kafka, ends)
    asking.settings(auditor, topics, partitions)
    if at_rest := rest is not None:
        asking.processes(auditor, rest)
    auditor.close(at_rest=at_rest)
    offsets = {tp: Bounds(end.start, end.end) for tp, end in ends.items()}
    spent = monotonic() - begun, process_time() - cpu
    lines = lines_of(auditor.checks, at_rest=at_rest)
    violations = violations_of(auditor.checks, at_rest=at_rest)
    return Report(
        lines, violations, offsets, since, at_rest, auditor.events, *spent, tuple(READERS)
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
