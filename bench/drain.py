"""The drain: how fast the shell takes a backlog of orders, beside a bare consumer that only reads it.

The shell is the order service's own, as shipped: repeats dropped, snapshots on, one process, one partition.
Each round fills a partition of its own, has both drain it, and then reads every event that came of it.
"""

import asyncio
from collections.abc import Iterator
from statistics import median
from time import perf_counter, process_time
from typing import NamedTuple

from aiokafka import TopicPartition

from bench.apart import apart
from bench.fill import fill, repeats
from bench.orders import accounts, order_id
from bench.report import MICROSECONDS, Figure
from bench.servers import cpu_seconds, stack
from bench.yardsticks import consume
from events.order import OrderAccepted
from events.topics import ORDER_COMMANDS, ORDER_EVENTS
from infra.log.admin import ensure
from infra.log.clock import SystemClock
from infra.log.kafka import KafkaLog
from infra.shell.reading import is_control, stretch
from infra.shell.shell import Shell
from ops.provision import topic_specs
from ops.stack.folder import RunFolder
from services.order.app import SERVICE

POLL_S = 0.02


class Drained(NamedTuple):
    """seconds: of the wall; cpu: seconds of the process's own."""

    seconds: float
    cpu: float
    snapshots: int = 0


class Round(NamedTuple):
    """broker: CPU seconds of the server meanwhile, for the shell and for the bare consumer."""

    shell: Drained
    bare: Drained
    broker: tuple[float, float]
    warm: float


def drain(rounds: int, count: int) -> list[Figure]:
    """Returns the figures of so many rounds of so many orders each."""
    with stack("kafka", partitions=rounds) as folder:
        bootstrap = folder.endpoints()["kafka"]
        asyncio.run(make_topics(bootstrap, rounds))
        done = [one_round(folder, p, rounds, count) for p in range(rounds)]
    return list(figures(done, count))


async def make_topics(bootstrap: str, partitions: int) -> None:
    await ensure(topic_specs(partitions), bootstrap)


def one_round(folder: RunFolder, p: int, partitions: int, count: int) -> Round:
    bootstrap = folder.endpoints()["kafka"]
    apart(fill, bootstrap, p, partitions, count)
    sent = count + repeats(count)
    times = [cpu_seconds(folder, "kafka")]
    bare = Drained(*apart(consume, bootstrap, [TopicPartition(ORDER_COMMANDS.name, p)], sent))
    times.append(cpu_seconds(folder, "kafka"))
    shell = apart(shell_drain, bootstrap, p, partitions, count)
    times.append(cpu_seconds(folder, "kafka"))
    warm = apart(verify, bootstrap, p, partitions, count)
    return Round(shell, bare, (times[2] - times[1], times[1] - times[0]), warm)


async def shell_drain(bootstrap: str, p: int, partitions: int, count: int) -> Drained:
    """Returns what it took from before the take-over to the last event's acknowledgement."""
    log, stop = KafkaLog(bootstrap), asyncio.Event()
    shell = Shell(SERVICE, log, SystemClock(), owned=(p,), partitions=partitions, write_versions={})
    begun, cpu = perf_counter(), process_time()
    running = asyncio.create_task(shell.run(stop))
    while not is_done(shell, p, count):
        if (await asyncio.wait([running], timeout=POLL_S))[0]:
            await running
    drained = Drained(perf_counter() - begun, process_time() - cpu)
    stop.set()
    await running
    await log.stop()
    return drained._replace(snapshots=shell.partitions[p].figures.snapshots)


def is_done(shell: Shell, p: int, count: int) -> bool:
    """Returns whether every order is answered and every repeat dropped."""
    if p not in shell.partitions:
        return False
    done = shell.partitions[p].figures
    return done.events >= count and done.repeats >= repeats(count)


async def verify(bootstrap: str, p: int, partitions: int, count: int) -> float:
    """Returns the events a second of the second half, by the log's own times.

    Raises: AssertionError unless every order was accepted exactly once, each account's events numbered.
    """
    log, own = KafkaLog(bootstrap), (ORDER_EVENTS.name, p)
    answered: set[str] = set()
    sequences = dict.fromkeys(accounts(p, partitions), 0)
    half = last = 0
    async for record in stretch(log, own, 0, (await log.bounds([own]))[own].end):
        if is_control(record):
            continue
        event = ORDER_EVENTS.decode(record.value or b"")
        assert isinstance(event, OrderAccepted), event
        assert event.command_id not in answered, event
        sequences[event.account_id] += 1
        assert event.sequence == sequences[event.account_id], event
        answered.add(event.command_id)
        last = record.timestamp
        if len(answered) == count // 2:
            half = last
    await log.stop()
    assert answered == {order_id(n) for n in range(count)}, f"{len(answered)} of {count} answered"
    return (count - count // 2) * 1_000 / max(1, last - half)


def figures(rounds: list[Round], count: int) -> Iterator[Figure]:
    """Yields the medians of the rounds."""
    sent = count + repeats(count)

    def each(what: str, unit: str, ours: list[float], bare: list[float]) -> Figure:
        return Figure(what, median(ours), unit, "bare consumer", median(bare))

    yield each(
        f"shell drain of {sent:,} commands",
        "records/s",
        [sent / r.shell.seconds for r in rounds],
        [sent / r.bare.seconds for r in rounds],
    )
    warm = median(r.warm for r in rounds)
    yield Figure("  its second half", warm, "records/s")
    yield each(
        "  CPU of the process",
        "µs/record",
        [r.shell.cpu / sent * MICROSECONDS for r in rounds],
        [r.bare.cpu / sent * MICROSECONDS for r in rounds],
    )
    yield each(
        "  CPU of the broker",
        "µs/record",
        [r.broker[0] / sent * MICROSECONDS for r in rounds],
        [r.broker[1] / sent * MICROSECONDS for r in rounds],
    )
    yield Figure("  snapshots written", median(r.shell.snapshots for r in rounds), "")
