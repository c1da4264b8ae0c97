"""The four deciders in one process, without a shell: inputs are taken one by one, in any interleaving."""

from collections.abc import Callable
from typing import Any

from events import topics
from events.decider import Context, Folds, Key
from events.envelope import Event
from events.topics import Topic
from services.balance import domain as balance
from services.order import domain as order
from services.portfolio import domain as portfolio
from services.tape import domain as tape
from tests.messages.envelope import NOW, stamped
from tests.messages.markets import market, ticked
from tests.services.books import Books
from tests.spec import TOPIC_OF, Decide, check_wire, fold

Choose = Callable[[int], int]
"""Returns one of so many."""
COMMANDS = (topics.ORDER_COMMANDS.name, topics.BALANCE_COMMANDS.name)


class Service:
    """A decider, its rows, where it stands in what it reads, and what it has written."""

    def __init__(
        self, decide: Decide, folds: Folds, reads: tuple[Topic[Any], ...], writes: Topic[Any]
    ) -> None:
        self.decide, self.folds, self.writes = decide, folds, writes
        self.positions = dict.fromkeys((topic.name for topic in reads), 0)
        self.rows: dict[Key, Any] = {}


class Exchange:
    def __init__(self) -> None:
        self.log: dict[str, list[Any]] = {topic.name: [] for topic in topics.TOPICS}
        self.books = Books()
        self.now = NOW
        self.market = market()
        spine = topics.ORDER_EVENTS
        self.order = Service(
            order.decide,
            order.FOLDS,
            (topics.ORDER_COMMANDS, topics.BALANCE_EVENTS, topics.PORTFOLIO_EVENTS),
            spine,
        )
        self.balance = Service(
            balance.decide,
            balance.FOLDS,
            (topics.BALANCE_COMMANDS, spine),
            topics.BALANCE_EVENTS,
        )
        self.portfolio = Service(
            portfolio.decide, portfolio.FOLDS, (spine,), topics.PORTFOLIO_EVENTS
        )
        self.tape = Service(tape.decide, tape.FOLDS, (spine,), topics.TRADE_EVENTS)
        self.services = (self.order, self.balance, self.portfolio, self.tape)

    @property
    def context(self) -> Context:
        return Context(now=self.now, market=self.market)

    def submit(self, command: Any) -> None:
        """Appends a command. Its id must be new: to drop repeats is the shell's business."""
        self.log[TOPIC_OF[command.type].name].append(command)

    def tick(self, **prices: int) -> None:
        self.market.fold(ticked(**prices), self.now, 7)

    def waiting(self) -> list[tuple[Service, str]]:
        """Returns who may take an input from where."""
        return [
            (service, topic)
            for service in self.services
            for topic, position in service.positions.items()
            if position < len(self.log[topic])
        ]

    def take(self, service: Service, topic: str) -> None:
        """Has the service take its next input of that topic, whole."""
        given = self.log[topic][service.positions[topic]]
        service.positions[topic] += 1
        events = service.decide(service.rows, given, self.context)
        assert events or topic not in COMMANDS, f"{given.type} was not answered"
        for event in events:
            self.write(service, event, given)

    def write(self, service: Service, event: Event, given: Any) -> None:
        """Appends an event, takes it into the service's rows and enters it into the books."""
        check_wire(event)
        own = self.log[service.writes.name]
        whole = stamped(
            event,
            cause_id=given.id,
            command_id=getattr(given, "command_id", given.id),
            n=1 + sum(before.account_id == event.account_id for before in own),
            at=self.now,
        )
        own.append(whole)
        fold(service.folds, service.rows, whole)
        self.books.enter(whole)

    def run(self, choose: Choose, most: int | None = None) -> None:
        """Takes inputs, whoever is chosen, until none waits or so many were taken."""
        taken = 0
        while (waiting := self.waiting()) and taken != most:
            self.take(*waiting[choose(len(waiting))])
            taken += 1

    def close(self) -> None:
        """Runs until none waits. Raises: AssertionError unless the books are right and all is over."""
        self.run(lambda _: 0)
        self.books.close({command.id for topic in COMMANDS for command in self.log[topic]})
        for service in self.services:
            assert not {key for key in service.rows if key[0] in ("order", "hold")}
            replayed: dict[Key, Any] = {}
            for event in self.log[service.writes.name]:
                fold(service.folds, replayed, event)
            assert replayed == service.rows
