"""What a service declares; the shell does the rest."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from events.codec import contract
from events.decider import Context, Folds, Rows
from events.envelope import Command
from events.topics import Topic, dead_letter_topic, state_topic
from infra.log.port import TP

Decide = Callable[[Rows, Any, Context], Sequence[Any]]
Refuse = Callable[[Any, str], Any]


@dataclass(frozen=True, kw_only=True, eq=False)
class Service:
    """A decider and its place among the topics.

    reads: account topics, whose partition p it decides; follows: market topics, whose one partition it folds into
    its cache and decides on too; refuse: the event that answers a command which is not decided at all.
    """

    name: str
    reads: tuple[Topic[Any], ...]
    writes: Topic[Any]
    folds: Folds
    decide: Decide
    follows: tuple[Topic[Any], ...] = ()
    refuse: Refuse | None = None

    @cached_property
    def commands(self) -> frozenset[type[Any]]:
        """The classes of its inputs that ask: each is answered once, its repeats are dropped."""
        kinds = (kind for topic in self.reads for kind in topic.types)
        return frozenset(kind for kind in kinds if issubclass(contract(kind), Command))

    @cached_property
    def topics(self) -> dict[str, Topic[Any]]:
        """Its inputs by name, in the order of declaration."""
        return {topic.name: topic for topic in (*self.reads, *self.follows)}

    def inputs(self, p: int) -> tuple[TP, ...]:
        """Returns the partitions that the owner of p reads, in the order of declaration."""
        return (
            *((topic.name, p) for topic in self.reads),
            *((topic.name, 0) for topic in self.follows),
        )

    def output(self, p: int) -> TP:
        """Returns the partition that the owner of p writes."""
        return (self.writes.name, p)

    def state(self, p: int) -> TP:
        """Returns the partition that holds the snapshots of p."""
        return (state_topic(self.name), p)

    def dead_letters(self, origin: str, p: int) -> TP:
        """Returns the partition in which the owner of p sets the origin's poison aside."""
        return (dead_letter_topic(origin, self.name), p)

    def sides(self, p: int) -> tuple[TP, ...]:
        """Returns what the owner of p writes beside its events."""
        return (self.state(p), *(self.dead_letters(name, p) for name in self.topics))
