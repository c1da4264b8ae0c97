"""How fast the auditor checks: a log made by the services, on the log in memory, encoded as a broker keeps it.

`python -m bench.audit [ORDERS]` prints events a second of CPU: fetching aside, all that an audit does with a record.
"""

import asyncio
import gc
import logging
import sys
from collections.abc import Iterator, Sequence
from time import process_time

import structlog
from aiokafka.record.default_records import DefaultRecordBatchBuilder

from bench.orders import accounts, deposit, listings, now_ms, order, tick
from bench.report import Figure
from events.codec import encode
from events.envelope import Command
from events.topics import ASSETS, BALANCE_COMMANDS, ORDER_COMMANDS, PRICES, TOPICS, Topic
from infra.log.clock import VirtualClock
from infra.log.life import Life
from infra.log.memory import MemoryLog
from infra.log.port import TP, Draft, Record
from infra.raw.batches import cut, parsed
from infra.shell.shell import Shell
from ops.audit.auditor import Auditor
from ops.audit.run import in_order
from ops.provision import SHELL_SERVICES, topic_specs

ORDERS, OWNERS = 25_000, 1_000
AT_ONCE, BATCH = 100, 100
"""Commands that come at once, and so what a service's batch answers; records of a batch that no service wrote."""
JSON = (("content-type", b"application/json"),)
Encoded = dict[TP, list[bytes]]


async def made(orders: int) -> MemoryLog:
    """Returns a log with so many orders, all of them filled and settled."""
    log = MemoryLog(topic_specs(1), clock := VirtualClock(now_ms()))
    owners = accounts(0, 1, OWNERS)
    for asset in listings():
        log.put((ASSETS.name, 0), [Draft(asset.asset_id.encode(), encode(asset))])
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for service in SHELL_SERVICES:
            shell = Shell(service, Life(log), clock, owned=(0,), partitions=1, write_versions={})
            tasks.create_task(shell.run(stop))
        send(log, BALANCE_COMMANDS, [deposit(10**9 + n, owner) for n, owner in enumerate(owners)])
        for first in range(0, orders, AT_ONCE):
            log.put((PRICES.name, 0), [Draft(None, encode(tick(first)))])
            send(log, ORDER_COMMANDS, [order(first + n, owners) for n in range(AT_ONCE)])
            await clock.sleep(2_000)
        await clock.sleep(10_000)
        stop.set()
    return log


def send(log: MemoryLog, topic: Topic[object], commands: Sequence[Command]) -> None:
    for command in commands:
        log.put((topic.name, 0), [Draft(command.account_id.encode(), encode(command), JSON)])


def encoded(log: MemoryLog) -> Encoded:
    """Returns each partition as a broker keeps it, cut where its services ended their batches."""
    return {
        tp: [raw(records) for records in batches(log.read(tp))]
        for tp in in_order(tp for tp in log.partitions if tp[0] in {t.name for t in TOPICS})
    }


def batches(records: Sequence[Record]) -> Iterator[Sequence[Record]]:
    """Yields the records as they were appended: a service's up to its checkpoint, a claim alone, others some."""
    some: list[Record] = []
    for record in records:
        names = [name for name, _ in record.headers]
        some.append(record)
        full = len(some) == BATCH and "cause" not in names
        if full or "checkpoint" in names or (names == ["kind"]):
            yield some
            some = []
    if some:
        yield some


def raw(records: Sequence[Record]) -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2,
        compression_type=0,
        is_transactional=0,
        producer_id=1,
        producer_epoch=1,
        base_sequence=0,
        batch_size=1 << 30,
    )
    first = records[0].offset
    for record in records:
        headers = list(record.headers)
        builder.append(record.offset - first, record.timestamp, record.key, record.value, headers)
    return first.to_bytes(8, "big") + bytes(builder.build())[8:]


def audited(log: Encoded) -> Auditor:
    """Returns the auditor when it has seen all of it."""
    auditor = Auditor(1)
    for tp, batches_ in log.items():
        auditor.begin()
        for one in batches_:
            for first, last, _ in cut(one):
                auditor.take(parsed(tp, one[first:last]))
    auditor.close(at_rest=True)
    return auditor


def audit(orders: int) -> list[Figure]:
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    log = encoded(asyncio.run(made(orders)))
    gc.disable()  # as an audit does
    begun = process_time()
    auditor = audited(log)
    seconds = process_time() - begun
    gc.enable()
    told = [violation for check in auditor.checks for violation in check.told]
    assert not told, told[:5]
    decoding = auditor.events / decoded(log)
    rate = auditor.events / seconds
    what = f"audit of {auditor.events:,} records"
    return [Figure(what, rate, "records/s of one core", "decoding alone", decoding)]


def decoded(log: Encoded) -> float:
    """Returns the seconds of CPU that it takes to decode the batches and nothing else."""
    begun = process_time()
    for tp, batches_ in log.items():
        for one in batches_:
            for first, last, _ in cut(one):
                parsed(tp, one[first:last])
    return process_time() - begun


if __name__ == "__main__":
    for figure in audit(int(sys.argv[1]) if len(sys.argv) > 1 else ORDERS):
        print(f"{figure.what}: {figure.value:,.0f} {figure.unit}, ratio {figure.ratio:.3f}")
