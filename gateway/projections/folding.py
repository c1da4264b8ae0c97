"""Folding the records of one partition into batches of rows. Pure: what it must look up, it asks for."""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from events.codec import Poison
from events.topics import Topic
from infra.log.port import Record
from infra.views.port import Batch, Entry, Input, Key, Mark, Row

from .projection import Place, Projection, always
from .quarantine import Unread

CONTROL = ("kind", b"control")
ROOM = 50_000  # rows, some 50 MB
UUID = re.compile(rb"[0-9a-f-]{36}")


class Step(NamedTuple):
    """One row to be folded. part: of an event."""

    projection: Projection[Any]
    key: Key
    part: Any
    place: Place


class Passed(NamedTuple):
    """A record that could not be read."""

    offset: int
    reason: str


@dataclass
class Plan:
    """Records whose rows fit into one batch: what to fold, and where it ends.

    keys: of its rows, and whether the first step of each is blank; accounts: see Changed.
    """

    end: int
    time: int
    steps: list[Step] = field(default_factory=list)
    keys: dict[Key, bool] = field(default_factory=dict)
    accounts: set[str] = field(default_factory=set)
    passed: list[Passed] = field(default_factory=list)
    records: int = 0


class Folding:
    """One partition's fold, from a checkpoint on. It remembers the rows that it touched last.

    ages: whether its view drops rows for their age.
    """

    def __init__(
        self,
        source: Input,
        topic: Topic[Any],
        projections: Iterable[Projection[Any]],
        mark: Mark,
        *,
        ages: bool,
    ) -> None:
        self.source, self.topic, self.mark, self.ages = source, topic, mark, ages
        own = [projection for projection in projections if projection.kind.topic is topic]
        self.aging = tuple({p.kind: None for p in own if p.kind.younger})
        self.rows: dict[Key, Any] = {}
        self._touching: dict[type[Any], list[Projection[Any]]] = defaultdict(list)
        for projection in own:
            for type_ in projection.on:
                self._touching[type_].append(projection)

    def plans(self, records: Sequence[Record], limit: int) -> Iterator[Plan]:
        """Yields plans that cover the records in order. limit: the weight of a batch; a record that alone has
        more gets a batch of its own.
        """
        plan, weight = Plan(*self.mark), 0
        for record in records:
            place = Place(record.offset, record.timestamp, record.headers)
            event, reason = self.read(record)
            steps = self.steps(event, place)
            more = sum(step.key.weight for step in steps)
            if plan.steps and weight + more > limit:
                yield plan
                plan, weight = Plan(plan.end, plan.time), 0
            for step in steps:
                if step.key not in plan.keys:
                    plan.keys[step.key] = step.projection.blank(step.part)
                    weight += step.key.weight
            if steps and self.topic.key == "account_id":
                plan.accounts.add(steps[0].part.account_id)
            if reason:
                plan.passed.append(Passed(record.offset, reason))
            plan.steps += steps
            plan.records += 1
            plan.end, plan.time = record.offset + 1, max(plan.time, record.timestamp)
        yield plan

    def read(self, record: Record) -> tuple[Any, str | None]:
        """Returns what the record has folded, None if that is nothing; and why it can't be read, if it can't."""
        if record.value is None or CONTROL in record.headers:
            return None, None
        try:
            return self.topic.decode(record.value), None
        except Poison as poison:
            key = record.key or b""
            known = UUID.fullmatch(key)
            return Unread(key.decode(), poison.reason) if known else None, poison.reason

    def steps(self, event: Any, place: Place) -> list[Step]:
        return [
            Step(projection, key, part, place)
            for projection in self._touching.get(type(event), ())
            for part in projection.parts(event)
            if (key := projection.key(part, place))
        ]

    def misses(self, plan: Plan) -> list[Key]:
        """Returns the rows that must be looked up before the plan can be folded."""
        return [key for key, blank in plan.keys.items() if not blank and key not in self.rows]

    def fold(self, plan: Plan, found: Mapping[Key, Any]) -> Batch:
        """Returns the batch, given what was found of the misses. It counts as written from now on."""
        rows, now = self.rows, self.mark.time
        rows.update({key: found.get(key) for key in self.misses(plan)})
        changed: dict[Key, Row] = {}
        entries: list[Entry] = []
        for projection, key, part, place in plan.steps:
            old = None if projection.blank(part) else self._current(key, now)
            new = projection.apply(old, part, place)
            if new is not old:
                fresh = changed[key].fresh if key in changed else old is None
                changed[key] = Row(key, new, fresh)
                if key.kind.followed:
                    entries.append(Entry(place.offset, key.kind, key.owner, new))
            if projection.blank is not always:
                rows.pop(key, None)
                rows[key] = new
            now = max(now, place.time)
        while len(rows) > ROOM:
            del rows[next(iter(rows))]
        start, self.mark = self.mark.position, Mark(plan.end, plan.time)
        return Batch(
            input=self.source,
            start=start,
            end=plan.end,
            time=plan.time,
            rows=list(changed.values()),
            accounts=frozenset(plan.accounts),
            aging=self.aging,
            entries=entries,
        )

    def _current(self, key: Key, now: int) -> Any:
        """Returns the row, unless its view has dropped it for its age by then."""
        row = self.rows.get(key)
        if self.ages and row is not None and key.kind.younger:
            over = key.kind.listed(row)
            if over is not None and over < now - key.kind.younger:
                return None
        return row
