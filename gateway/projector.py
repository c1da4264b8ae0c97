"""The process that folds a view: from its checkpoints to the end of its topics, and on for ever.

A batch that the view refuses means that another writer was there, or that another generation serves now; one
that it did not answer may be written or not: all that is in memory is dropped, and the view is asked where it stands.
"""

import asyncio
import os

import structlog
from prometheus_client import Counter, Histogram

from infra.log.clock import SystemClock
from infra.log.kafka import KafkaLog
from infra.log.port import Clock, Log
from infra.process.metrics import latency
from infra.process.run import Program
from infra.process.server import serve_admin
from infra.process.settings import HistorySettings, LiveSettings, Settings
from infra.unavailable import Unavailable
from infra.views import history, live
from infra.views.port import Batch, Generation, Generations, inputs

from .building import Projections, Refused, building, ends_of, topics_of
from .projections.folding import Plan
from .views import HISTORY, LIVE

PAUSE_MS = 200
ASK_MS = (
    1_000  # a store that was emptied does not say so, and perhaps nothing comes for a long while
)
NICE = 10  # whoever waits for an answer goes first, history may lag
HISTORY_WITHIN = 15  # s: nobody waits, and whoever gives up on a transaction has to begin anew
GATHER_MS = 250  # what comes meanwhile is one transaction for the history, not one each

RECORDS = Counter("orderstream_view_records", "Records folded.", ["view", "topic"])
UNREADABLE = Counter("orderstream_view_unreadable", "Records passed over.", ["view", "topic"])
ROWS = Histogram(
    "orderstream_view_batch_rows",
    "Rows written in one batch.",
    ["view"],
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500),
)
LAG = latency("view_lag", "From a batch's newest append to its rows in view.", ["view", "topic"])

log = structlog.get_logger()


class Projector:
    """name: the view's. ready: whether it has reached the end that its topics had when it began.

    gather_ms: how long it lets records gather between two turns, once it is ready.
    """

    def __init__(
        self,
        name: str,
        views: Generations,
        projections: Projections,
        source: Log,
        clock: Clock,
        *,
        gather_ms: int = 0,
    ) -> None:
        self.name, self.views, self.projections = name, views, projections
        self.source, self.clock, self.gather_ms = source, clock, gather_ms
        self.ready = False

    async def run(self, stop: asyncio.Event) -> None:
        """Folds until stop is set. Raises: whatever is unexpected; the restart heals."""
        while not stop.is_set():
            try:
                await self.views.ensure()
                await self.follow(await self.views.open(await self.views.serving()), stop)
            except (Refused, Unavailable) as failure:
                self.ready = False
                log.warning("begun_anew", view=self.name, why=repr(failure))
                await self.clock.sleep(PAUSE_MS)

    async def follow(self, generation: Generation, stop: asyncio.Event) -> None:
        """Folds into the generation until stop is set. Raises: Refused, Unavailable."""
        self.ready = False
        async with building(generation, self.projections, self.source, self.observe) as being_built:
            ends = await ends_of(self.source, tuple(being_built.foldings))
            asked = self.clock.now_ms()
            while not stop.is_set():
                if self.clock.now_ms() - asked >= ASK_MS:
                    await being_built.require()
                    asked = self.clock.now_ms()
                if not self.ready and being_built.has_reached(ends):
                    if not await generation.set_ready(being_built.positions()):
                        raise Refused("emptied before it was ready")
                    self.ready = True
                    log.info("view_ready", view=self.name, generation=generation.number)
                await being_built.turn()
                if self.ready and self.gather_ms:
                    await self.clock.sleep(self.gather_ms)

    def observe(self, plan: Plan, batch: Batch) -> None:
        """Counts what was written, and says what could not be read."""
        topic = batch.input.topic
        RECORDS.labels(self.name, topic).inc(plan.records)
        ROWS.labels(self.name).observe(len(batch.rows))
        LAG.labels(self.name, topic).observe(max(0, self.clock.now_ms() - batch.time) / 1000)
        for offset, reason in plan.passed:
            UNREADABLE.labels(self.name, topic).inc()
            log.error(
                "record_passed_over",
                view=self.name,
                topic=topic,
                partition=batch.input.partition,
                offset=offset,
                reason=reason,
            )


async def project(
    name: str,
    views: Generations,
    projections: Projections,
    settings: Settings,
    stop: asyncio.Event,
    *,
    gather_ms: int = 0,
) -> None:
    """Folds the view until stop is set."""
    source = KafkaLog(settings.kafka)
    projector = Projector(name, views, projections, source, SystemClock(), gather_ms=gather_ms)
    try:
        async with serve_admin(settings, lambda: {name: projector.ready}):
            await projector.run(stop)
    finally:
        await source.stop()


async def project_live(settings: LiveSettings, stop: asyncio.Event) -> None:
    sources = inputs(topics_of(LIVE), settings.partition_count)
    async with live.connect(settings.redis) as client:
        store = live.LiveStore(client, sources, settings.partition_count)
        await project("live", store, LIVE, settings, stop)


async def project_history(settings: HistorySettings, stop: asyncio.Event) -> None:
    os.nice(NICE)
    sources = inputs(topics_of(HISTORY), settings.partition_count)
    async with history.connect(settings.dynamodb, HISTORY_WITHIN) as client:
        store = history.HistoryStore(client, sources, settings.partition_count)
        await project("history", store, HISTORY, settings, stop, gather_ms=GATHER_MS)


main_live = Program(project_live, LiveSettings)
main_history = Program(project_history, HistorySettings)
