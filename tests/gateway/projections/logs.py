"""Logs that the services wrote: of simulated runs with crashes, take-overs and repeats; and folding them."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from random import Random
from typing import Any, TypeVar

from events.envelope import Event
from events.ids import partition_of
from events.order import OrderOpened
from events.topics import ORDER_EVENTS, topic
from gateway.building import Projections, topics_of
from gateway.projections.folding import Folding
from infra.log.memory import MemoryLog
from infra.log.port import Record
from infra.views.memory import MemoryGeneration, MemoryStore
from infra.views.port import Input, Mark, inputs
from tests.messages import orders
from tests.messages.envelope import ACCOUNT, NOW, numbered, stamped
from tests.simulation.run import simulate
from tests.simulation.world import PARTITIONS

E = TypeVar("E", bound=Event)
Log = Mapping[Input, Sequence[Record]]
Cut = Callable[[Sequence[Record]], Sequence[Sequence[Record]]]


@cache
def simulated(seed: int) -> MemoryLog:
    """Returns the brokers at the end of the run."""
    return simulate(seed).log


def topics_at_end(log: MemoryLog, projections: Projections, slower: int = 1) -> Log:
    """Returns what the projections' topics hold, told as if it had taken so many times longer."""
    return {
        source: [
            record._replace(timestamp=NOW + (record.timestamp - NOW) * slower)
            for record in log.read((source.topic, source.partition))
        ]
        for source in inputs(topics_of(projections), PARTITIONS)
    }


async def fold(
    projections: Projections, log: Log, cut: Cut, *, keeps_all: bool = False, limit: int = 500
) -> MemoryStore:
    """Returns the view of the log, each partition read in the pieces into which it is cut."""
    store = MemoryStore(tuple(log), PARTITIONS, keeps_all=keeps_all)
    generation = await store.open(1)
    for source, records in log.items():
        await fold_one(generation, projections, source, cut(records), limit)
    await generation.set_ready({})
    return store


async def fold_one(
    generation: MemoryGeneration,
    projections: Projections,
    source: Input,
    pieces: Sequence[Sequence[Record]],
    limit: int,
) -> None:
    mark = Mark(0, 0)
    for piece in pieces:  # each as a projector that was just started
        folding = Folding(
            source, topic(source.topic), projections, mark, ages=not generation.keeps_all
        )
        for plan in folding.plans(piece, limit):
            found = await generation.find(source.place, folding.misses(plan))
            assert await generation.write(folding.fold(plan, found)) == "written"
            await asyncio.sleep(0)
        mark = folding.mark


def whole(records: Sequence[Record]) -> Sequence[Sequence[Record]]:
    return [records]


def one_by_one(records: Sequence[Record]) -> Sequence[Sequence[Record]]:
    return [[record] for record in records]


def at_random(rng: Random) -> Cut:
    """Returns a cut into pieces of up to 50 records."""

    def cut(records: Sequence[Record]) -> Sequence[Sequence[Record]]:
        pieces, start = [], 0
        while start < len(records):
            end = start + rng.randint(1, 50)
            pieces.append(records[start:end])
            start = end
        return pieces

    return cut


def long_life(rng: Random) -> Log:
    """Returns what one account's orders came to in weeks: more of them than a live view keeps, some open all the
    while, and commands that are answered once more after days.
    """
    open_: list[Any] = []
    events: list[Any] = []
    for n in range(1, 301):
        buy = orders.place("buy", quantity=100, n=n)
        events.append(own(orders.accepted(buy, hold=62), n))
        if rng.random() < 0.3:
            events.append(own(OrderOpened(account_id=ACCOUNT, order_id=buy.id, revision=1), n))
            open_.append(buy)
        else:
            events.append(own(orders.filled(buy, 100, cost=60, fee=1), n))
        if rng.random() < 0.3 and open_:
            late = open_.pop(rng.randrange(len(open_)))
            events.append(
                own(orders.canceled(late, "canceled_by_client"), 1_000 + rng.randrange(9))
            )
        if rng.random() < 0.2:
            refused = orders.refused(orders.cancel(), rng.choice(["order_unknown", "order_closed"]))
            events.append(own(refused, 2_000 + rng.randrange(5)))
    source = Input(str(partition_of(ACCOUNT, PARTITIONS)), ORDER_EVENTS.name, 0)
    time, records = NOW, []
    for offset, event in enumerate(events):
        time += rng.choice((1, 1_000, 1_000_000, 3_600_000))
        value = ORDER_EVENTS.encode(event)
        records.append(Record(source.topic, 0, offset, time, ACCOUNT.encode(), value))
    return {source: records}


def own(event: E, n: int) -> E:
    """Returns the event as the shell writes it, in answer to the n-th command."""
    return stamped(event, command_id=numbered(n))
