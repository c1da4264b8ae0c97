"""All that stands behind the edge, in this process: a log, the four deciders, the projections and both views.

Inputs are taken one by one and each is in view before the next, so a client may see every state there is.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from events import topics
from events.topics import Topic
from gateway.projections.folding import Folding
from gateway.projections.projection import Projection
from gateway.views import HISTORY, LIVE
from infra.log.port import Record
from infra.publisher import OfAccount, Position
from infra.shell.repeats import untimely
from infra.unavailable import Unavailable
from infra.views.memory import MemoryStore
from infra.views.port import Ask, Input, Look, Mark, inputs
from services.balance import domain as balance
from services.order import domain as order
from tests.messages.markets import ASSETS, ticked
from tests.services.exchange import Exchange, Service


class Window:
    """A view of one partition that its projector keeps up to date. away: nobody can ask it; silent: nobody is
    answered; late: it is told of nothing.
    """

    def __init__(
        self, projections: Sequence[Projection[Any]], now: Callable[[], int], *, keeps_all: bool
    ) -> None:
        self.partitions, self.away, self.silent, self.late = 1, False, False, False
        carried = dict.fromkeys(projection.kind.topic for projection in projections)
        self.store = MemoryStore(inputs(carried, 1), 1, keeps_all=keeps_all, now=now)
        self.changes = self.store.changes
        self.foldings = {
            source: Folding(
                source, topics.topic(source.topic), projections, Mark(0, 0), ages=not keeps_all
            )
            for source in self.store.inputs
        }

    async def look(self, place: str, account: str, asks: Sequence[Ask[Any]]) -> Look:
        if self.away:
            raise Unavailable("redis")
        if self.silent:
            await asyncio.Event().wait()
        return await self.store.look(place, account, asks)

    async def fold(self, source: Input, log: Sequence[Record]) -> None:
        """Brings the rows of a partition up to the end of its log."""
        folding = self.foldings.get(source)
        if folding is None or self.late or not (new := log[folding.mark.position :]):
            return
        generation = await self.store.open(1)
        for plan in folding.plans(new, limit=500):
            found = await generation.find(source.place, folding.misses(plan))
            assert await generation.write(folding.fold(plan, found)) == "written"

    async def show(self, *, ready: bool = True) -> None:
        """Lets readers see it, or takes it from them until it is rebuilt."""
        (await self.store.open(1)).is_ready = ready


class Backstage:
    """A Publisher whose commands are carried out. now: ms.

    away: the log takes nothing; mute: it takes all and answers nobody; slow: ms that a command is on its way to it;
    down: services that take nothing.
    """

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.exchange = Exchange()
        self.live = Window(LIVE, now, keeps_all=False)
        self.history = Window(HISTORY, now, keeps_all=True)
        self.log: dict[str, list[Record]] = {topic.name: [] for topic in topics.TOPICS}
        self.away = self.mute = False
        self.slow = 0
        self.down: set[Service] = set()
        self._places: dict[str, Position] = {}
        self._answered: set[str] = set()
        self._given = asyncio.Event()

    async def open(self) -> None:
        """Lists the assets, tells their prices and opens both views."""
        for asset in ASSETS:
            self.append(topics.ASSETS, asset)
        self.tick(**{asset.asset_id: asset.listing_price for asset in ASSETS})
        await self.fold()
        await self.live.show()
        await self.history.show()

    def commands(self) -> list[Any]:
        """Returns all that was published, as its readers read it."""
        sources = (topics.ORDER_COMMANDS, topics.BALANCE_COMMANDS)
        return [
            each.decode(record.value or b"") for each in sources for record in self.log[each.name]
        ]

    async def publish(self, topic: Topic[OfAccount], message: OfAccount) -> Position:
        if self.away:
            raise Unavailable("kafka")
        position = self.append(topic, message)
        self.take(topic.decode(topic.encode(message)))
        self._given.set()
        if self.mute:
            raise Unavailable("kafka")
        return position

    def append(self, topic: Topic[Any], message: Any) -> Position:
        log = self.log[topic.name]
        place = self._places[message.id] = Position(topic.name, 0, len(log))
        cause = self._places.get(getattr(message, "causation_id", ""))
        headers = (("cause", ":".join(map(str, cause)).encode()),) if cause else ()
        record = Record(*place, self.now(), None, topic.encode(message), headers)
        log.append(record)
        return place

    def tick(self, **prices: int) -> None:
        """Tells prices as of now."""
        self.exchange.now = self.now()
        self.exchange.tick(**prices)
        self.append(topics.PRICES, ticked(**prices))

    def take(self, command: Any) -> None:
        """Does what the shell does before a decider sees a command."""
        if command.id in self._answered:
            return
        self._answered.add(command.id)
        self.exchange.now = self.now() + self.slow
        if reason := untimely(command.created_at, self.exchange.now):
            placing = command.type == "place_order"
            service = self.exchange.order if placing else self.exchange.balance
            refuse: Callable[..., Any] = order.refuse if placing else balance.refuse
            self.exchange.write(service, refuse(command, reason), command)
        else:
            self.exchange.submit(command)

    async def run(self) -> None:
        """Carries commands out until it is canceled."""
        while True:
            await self._given.wait()
            self._given.clear()
            await self.settle()

    async def settle(self) -> None:
        """Carries out all that can be, one input after the other, each in view before the next."""
        await self.fold()
        while waiting := [each for each in self.exchange.waiting() if each[0] not in self.down]:
            self.exchange.take(*waiting[0])
            await self.fold()
            await asyncio.sleep(0)

    async def resume(self) -> None:
        """Brings services and views back, and all up to date."""
        self.down.clear()
        self.live.late = self.history.late = False
        await self.settle()

    async def fold(self) -> None:
        for topic in (topics.ORDER_EVENTS, topics.BALANCE_EVENTS, topics.PORTFOLIO_EVENTS):
            for event in self.exchange.log[topic.name][len(self.log[topic.name]) :]:
                self.append(topic, event)
        for window in (self.live, self.history):
            for source in window.store.inputs:
                await window.fold(source, self.log[source.topic])
