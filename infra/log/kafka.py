"""The Log on Kafka, by aiokafka."""

import asyncio
import random
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from aiokafka import AIOKafkaProducer, TopicPartition
from aiokafka.errors import InvalidProducerEpoch, KafkaError, ProducerFenced
from aiokafka.producer.message_accumulator import BatchBuilder

from infra.log.clock import alive_ms
from infra.log.cluster import Cluster
from infra.log.fence import LEASE_MS, Identity, take_over
from infra.log.port import (
    MAX_BATCH,
    TP,
    Appended,
    Batch,
    Bounds,
    Draft,
    Fenced,
    Reader,
    TooLarge,
    Writer,
    size_of,
)
from infra.log.reader import CONFIRM_MS, KafkaReader

APPEND_S = 120  # after it a batch that is sent again and again is given up, and its writer with it
STOP_S = 2
BATCH_HEADER = 61  # bytes of a record batch before its first record
OPTIONS = {"acks": "all", "linger_ms": 0, "retry_backoff_ms": 10, "transaction_timeout_ms": 10_000}


class KafkaLog:
    """The port's Log. security: what aiokafka's clients take for TLS and SASL."""

    def __init__(self, bootstrap: str, *, confirm_ms: int = CONFIRM_MS, **security: Any) -> None:
        self._connect = {"bootstrap_servers": bootstrap, **security}
        self._confirm_ms = confirm_ms
        self._cluster: Cluster | None = None
        self._connecting = asyncio.Lock()

    async def take_over(
        self, owner: str, partitions: Sequence[TP], claim: Draft, max_batch: int = MAX_BATCH
    ) -> Writer:
        await (await self._asking()).require(partitions)
        return await take_over(self, owner, partitions, claim, max_batch)

    async def reader(self, positions: Mapping[TP, int]) -> Reader:
        cluster = await Cluster.connect(self._connect)
        try:
            await cluster.require(positions)
        except BaseException:
            await cluster.stop()
            raise
        return KafkaReader(cluster, positions, self._confirm_ms)

    async def bounds(self, tps: Iterable[TP]) -> Mapping[TP, Bounds]:
        cluster, partitions = await self._asking(), tuple(tps)
        await cluster.require(partitions)
        return await cluster.bounds(partitions)

    async def offset_at(self, tp: TP, time_ms: int) -> int:
        cluster = await self._asking()
        await cluster.require([tp])
        return await cluster.offset_at(tp, time_ms)

    async def stop(self) -> None:
        cluster, self._cluster = self._cluster, None
        if cluster:
            await cluster.stop()

    async def begin(self, owner: str, max_batch: int) -> "KafkaSession":
        """Returns a session of the owner's name, as fence.Coordinator says."""
        options = OPTIONS | self._connect
        producer = AIOKafkaProducer(transactional_id=owner, max_batch_size=max_batch, **options)
        try:
            await producer.start()  # an earlier transaction's markers are written when it returns
        except (ProducerFenced, InvalidProducerEpoch) as error:
            await producer.stop()
            raise Fenced(owner) from error
        except BaseException:
            await producer.stop()
            raise
        return KafkaSession(producer, max_batch)

    async def pause(self) -> None:
        await asyncio.sleep(random.uniform(0.01, 0.2))

    def alive_ms(self) -> int:
        return alive_ms()

    async def _asking(self) -> Cluster:
        async with self._connecting:
            if self._cluster is None:
                self._cluster = await Cluster.connect(self._connect)
            return self._cluster


class KafkaBatch:
    """The port's Batch, on aiokafka's builder."""

    def __init__(self, to: TP, builder: BatchBuilder, free: int) -> None:
        self.to, self.builder, self.free = to, builder, free
        self._made_ms = time.time_ns() // 1_000_000  # the broker sets its own, see LogAppendTime

    def __len__(self) -> int:
        return int(self.builder.record_count())

    def add(self, draft: Draft) -> None:
        size = size_of(draft)
        if size > self.free:
            raise TooLarge(f"{size} bytes at most, {self.free} are free in a batch to {self.to}")
        key, value, headers = draft
        self.builder.append(timestamp=self._made_ms, key=key, value=value, headers=list(headers))
        self.free -= size


class Leased:
    """A producer's client that sends nothing after a moment: aiokafka sends again for ever."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self.until_ms = alive_ms() + LEASE_MS

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    async def send(self, *request: Any, **options: Any) -> Any:
        """Returns the answer. Raises: KafkaError."""
        if alive_ms() > self.until_ms:
            raise KafkaError("asleep for so long that brokers may have forgotten the producer")
        return await self._client.send(*request, **options)


class KafkaSession:
    """One initialised producer, as fence.Session says."""

    def __init__(self, producer: AIOKafkaProducer, max_batch: int) -> None:
        self._producer, self._max_batch = producer, max_batch
        self._client = producer._sender.client = Leased(producer.client)
        epochs = producer._txn_manager
        self.identity = Identity(epochs.producer_id, epochs.producer_epoch)

    async def mark(self, partitions: Sequence[TP]) -> None:
        """Begins a transaction over the partitions and aborts it, empty: that leaves the marker."""
        try:
            await self._producer.begin_transaction()
            for partition in partitions:
                self._producer._txn_manager.maybe_add_partition_to_txn(TopicPartition(*partition))
            await self._producer.abort_transaction()
        except (ProducerFenced, InvalidProducerEpoch) as error:
            raise Fenced(f"{self.identity}") from error

    def settle(self) -> None:
        self._producer._txn_manager.transactional_id = None  # idempotent, with this id and epoch

    def batch(self, to: TP) -> Batch:
        return KafkaBatch(to, self._producer.create_batch(), self._max_batch - BATCH_HEADER)

    async def produce(self, batch: Batch, until_ms: int) -> Appended:
        assert isinstance(batch, KafkaBatch)
        self._client.until_ms = until_ms
        topic, partition = batch.to
        batch.builder.close()  # a closed one is never merged or split
        try:
            async with asyncio.timeout(APPEND_S):
                sent = await self._producer.send_batch(batch.builder, topic, partition=partition)
                stands = await sent
        except (ProducerFenced, InvalidProducerEpoch) as error:
            raise Fenced(f"{self.identity} may write to {batch.to} no more") from error
        return Appended(stands.offset, stands.timestamp)

    async def stop(self) -> None:
        """Ends it; a batch that aiokafka would send again for ever is given up after 2 s."""
        try:
            await asyncio.wait_for(self._producer.stop(), STOP_S)
        except TimeoutError:
            self._producer._sender.sender_task.cancel()
            with suppress(asyncio.CancelledError):
                await self._producer.client.close()
