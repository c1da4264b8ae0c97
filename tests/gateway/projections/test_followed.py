"""What clients follow is each row after each event, in whatever pieces the topic was read."""

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from events.topics import topic
from gateway.projections.accounts import ONLY, AccountRow
from gateway.projections.folding import Folding
from gateway.projections.projection import Projection
from gateway.views import LIVE
from infra.log.memory import MemoryLog
from infra.views.memory import MemoryStore
from infra.views.port import Entry, Input, Mark
from tests.gateway.projections.logs import (
    Cut,
    Log,
    at_random,
    one_by_one,
    simulated,
    topics_at_end,
    whole,
)
from tests.simulation.world import PARTITIONS

FOLLOWED = [projection for projection in LIVE if projection.kind.followed]


@pytest.fixture(params=range(6))
def log(request: pytest.FixtureRequest) -> Log:
    """Returns the topics after a simulated run; the parameter is its seed."""
    brokers: MemoryLog = simulated(request.param)
    return topics_at_end(brokers, FOLLOWED)


async def entries(
    log: Log, cut: Cut, limit: int = 500
) -> tuple[MemoryStore, dict[Input, list[Entry]]]:
    """Returns the view of the log and every entry, each piece folded by a projector that was just started."""
    store = MemoryStore(tuple(log), PARTITIONS)
    generation, found = await store.open(1), {source: list[Entry]() for source in log}
    for source, records in log.items():
        mark = Mark(0, 0)
        for piece in cut(records):
            folding = Folding(source, topic(source.topic), LIVE, mark, ages=True)
            for plan in folding.plans(piece, limit):
                rows = await generation.find(source.place, folding.misses(plan))
                batch = folding.fold(plan, rows)
                found[source] += batch.entries
                assert await generation.write(batch) == "written"
            mark = folding.mark
    return store, found


async def test_how_a_topic_is_cut_changes_no_entry(log: Log) -> None:
    _, first = await entries(log, whole)
    assert any(first.values())
    for cut, limit in ((one_by_one, 500), (whole, 1), (at_random(Random(7)), 7)):
        assert (await entries(log, cut, limit))[1] == first


async def test_the_last_entry_of_a_row_is_the_row(log: Log) -> None:
    store, found = await entries(log, whole)
    generation = await store.open(1)
    for source, told in found.items():
        keys = {(entry.kind, entry.account, identity(entry)): entry.value for entry in told}
        for (kind, account, id_), value in keys.items():
            assert kind.decode(generation.shelf(source.place, kind, account).rows[id_]) == value


def identity(entry: Entry) -> str:
    row = entry.value
    if isinstance(row, AccountRow):
        return ONLY
    return str(getattr(row, "order_id", None) or getattr(row, "asset_id", None) or "USD")


async def test_an_event_makes_one_entry_at_most(log: Log) -> None:
    _, found = await entries(log, whole)
    for told in found.values():
        assert all(one.offset < next_.offset for one, next_ in pairwise(told))


def test_no_event_changes_two_rows_that_are_followed() -> None:
    for source in {projection.kind.topic for projection in FOLLOWED}:
        own: Sequence[Projection[Any]] = [p for p in FOLLOWED if p.kind.topic is source]
        touched = Counter(event for projection in own for event in projection.on)
        assert set(touched.values()) == {1}, source.name
    assert not [projection for projection in FOLLOWED if projection.kind.shared]
