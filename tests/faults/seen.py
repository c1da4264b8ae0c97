"""What a view shows of a stack: whether it is whole again, and the same as one built anew."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from gateway.building import Projections, ends_of, topics_of
from gateway.views import HISTORY, LIVE
from infra.log.kafka import KafkaLog
from infra.unavailable import Unavailable
from infra.views import history, live
from infra.views.port import Input, NotReady, Reading, inputs
from ops.replay import Replayed, replay_named, settings_of
from ops.stack.folder import RunFolder
from tests.faults.lives import PARTITIONS
from tests.stand import until

MARKERS = 2
"""Offsets behind a topic's last record that nobody reads, after a take-over that came to nothing more."""
SERVERS = ("kafka", "dynamodb", "redis")


class Seen:
    """A view as any reader sees it, beside the log that it folds."""

    def __init__(self, reading: Reading, sources: tuple[Input, ...], log: KafkaLog) -> None:
        self.reading, self.sources, self.log = reading, sources, log

    async def ends(self) -> Mapping[Input, int]:
        """Returns where its inputs end now."""
        return await ends_of(self.log, self.sources)

    async def shows(self, ends: Mapping[Input, int]) -> bool:
        """Returns whether it is there, and has all that stood before these ends."""
        try:
            looks = {
                place: await self.reading.look(place, "", ())
                for place in {source.place for source in ends}
            }
        except (NotReady, Unavailable):
            return False
        return all(
            looks[source.place].as_of.positions.get(source.topic, 0) >= end - MARKERS
            for source, end in ends.items()
        )

    async def is_whole(self) -> float:
        """Returns the seconds until it shows all that stands in the log now."""
        return await self.shown(await self.ends())

    async def shown(self, ends: Mapping[Input, int]) -> float:
        """Returns the seconds until it shows all that stood before these ends."""
        return await until(lambda: self.shows(ends), "the view is whole")


def sources(projections: Projections) -> tuple[Input, ...]:
    return inputs(topics_of(projections), PARTITIONS)


@asynccontextmanager
async def seen_live(stack: RunFolder) -> AsyncIterator[Seen]:
    endpoints, log = stack.endpoints(), KafkaLog(stack.endpoints()["kafka"])
    async with live.connect(f"{endpoints['redis']}/0") as client:
        yield Seen(live.LiveStore(client, sources(LIVE), PARTITIONS), sources(LIVE), log)
    await log.stop()


@asynccontextmanager
async def seen_history(stack: RunFolder) -> AsyncIterator[Seen]:
    endpoints, log = stack.endpoints(), KafkaLog(stack.endpoints()["kafka"])
    async with history.connect(endpoints["dynamodb"]) as client:
        yield Seen(
            history.HistoryStore(client, sources(HISTORY), PARTITIONS), sources(HISTORY), log
        )
    await log.stop()


async def built_anew(stack: RunFolder, name: str) -> Replayed:
    """Returns what a rebuilding of the view came to. Raises: AssertionError if a row differs."""
    settings = settings_of({server: stack.endpoints()[server] for server in SERVERS})
    found = await replay_named(name, settings, lambda *_: None, anyway=False)
    assert found.switched, found.as_text()
    return found
