"""I12: every event is decided again, on the rows before it, and must come out as it stands in the log.

The one check that shares the services' deciders: it proves no sum, but that the log alone says what happened, in which
order, whatever died meanwhile. So it stands apart from the auditor, which is handed it.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

from events.codec import stamp
from events.decider import Context, Unfinished, touching
from events.market import AssetListed, Market, PriceTicked
from events.money import PRICE_MAX_AGE
from events.topics import DAY, PRICES, TOPICS
from infra.log.port import TP, Record
from infra.shell.service import Service
from ops.audit.check import Check, Handler, on
from ops.audit.outcomes import Place, cause_of, untimely
from ops.provision import SHELL_SERVICES

ASKED = tuple(kind for topic in TOPICS if topic.key == "account_id" for kind in topic.types)
OLD_VERSIONS = {"order_accepted": 1}
LOOK_AHEAD_MS = 60_000
"""How much later than an input a price may have been appended that was taken before it: brokers' clocks lie apart."""


class Told(NamedTuple):
    record: Record
    message: Any


class Moment:
    """The market as it was when an input was taken: the ticks folded so far, and the time."""

    def __init__(self, assets: Sequence[Told], ticks: Sequence[Told]) -> None:
        self.ticks, self.next, self.now = ticks, 0, 0
        self.market = Market()
        for record, asset in assets:
            self.market.fold(asset, record.timestamp, record.offset)

    def contexts(self, time: int) -> Iterator[Context]:
        """Yields what an input appended at that time may have been decided with: as few further ticks as will do, and
        the market as a process has it that was started just now. The last one taken stays.
        """
        while True:
            self.now = max(self.now, time)
            yield Context(self.now, self.market)
            yield Context(self.now, self.fresh())
            if self.next == len(self.ticks):
                return
            record, tick = self.ticks[self.next]
            if record.timestamp > time + LOOK_AHEAD_MS:
                return
            self.market.fold(tick, record.timestamp, record.offset)
            self.now, self.next = max(self.now, record.timestamp), self.next + 1

    def without_prices(self, time: int) -> Iterator[Context]:
        """Yields what an input appended at that time may have been decided with where prices don't count: what led to
        no event may have begun the next day.
        """
        self.now = max(self.now, time)
        yield Context(self.now, self.market)
        yield Context(self.now - self.now % DAY + DAY, self.market)

    def fresh(self) -> Market:
        """Returns the market without the prices that are too old to be read again."""
        young, recent = Market(), self.now - PRICE_MAX_AGE
        young.assets = self.market.assets
        young.prices = {k: seen for k, seen in self.market.prices.items() if seen.time >= recent}
        return young

    def kept(self) -> tuple[dict[str, Any], int, int]:
        return dict(self.market.prices), self.next, self.now

    def back(self, kept: tuple[dict[str, Any], int, int]) -> None:
        self.market.prices, self.next, self.now = kept


class Redecided(Check):
    code = "I12"
    says = "each input decided again gives the events that stand in the log"

    def __init__(self) -> None:
        super().__init__()
        self.messages: dict[TP, dict[int, Told]] = defaultdict(dict)
        self.assets: list[Told] = []
        self.ticks: list[Told] = []

    def handlers(self) -> Mapping[type[Any], Handler]:
        return on(self.message, *ASKED) | {AssetListed: self.asset, PriceTicked: self.tick}

    def message(self, record: Record, message: Any) -> None:
        self.messages[record.topic, record.partition][record.offset] = Told(record, message)

    def asset(self, record: Record, message: AssetListed) -> None:
        self.assets.append(Told(record, message))

    def tick(self, record: Record, message: PriceTicked) -> None:
        self.ticks.append(Told(record, message))

    def settle(self) -> None:
        for service in SHELL_SERVICES:
            for tp, own in list(self.messages.items()):
                if tp[0] == service.writes.name:
                    self.replay(service, own)

    def replay(self, service: Service, own: Mapping[int, Told]) -> None:
        rows: dict[Any, Any] = {}
        folds, moment = touching(service.folds), Moment(self.assets, self.ticks)
        for cause, group in groupby(own.values(), lambda told: cause_of(told.record)):
            events = list(group)
            given = self.given(cause)
            if given and not (PRICES in service.follows and self.is_forgotten(given, events)):
                self.checked += 1
                kept = moment.kept()
                if not self.again(service, rows, given, events, moment):
                    moment.back(kept)
                    self.violation(f"{cause} is decided otherwise", events[0].record)
            for _, event in events:
                for fold in folds.get(type(event), ()):
                    row = fold.apply(rows.pop(fold.key(event), None), event)
                    if row is not None:
                        rows[fold.key(event)] = row

    def given(self, cause: Place | None) -> Told | None:
        """Returns the input, None if it is forgotten by now."""
        return self.messages[cause.tp].get(cause.offset) if cause else None

    def is_forgotten(self, given: Told, events: Sequence[Told]) -> bool:
        """Returns whether the log no longer has the prices that the input was decided with."""
        first = self.ticks[0].record if self.ticks else None
        if first is None or not first.offset:
            return False
        quoted = getattr(events[0].message, "price_offset", first.offset)
        return quoted < first.offset or given.record.timestamp < first.timestamp

    @staticmethod
    def again(
        service: Service,
        rows: Mapping[Any, Any],
        given: Told,
        events: Sequence[Told],
        moment: Moment,
    ) -> bool:
        """Returns whether the input leads to the events. Steps of a long answer are not told apart."""
        record, message = given
        first = events[0].message
        if untimely(first) and service.refuse:
            return same(service, given, [service.refuse(message, first.reason)], events)
        priced = PRICES in service.follows
        contexts = moment.contexts if priced else moment.without_prices
        for context in contexts(record.timestamp):
            try:
                decided = service.decide(rows, message, context)
            except AssertionError:  # what a decider holds for impossible has happened
                return False
            if isinstance(decided, Unfinished) or same(service, given, decided, events):
                return True
        return False


def same(service: Service, given: Told, decided: Sequence[Any], events: Sequence[Told]) -> bool:
    """Returns whether what was decided is what was written, envelope and all."""
    if len(decided) != len(events):
        return False
    for event, (_, written) in zip(decided, events, strict=True):
        command_id, correlation_id = carried(service, given.message)
        whole = stamp(
            event,
            id=written.id,
            occurred_at=given.record.timestamp,
            sequence=written.sequence,
            causation_id=given.message.id,
            command_id=command_id,
            correlation_id=correlation_id,
        )
        if whole == written:
            continue
        older = service.writes.decode(service.writes.encode(whole, OLD_VERSIONS))
        if older != written:
            return False
    return True


def carried(service: Service, message: Any) -> tuple[str, str]:
    if type(message) in service.commands:
        return message.id, message.correlation_id
    return message.command_id, message.correlation_id
