"""Publishing at the edge: one message into its topic, acknowledged."""

from typing import Any, NamedTuple, Protocol, TypeVar

from events.topics import Topic

from .unavailable import Unavailable

M = TypeVar("M")


class Position(NamedTuple):
    """Where a record lies."""

    topic: str
    partition: int
    offset: int


class Publisher(Protocol):
    async def publish(self, topic: Topic[M], message: M) -> Position:
        """Returns where the message lies, once every in-sync replica has it.

        Raises: Unavailable; the message may be in the log nevertheless, so a retry keeps its id.
        """


class MemoryPublisher:
    """The twin: one partition a topic. It holds what a reader would decode. away: whether it is down."""

    def __init__(self) -> None:
        self.log: list[tuple[str, bytes]] = []
        self.away = False

    async def publish(self, topic: Topic[M], message: M) -> Position:
        if self.away:
            raise Unavailable("kafka")
        self.log.append((topic.name, topic.encode(message)))
        return Position(topic.name, 0, len(self.read(topic)) - 1)

    def read(self, topic: Topic[Any]) -> list[Any]:
        return [topic.decode(raw) for name, raw in self.log if name == topic.name]
