"""given these events, when this input comes, then these events happen: a decider's spec, without a store.

Events are compared unstamped, as a decider returns them. Each must survive the wire once it is stamped, and each
row its snapshot: Spec sees to both.
"""

from collections.abc import Callable
from typing import Any

from events.codec import encode, value_decoder
from events.decider import Context, Folds, Key, Rows, touching
from events.envelope import Event
from events.topics import TOPICS, Topic
from tests.messages.envelope import stamped
from tests.messages.markets import context

Decide = Callable[[Rows, Any, Context], list[Event]]
TOPIC_OF: dict[str, Topic[Any]] = {kind.type: topic for topic in TOPICS for kind in topic.types}
MARKET = context()


def fold(folds: Folds, rows: dict[Key, Any], event: Event) -> None:
    """Takes the event into the rows."""
    for each in touching(folds).get(type(event), ()):
        key = each.key(event)
        row = each.apply(rows.pop(key, None), event)
        if row is not None:
            assert value_decoder(each.row)(encode(row)) == row, (
                "a row does not survive its snapshot"
            )
            rows[key] = row


def check_wire(event: Event) -> None:
    """Raises: AssertionError, Poison if the event, once stamped, is not what a reader gets."""
    whole = stamped(event)
    topic = TOPIC_OF[event.type]
    assert topic.decode(topic.encode(whole)) == whole


class History:
    """What a decider remembers of the events that it has written."""

    def __init__(self, decide: Decide, folds: Folds, past: tuple[Event, ...]) -> None:
        self.decide, self.folds = decide, folds
        self.rows: dict[Key, Any] = {}
        self.take(*past)

    def take(self, *events: Event) -> None:
        """Takes events into the rows, as they were written."""
        for event in events:
            fold(self.folds, self.rows, event)

    def when(self, given: Any, context: Context = MARKET) -> list[Event]:
        """Returns what happens."""
        events = self.decide(self.rows, given, context)
        for event in events:
            check_wire(event)
        return events


class Spec:
    def __init__(self, decide: Decide, folds: Folds) -> None:
        self.decide, self.folds = decide, folds

    def given(self, *past: Event) -> History:
        return History(self.decide, self.folds, past)
