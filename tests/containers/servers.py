"""A whole stack whose servers run in containers in place of the packaged ones."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ops.stack.folder import RunFolder
from tests.containers.deployment import deployed
from tests.stand import standing

SERVERS = ("kafka", "dynamodb", "redis")


@contextmanager
def standing_on_containers(path: Path) -> Iterator[RunFolder]:
    """Yields the folder of a stack that is ready."""
    with deployed(path / "servers", only=SERVERS) as servers:
        addresses = {name: servers.endpoints[name] for name in SERVERS}
        with standing(path / "run", **addresses) as folder:
            yield folder
