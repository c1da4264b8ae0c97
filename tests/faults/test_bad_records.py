"""Records that are none, written by a rogue to every input: set aside once each, soon, and nobody waits for it."""

import asyncio
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from statistics import median, quantiles
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from events.codec import Poison
from events.control import RecordQuarantined
from events.ids import partition_of
from events.topics import (
    BALANCE_COMMANDS,
    BALANCE_EVENTS,
    CONTROL,
    ORDER_COMMANDS,
    ORDER_EVENTS,
    Topic,
)
from infra.log.kafka import KafkaLog
from infra.log.port import TP, Log, Record
from infra.shell.reading import is_control
from infra.shell.service import Service
from ops.provision import SHELL_SERVICES
from ops.stack.folder import RunFolder
from tests.contracts.log_worlds import read
from tests.faults.brokers import Behind
from tests.faults.lives import now_ms
from tests.faults.poison import MISPLACED, kinds, sample
from tests.faults.rogue import Raw, write
from tests.faults.table import row
from tests.faults.world import busy
from tests.stand import is_back, kill, standing, until

P = 2
SOON_S = 1
WINDOW_MS, BETWEEN_S = 5_000, 0.05
ONE_BATCH_MS = 50
QUICK = "balance"  # it reads both commands and events
REASONS = {
    "an unknown type": "unknown_type",
    "a newer version": "newer_version",
    **dict.fromkeys(MISPLACED, "misplaced"),
}
"""Of each kind, where it is not that it is malformed."""

pytestmark = pytest.mark.stack


class Put(NamedTuple):
    """A record that the rogue wrote at an offset, and why it must be set aside."""

    raw: Raw
    reason: str


Strewn = Mapping[TP, dict[int, Put]]
"""By partition that they were written to, and by offset."""


def account(p: int) -> str:
    """Returns a new account of the partition."""
    while partition_of(account_id := str(uuid4()), P) != p:
        pass
    return account_id


def asks(service: Service, topic: Topic[Any]) -> bool:
    return bool(service.commands.intersection(topic.types))


async def strew(bootstrap: str, service: Service) -> Strewn:
    """Writes every kind of poison to each input of partition 0; behind an event that is, others of its account."""
    strewn: dict[TP, dict[int, Put]] = {}
    for topic in service.topics.values():
        tp = (topic.name, 0)
        put = strewn[tp] = {}
        for kind, poison in kinds(topic).items():
            raw = poison.make(topic, account(0), account(1))
            offset = await write(bootstrap, tp, [raw], poison.codec)
            put[offset] = Put(raw, REASONS.get(kind, "malformed"))
        if topic in service.reads and not asks(service, topic):
            held = account(0)
            followers = [Raw(held.encode(), sample(topic, held, sequence=n)) for n in range(1, 4)]
            offset = await write(bootstrap, tp, [Raw(held.encode(), b"garbage"), *followers])
            put[offset] = Put(Raw(held.encode(), b"garbage"), "malformed")
            put |= {offset + n: Put(raw, "follows") for n, raw in enumerate(followers, 1)}
    return strewn


async def set_aside(log: Log, service: Service, origin: str, p: int) -> list[Record]:
    """Returns the dead letters of a topic that the owner of p wrote."""
    found = await read(log, service.dead_letters(origin, p))
    return [record for record in found if not is_control(record)]


async def check(log: Log, service: Service, strewn: Strewn) -> list[float]:
    """Returns the seconds from each record to its dead letter. Raises: AssertionError unless each stands there once,
    whole and in order, and the own log names it once.
    """
    seconds = []
    for (topic, _), put in strewn.items():
        times = {record.offset: record.timestamp for record in await read(log, (topic, 0))}
        for p in range(P) if service.topics[topic] in service.follows else (0,):
            letters = await set_aside(log, service, topic, p)
            told = [dict(letter.headers) for letter in letters]
            assert [t["origin"] for t in told] == [f"{topic}:0:{at}".encode() for at in put]
            assert [t["reason"].decode() for t in told] == [what.reason for what in put.values()]
            assert [(letter.key, letter.value) for letter in letters] == [
                (what.raw.key, what.raw.value) for what in put.values()
            ]
            named = Counter(
                note.offset for note in await notes(log, service, p) if note.topic == topic
            )
            assert named == Counter(put.keys())
            seconds += [
                (letter.timestamp - times[at]) / 1000
                for at, letter in zip(put, letters, strict=True)
            ]
    return seconds


