"""A generation being built: records of its topics read, folded and written, from its checkpoints on."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

from events.topics import Topic, topic
from infra.crash import Point, passed
from infra.log.port import TP, Log, Reader, Record
from infra.views.port import Batch, Generation, Input

from .projections.folding import Folding, Plan
from .projections.projection import Projection

WAIT_MS = 500
Projections = Sequence[Projection[Any]]
Observe = Callable[[Plan, Batch], None]
Offsets = Mapping[Input, int]
"""By input, an offset behind the last one meant."""


class Refused(Exception):
    """The view stands elsewhere than its writer believed, or is sealed. Nothing was written."""


def topics_of(projections: Projections) -> tuple[Topic[Any], ...]:
    return tuple(dict.fromkeys(projection.kind.topic for projection in projections))


class Building:
    """observe: is told of each plan once it is written."""

    def __init__(
        self,
        generation: Generation,
        reader: Reader,
        foldings: Mapping[Input, Folding],
        observe: Observe,
    ) -> None:
        self.generation, self.reader, self.foldings = generation, reader, foldings
        self.observe = observe
        self._sources = {tp_of(source): source for source in foldings}

    async def turn(self, until: Offsets | None = None) -> None:
        """Folds what has come in, at once if something has; what stands at `until` or behind is lost.

        Raises: Refused; OutOfRange; Unavailable.
        """
        fetched = await self.reader.fetch(WAIT_MS)
        taken = (
            self._take(source, [r for r in records if until is None or r.offset < until[source]])
            for source, records in ((self._sources[tp], rs) for tp, rs in fetched.items())
        )
        failures = [e for e in await asyncio.gather(*taken, return_exceptions=True) if e]
        for failure in sorted(failures, key=lambda e: isinstance(e, Refused)):
            raise failure

    async def _take(self, source: Input, records: Sequence[Record]) -> None:
        folding, generation = self.foldings[source], self.generation
        for plan in folding.plans(records, generation.limit):
            misses = folding.misses(plan)
            found = await generation.find(source.place, misses) if misses else {}
            batch = folding.fold(plan, found)
            passed(Point.VIEW_FOLDED)
            written = await generation.write(batch)
            passed(Point.VIEW_WRITTEN)
            if written != "written":
                raise Refused(f"{written}: {source.topic}-{source.partition} at {batch.start}")
            self.observe(plan, batch)

    async def require(self) -> None:
        """Raises: Refused if the view stands elsewhere than it was left, Unavailable."""
        for source, mark in (await self.generation.marks()).items():
            if mark.position != self.foldings[source].mark.position:
                raise Refused(f"{source.topic}-{source.partition} stands at {mark.position}")

    def positions(self) -> Offsets:
        """Returns how far each input was folded and written."""
        return {source: folding.mark.position for source, folding in self.foldings.items()}

    def has_reached(self, ends: Offsets) -> bool:
        """Returns whether all that stands before these offsets was folded."""
        return all(self.reader.position(tp_of(source)) >= end for source, end in ends.items())


def tp_of(source: Input) -> TP:
    return source.topic, source.partition


async def ends_of(log: Log, sources: Sequence[Input]) -> Offsets:
    """Returns where the inputs end now."""
    bounds = await log.bounds(map(tp_of, sources))
    return {source: bounds[tp_of(source)].end for source in sources}


@asynccontextmanager
async def building(
    generation: Generation, projections: Projections, log: Log, observe: Observe
) -> AsyncIterator[Building]:
    """Returns the generation as it stands. An event topic whose start was deleted can't be folded: OutOfRange."""
    marks = await generation.marks()
    bounds = await log.bounds(map(tp_of, marks))
    positions = {
        tp_of(source): max(mark.position, bounds[tp_of(source)].start)
        if may_lose_its_start(topic(source.topic))
        else mark.position
        for source, mark in marks.items()
    }
    foldings = {
        source: Folding(
            source, topic(source.topic), projections, mark, ages=not generation.keeps_all
        )
        for source, mark in marks.items()
    }
    reader = await log.reader(positions)
    try:
        yield Building(generation, reader, foldings, observe)
    finally:
        await reader.stop()


def may_lose_its_start(source: Topic[Any]) -> bool:
    """Returns whether the newest records of the topic say all that counts."""
    return source.compacted or source.retention_days is not None
