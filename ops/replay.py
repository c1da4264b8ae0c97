"""Rebuilding a view from its topics, beside the one that serves, and proving that nothing changes.

The new generation is folded from the first record on while the old one goes on. Then the old one is sealed, which
stops its projector; the new one is folded to the very same checkpoints, and their rows compared by hash. If they
are the same, readers and projector are switched by one pointer and the old rows dropped.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import (
    AbstractAsyncContextManager,
    asynccontextmanager,
    contextmanager,
    suppress,
)
from hashlib import sha256
from time import monotonic
from typing import NamedTuple

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from gateway.building import Offsets, Projections, building, topics_of, tp_of
from gateway.projections.folding import Plan
from gateway.views import HISTORY, LIVE
from infra.log.clock import SystemClock
from infra.log.kafka import KafkaLog
from infra.log.port import Log
from infra.process.settings import ViewSettings, load
from infra.views import history, live
from infra.views.port import Batch, Generation, Generations, inputs

LEASE_MS = 30_000
RENEW_S = 10
Told = Callable[[int, int], None]
"""Takes how many offsets are folded, and of how many."""


class View(NamedTuple):
    generations: Generations
    projections: Projections


class Replayed(NamedTuple):
    """old, new: generations; before, after: hashes of their rows at the same checkpoints; differing: the first
    row in which they differ; switched: whether the new one serves.
    """

    records: int
    seconds: float
    rows: int
    old: int
    new: int
    before: str
    after: str
    differing: str | None
    switched: bool

    def as_text(self) -> str:
        rate = round(self.records / max(self.seconds, 0.001))
        same = "the same" if self.differing is None else f"they differ, first in {self.differing}"
        serves = self.new if self.switched else self.old
        return (
            f"{self.records} events in {self.seconds:.1f} s: {rate} events/s, {self.rows} rows\n"
            f"before {self.before}\nafter  {self.after}\n{same}; generation {serves} serves"
        )


class Overtaken(Exception):
    """Another replay switched the view meanwhile, or the store was emptied; nothing was changed."""


async def replay(view: View, log: Log, told: Told, *, anyway: bool = False) -> Replayed:
    """Returns what the rebuilding came to. anyway: switch also if rows differ.

    Raises: Overtaken; OutOfRange if a topic has lost its first events; Unavailable.
    """
    number = await view.generations.serving()
    old, new = await view.generations.open(number), await view.generations.create()
    begun, switched = monotonic(), False
    try:
        records = await fold(new, view.projections, log, await checkpoints(old), told)
        async with sealed(old):
            end = await checkpoints(old)
            records += await fold(new, view.projections, log, end, told)
            seconds = monotonic() - begun
            before, after = await old.digests(), await new.digests()
            differing = first_difference(before, after)
            if differing is None or anyway:
                ready = await new.set_ready(end)
                if not (ready and await view.generations.switch(number, new.number)):
                    raise Overtaken(f"generation {number} serves no more")
                switched = True
    finally:
        await view.generations.drop(number if switched else new.number)
    return Replayed(
        records=records,
        seconds=seconds,
        rows=len(after),
        old=number,
        new=new.number,
        before=hash_of(before),
        after=hash_of(after),
        differing=differing,
        switched=switched,
    )


async def checkpoints(generation: Generation) -> Offsets:
    return {source: mark.position for source, mark in (await generation.marks()).items()}


async def fold(
    new: Generation, projections: Projections, log: Log, until: Offsets, told: Told
) -> int:
    """Returns how many records it folded to come from where the generation stands to these offsets."""
    bounds = await log.bounds(map(tp_of, until))
    starts = {source: bounds[tp_of(source)].start for source in until}
    total = sum(max(0, end - starts[source]) for source, end in until.items())
    records = 0

    def count(plan: Plan, _: Batch) -> None:
        nonlocal records
        records += plan.records

    async with building(new, projections, log, count) as being_built:
        while not being_built.has_reached(until):
            await being_built.turn(until)
            done = (f.mark.position - starts[source] for source, f in being_built.foldings.items())
            told(sum(max(0, folded) for folded in done), total)
    told(total, total)
    return records


@asynccontextmanager
async def sealed(generation: Generation) -> AsyncIterator[None]:
    """Keeps the generation from taking batches for as long as the block runs, and half a minute if we die in it."""
    clock = SystemClock()

    async def renew() -> None:
        while True:
            await asyncio.sleep(RENEW_S)
            await generation.seal(clock.now_ms() + LEASE_MS)

    await generation.seal(clock.now_ms() + LEASE_MS)
    renewing = asyncio.create_task(renew())
    try:
        yield
    finally:
        renewing.cancel()
        with suppress(asyncio.CancelledError):
            await renewing
        await generation.seal(0)


def hash_of(digests: Mapping[str, bytes]) -> str:
    """Returns the SHA-256 over all rows, in the order of their keys."""
    total = sha256()
    for key in sorted(digests):
        total.update(key.encode() + b"\0" + digests[key])
    return total.hexdigest()


def first_difference(before: Mapping[str, bytes], after: Mapping[str, bytes]) -> str | None:
    """Returns the first key whose row is not the same in both, None if they are equal."""
    keys = before.keys() | after.keys()
    return min((key for key in keys if before.get(key) != after.get(key)), default=None)


@asynccontextmanager
async def live_view(settings: ViewSettings) -> AsyncIterator[View]:
    sources = inputs(topics_of(LIVE), settings.partition_count)
    async with live.connect(settings.redis) as client:
        yield View(live.LiveStore(client, sources, settings.partition_count), LIVE)


@asynccontextmanager
async def history_view(settings: ViewSettings) -> AsyncIterator[View]:
    sources = inputs(topics_of(HISTORY), settings.partition_count)
    async with history.connect(settings.dynamodb) as client:
        yield View(history.HistoryStore(client, sources, settings.partition_count), HISTORY)


VIEWS: Mapping[str, Callable[[ViewSettings], AbstractAsyncContextManager[View]]] = {
    "live": live_view,
    "history": history_view,
}


@contextmanager
def counting(console: Console, name: str) -> Iterator[Told]:
    """Returns what shows how far it is: a bar, the rate and the time left."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rate]:>10,.0f}/s"),
        TimeRemainingColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bars:
        task = bars.add_task(name, total=None, rate=0)
        begun = monotonic()

        def told(done: int, total: int) -> None:
            rate = done / max(monotonic() - begun, 0.001)
            bars.update(task, completed=done, total=total, rate=rate)

        yield told


def settings_of(endpoints: Mapping[str, str]) -> ViewSettings:
    """Returns the settings of a process of the stack with these endpoints."""
    return load(ViewSettings).model_copy(update={**endpoints, "process": "replay"})


async def replay_named(name: str, settings: ViewSettings, told: Told, *, anyway: bool) -> Replayed:
    """Returns what came of replaying the view of that name, on the servers of the settings. Raises as replay does."""
    log = KafkaLog(settings.kafka)
    try:
        async with VIEWS[name](settings) as view:
            return await replay(view, log, told, anyway=anyway)
    finally:
        await log.stop()