async def notes(log: Log, service: Service, p: int) -> list[RecordQuarantined]:
    """Returns what the own log says of records that were set aside."""
    own = [r for r in await read(log, service.output(p)) if is_control(r)]
    told = [CONTROL(record.value or b"") for record in own]
    return [note for note in told if isinstance(note, RecordQuarantined)]


async def is_done(log: Log, service: Service, strewn: Strewn) -> bool:
    """Returns whether the last record of each topic was set aside by each owner that reads it."""
    for (topic, _), put in strewn.items():
        for p in range(P) if service.topics[topic] in service.follows else (0,):
            named = [note.offset for note in await notes(log, service, p) if note.topic == topic]
            if not named or named[-1] < max(put):
                return False
    return True


async def hit(stack: RunFolder, service: Service) -> list[float]:
    """Returns the seconds from each poison to its dead letter, also of what came while the service was down."""
    bootstrap = stack.endpoints()["kafka"]
    log = KafkaLog(bootstrap)
    try:
        strewn = await strew(bootstrap, service)
        await until(lambda: is_done(log, service, strewn), "all set aside")
        seconds = await check(log, service, strewn)
        dead = kill(stack, service.name)
        for tp, put in (await strew(bootstrap, service)).items():
            strewn[tp].update(put)
        await until(lambda: is_back(stack, service.name, dead), "the service is back")
        await until(lambda: is_done(log, service, strewn), "all set aside, a kill later")
        await check(log, service, strewn)
    finally:
        await log.stop()
    return seconds


async def hops(log: Log, since: int, until_: int) -> list[float]:
    """Returns the ms from each command that was appended in that time, ms, to its first answer."""
    taken: dict[str, int] = {}
    ms: list[float] = []
    for topic, answers in ((ORDER_COMMANDS, ORDER_EVENTS), (BALANCE_COMMANDS, BALANCE_EVENTS)):
        for p in range(P):
            for record in await read(log, (topic.name, p)):
                with suppress(Poison):
                    if since <= record.timestamp < until_:
                        taken[topic.decode(record.value or b"").id] = record.timestamp
            for record in await read(log, (answers.name, p)):
                if not is_control(record):
                    asked = taken.pop(answers.decode(record.value or b"").causation_id, None)
                    ms += [record.timestamp - asked] if asked else []
    return ms


async def pester(kafka: str) -> int:
    """Returns how many records it wrote to the topics of commands, one after the other for a while."""
    begun, n = now_ms(), 0
    while now_ms() - begun < WINDOW_MS:
        for topic in (ORDER_COMMANDS, BALANCE_COMMANDS):
            for p in range(P):
                await write(kafka, (topic.name, p), [Raw(account(p).encode(), b"garbage")])
                n += 1
        await asyncio.sleep(BETWEEN_S)
    return n


@pytest.mark.faults
@pytest.mark.timeout(600)
async def test_nobody_waits_for_anothers_poison(tmp_path: Path, broker: Behind) -> None:
    kafka = broker.address
    async with busy(kafka, tmp_path):
        log, begun = KafkaLog(kafka), now_ms()
        await asyncio.sleep(WINDOW_MS / 1000)
        poisoned = now_ms()
        strewn = await pester(kafka)
        ended = now_ms()
        await asyncio.sleep(SOON_S)
        calm, while_poisoned = await hops(log, begun, poisoned), await hops(log, poisoned, ended)
        await log.stop()
    told = [
        f"{len(each)} commands, p50 {median(each):.0f} ms, p99 {quantiles(each, n=100)[98]:.0f} ms"
        for each in (calm, while_poisoned)
    ]
    print(f"calm: {told[0]}; with {strewn} records of poison: {told[1]}")
    row(39, f"{strewn} poisoned records beside {len(while_poisoned)} good commands", 1, 0)
    assert median(while_poisoned) <= 2 * median(calm) + ONE_BATCH_MS


@pytest.mark.parametrize(
    "service",
    [
        pytest.param(s, id=s.name, marks=() if s.name == QUICK else pytest.mark.faults)
        for s in SHELL_SERVICES
    ],
)
async def test_every_poison_is_set_aside_once_and_at_once(service: Service, tmp_path: Path) -> None:
    with standing(tmp_path, service.name) as stack:
        seconds = await hit(stack, service)
    assert median(seconds) <= SOON_S
    row(39, f"poison of every kind in every input of {service.name}", len(seconds), 0, seconds)
