"""Kafka: one KRaft node, broker and controller, from jars."""

import asyncio
import uuid
from collections.abc import Sequence
from pathlib import Path

from ops.stack import artefacts, jvm
from ops.stack.probes import is_broker
from ops.stack.process import Process, Stack

HEAP = {"fast-start": "384m", "full": "1g"}


async def command(stack: Stack) -> Sequence[str]:
    """Returns the command that starts the broker, after formatting its disk if that is new."""
    return await node(stack, configure(stack), new_cluster(), HEAP[jvm.mode(stack.environ)])


async def node(stack: Stack, config: Path, cluster: str, heap: str) -> Sequence[str]:
    """Returns the command that starts a node with these settings. cluster: whose a new disk is."""
    if not (logs(stack) / "meta.properties").exists():
        await format_disk(stack, config, cluster)
    launcher = java(stack, aot_cache(stack).flags())
    return [*launcher, f"-Xmx{heap}", *classes(), "kafka.Kafka", str(config)]


def new_cluster() -> str:
    """Returns an id for a cluster: any 22 url-safe characters."""
    return uuid.uuid4().hex[:22]


async def format_disk(stack: Stack, config: Path, cluster: str) -> None:
    """Gives an empty disk its cluster's id. Raises: ChildProcessError with what the tool said."""
    arguments = ["format", "--cluster-id", cluster, "--config", str(config)]
    tool = await asyncio.create_subprocess_exec(
        *java(stack, aot_cache(stack).use()),
        *classes(),
        "kafka.tools.StorageTool",
        *arguments,
        env=stack.environ,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said, _ = await tool.communicate()
    if tool.returncode != 0:
        raise ChildProcessError(f"kafka could not format its disk: {said.decode()}")


def configure(stack: Stack) -> Path:
    """Returns the broker's settings file, written anew: its ports may have changed."""
    text = artefacts.source("kafka.properties.in").read_text()
    values = {
        "PORT": stack.ports["kafka"],
        "CONTROLLER_PORT": stack.ports["kafka-controller"],
        "DATA": logs(stack),
    }
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    config = stack.folder.data("kafka") / "server.properties"
    config.write_text(text)
    return config


def logs(stack: Stack) -> Path:
    """Returns the folder of the topics' files."""
    return stack.folder.data("kafka") / "log"


def classes() -> Sequence[str]:
    """Returns the class path in an order of its own: the cache of loaded classes depends on it."""
    jars = artefacts.folder("kafka")
    return ["-cp", ":".join(str(jars / file.name) for file in artefacts.pinned("kafka"))]


def java(stack: Stack, cache: Sequence[str]) -> Sequence[str]:
    return [jvm.java(), *jvm.flags(stack.environ), *cache]


def aot_cache(stack: Stack) -> jvm.AotCache:
    recording = stack.folder.data("kafka") / "recording.aot"
    return jvm.AotCache(artefacts.folder("kafka"), jvm.flags(stack.environ), recording)


async def ready(stack: Stack) -> bool:
    return await is_broker(stack.ports["kafka"])


KAFKA = Process(
    name="kafka",
    command=command,
    ready=ready,
    ports={"kafka": 9092, "kafka-controller": None},
    ended=lambda stack: aot_cache(stack).keep(),
    drain=60.0,  # the first time it records its loaded classes: some 6 s of a whole core
)
