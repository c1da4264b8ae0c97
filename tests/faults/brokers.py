"""Brokers of a test's own: started, killed, stopped and continued at will. One behind a proxy, or three that replicate.

Whatever a test changes of their settings goes behind what the product's own template says: the last line counts.
"""

import asyncio
import os
import signal
import struct
import subprocess
from asyncio import IncompleteReadError
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from infra.log.port import TP
from ops.stack import artefacts, kafka
from ops.stack.endpoints import MARK
from ops.stack.folder import RunFolder
from ops.stack.lifecycle import install, nothing_fetched
from ops.stack.ports import Ports
from ops.stack.probes import is_broker
from ops.stack.process import Stack
from tests.faults.proxy import delivered

Settings = Mapping[str, str | int]

HEAP = "256m"
PAUSE = 0.05  # s between two looks
READY_S = 120
REPLICATED: Settings = {
    "default.replication.factor": 3,
    "min.insync.replicas": 2,
    "offsets.topic.replication.factor": 3,
    "transaction.state.log.replication.factor": 3,
    "transaction.state.log.min.isr": 2,
    "share.coordinator.state.topic.replication.factor": 3,
    "share.coordinator.state.topic.min.isr": 2,
    "unclean.leader.election.enable": "false",
    "replica.lag.time.max.ms": 3_000,
}
DESCRIBE_QUORUM = struct.Struct(">hhihB")
METADATA_LOG = b"\x02\x13__cluster_metadata\x02\x00\x00\x00\x00\x00\x00\x00"
LEADER_AT = 34  # bytes into the answer about one topic of that name


class Broker:
    """A node, broker and controller. cluster: whose its disk becomes."""

    def __init__(
        self, folder: Path, ports: Mapping[str, int], cluster: str, settings: Settings
    ) -> None:
        install(["kafka"], nothing_fetched)
        run = RunFolder(folder)
        environ = {**os.environ, MARK: str(run.path), "ORDERSTREAM_PROCESS": "kafka"}
        self.stack = Stack(folder=run, ports=ports, environ=environ)
        self.port = ports["kafka"]
        self._cluster, self._settings = cluster, settings
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Returns when its controller has let it in. Raises: TimeoutError."""
        await self.launch()
        await self.ready()

    async def ready(self) -> None:
        async with asyncio.timeout(READY_S):
            while not await is_broker(self.port):  # noqa: ASYNC110 - no event tells
                await asyncio.sleep(PAUSE)

    async def launch(self) -> None:
        config = kafka.configure(self.stack)
        with config.open("a") as file:
            file.writelines(f"\n{name}={value}" for name, value in self._settings.items())
        self._spawn(await kafka.node(self.stack, config, self._cluster, HEAP))

    def _spawn(self, command: Sequence[str]) -> None:
        with self.stack.folder.log("kafka").open("ab") as log:
            self._process = subprocess.Popen(
                command,
                env=self.stack.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """Ends it with SIGKILL, if it runs."""
        process, self._process = self._process, None
        if process:
            process.kill()
            process.wait()

    def freeze(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        assert self._process
        self._process.send_signal(signal.SIGCONT)


class Behind(Broker):
    """A single broker with a second listener, which tells clients to come to outside."""

    def __init__(self, folder: Path, settings: Settings) -> None:
        ports = Ports(artefacts.cache() / "ports")
        direct, control, self.inside, self.outside = (ports.claim() for _ in range(4))
        proxied = {
            "listeners": f"CLIENT://127.0.0.1:{direct},PROXIED://127.0.0.1:{self.inside},"
            f"CONTROLLER://127.0.0.1:{control}",
            "advertised.listeners": f"CLIENT://127.0.0.1:{direct},"
            f"PROXIED://127.0.0.1:{self.outside}",
            "listener.security.protocol.map": "CLIENT:PLAINTEXT,PROXIED:PLAINTEXT,"
            "CONTROLLER:PLAINTEXT",
        }
        own = {"kafka": direct, "kafka-controller": control}
        super().__init__(folder, own, kafka.new_cluster(), proxied | dict(settings))


class Shape(NamedTuple):
    """in_sync: the nodes that have all of it."""

    leader: int
    in_sync: frozenset[int]


class Three:
    """Three brokers; what is made on them stands on all, and two are needed to write."""

    def __init__(self, folder: Path) -> None:
        ports = Ports(artefacts.cache() / "ports")
        nodes = {node: (ports.claim(), ports.claim()) for node in (1, 2, 3)}
        voters = ",".join(f"{node}@127.0.0.1:{control}" for node, (_, control) in nodes.items())
        cluster = kafka.new_cluster()
        self.brokers = {
            node: Broker(
                folder / f"{node}",
                {"kafka": port, "kafka-controller": control},
                cluster,
                {**REPLICATED, "node.id": node, "controller.quorum.voters": voters},
            )
            for node, (port, control) in nodes.items()
        }

    @property
    def bootstrap(self) -> str:
        return ",".join(broker.address for broker in self.brokers.values())

    async def start(self) -> None:
        for broker in self.brokers.values():  # one after another: each starts on all cores
            await broker.launch()
        await asyncio.gather(*(broker.ready() for broker in self.brokers.values()))

    def kill(self) -> None:
        for broker in self.brokers.values():
            broker.kill()

    async def leader(self, tp: TP) -> int:
        """Returns the node that leads the partition, -1 if nobody does."""
        return (await self.shapes())[tp].leader

    async def whole(self) -> None:
        """Returns when every partition has all its replicas in sync. Raises: TimeoutError."""
        async with asyncio.timeout(READY_S):
            while any(len(s.in_sync) < 3 for s in (await self.shapes()).values()):  # noqa: ASYNC110
                await asyncio.sleep(PAUSE)

    async def controller(self) -> int:
        """Returns the node that leads the metadata: clients are told of any."""
        request = DESCRIBE_QUORUM.pack(55, 0, 0, -1, 0) + METADATA_LOG
        for broker in self.brokers.values():
            with suppress(OSError):
                answer = await delivered(request, broker.port)
                return int.from_bytes(answer[LEADER_AT : LEADER_AT + 4], signed=True)
        raise ConnectionError("no broker answers")

    async def shapes(self) -> dict[TP, Shape]:
        """Returns who has what, as any broker that answers knows it. Raises: TimeoutError."""
        async with asyncio.timeout(READY_S):
            while True:
                with suppress(KafkaError, IncompleteReadError):
                    return await self._asked()
                await asyncio.sleep(PAUSE)

    async def _asked(self) -> dict[TP, Shape]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap, request_timeout_ms=2_000)
        await admin.start()
        try:
            topics = await admin.describe_topics()
        finally:
            await admin.close()
        return {
            (topic["topic"], p["partition"]): Shape(p["leader"], frozenset(p["isr"]))
            for topic in topics
            for p in topic["partitions"]
        }
