"""Publishing at the edge: one message of an account into its topic, acknowledged."""

from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, NamedTuple, Protocol

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError

from events.ids import partition_of
from events.topics import Topic

from .breaker import Breaker
from .unavailable import Unavailable

WITHIN = 1_500  # ms
TP = tuple[str, int]
HEADERS = [("content-type", b"application/json")]


class Position(NamedTuple):
    """Where a record lies."""

    topic: str
    partition: int
    offset: int


class OfAccount(Protocol):
    @property
    def account_id(self) -> str: ...


class Publisher(Protocol):
    async def publish(self, topic: Topic[OfAccount], message: OfAccount) -> Position:
        """Returns where the message lies, once every in-sync replica has it.

        Raises: Unavailable; the message may come to lie there nevertheless, so a retry keeps its id.
        """


class KafkaPublisher:
    """While a partition takes nothing, few wait for it."""

    def __init__(self, producer: AIOKafkaProducer, partitions: int) -> None:
        self.producer = producer
        self.partitions = partitions
        self._breakers: dict[TP, Breaker] = defaultdict(lambda: Breaker("kafka"))

    async def publish(self, topic: Topic[OfAccount], message: OfAccount) -> Position:
        account = message.account_id
        partition = partition_of(account, self.partitions)
        async with self._breakers[topic.name, partition].within(WITHIN):
            try:
                record = await self.producer.send_and_wait(
                    topic.name,
                    topic.encode(message),
                    key=account.encode(),
                    partition=partition,
                    headers=HEADERS,
                )
            except KafkaError as failure:
                raise Unavailable("kafka") from failure
        return Position(record.topic, record.partition, record.offset)


@asynccontextmanager
async def publishing(bootstrap: str, partitions: int) -> AsyncIterator[KafkaPublisher]:
    """Returns a publisher for as long as the block runs. partitions: of every account topic.

    Raises: KafkaConnectionError if there is no broker to begin with.
    """
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap, client_id="gateway", enable_idempotence=True
    )
    async with producer:
        yield KafkaPublisher(producer, partitions)


class MemoryPublisher:
    """The twin: one partition a topic, read as any consumer would. away: whether it is down."""

    def __init__(self) -> None:
        self.log: list[tuple[str, bytes]] = []
        self.away = False

    async def publish(self, topic: Topic[OfAccount], message: OfAccount) -> Position:
        if self.away:
            raise Unavailable("kafka")
        self.log.append((topic.name, topic.encode(message)))
        return Position(topic.name, 0, len(self.read(topic)) - 1)

    def read(self, topic: Topic[Any]) -> list[Any]:
        return [topic.decode(raw) for name, raw in self.log if name == topic.name]
