"""The processes of a stack: the one table that says what runs, what it runs, and after what."""

import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from ops.stack.dynamodb import DYNAMODB
from ops.stack.kafka import KAFKA
from ops.stack.probes import http_status
from ops.stack.process import Process, Stack
from ops.stack.redis import REDIS

if TYPE_CHECKING:
    from infra.process.run import Program  # slow to import, and only a process that runs needs it
    from infra.process.settings import Settings

SHELL_SERVICES = ("order", "balance", "portfolio", "tape")
SERVICES = ("market", *SHELL_SERVICES)
ENTRIES: Mapping[str, str] = {
    "provision": "ops.provision:main",
    **{name: f"services.{name}.app:main" for name in SERVICES},
    "projector-live": "gateway.projector:main_live",
    "projector-history": "gateway.projector:main_history",
    "gateway": "gateway.app:main",
}


def enter(name: str) -> None:
    """Runs the process named in ENTRIES inside this one, until it ends."""
    # structlog would load rich for a terminal that a process does not write to, a fifth of its start.
    sys.modules.setdefault("rich", None)  # type: ignore[arg-type]
    program(name)()


def program(name: str) -> "Program[Any]":
    """Returns what runs the process named in ENTRIES."""
    module, attribute = ENTRIES[name].split(":")
    found: Program[Any] = getattr(import_module(module), attribute)
    return found


def settings_of(name: str) -> "type[Settings]":
    """Returns the class of what the process named in ENTRIES is told."""
    return program(name).settings


def own(name: str, needs: Sequence[str] = ("provision",), *, ends: bool = False) -> Process:
    """Returns the row of a process of ours, ready when its admin server says so, or once it ends."""
    admin = f"{name}-admin"

    async def command(_: Stack) -> Sequence[str]:
        return [sys.executable, "-P", "-m", "ops.cli", "run", name]

    async def ready(stack: Stack) -> bool:
        return await http_status(stack.ports[admin], "/health/ready") == 200

    def environ(stack: Stack) -> Mapping[str, str]:
        return {"ORDERSTREAM_ADMIN_PORT": str(stack.ports[admin])}

    return Process(
        name=name,
        command=command,
        ready=None if ends else ready,
        needs=tuple(needs),
        ports={admin: None},
        environ=environ,
    )


PROJECTORS = ("projector-live", "projector-history")
GATEWAY = replace(
    own("gateway"),
    ports={"gateway": 8080, "gateway-admin": None},
    uses=(*SERVICES, *PROJECTORS),  # what it has taken is still answered
)
TABLE: tuple[Process, ...] = (
    KAFKA,
    DYNAMODB,
    REDIS,
    own("provision", ("kafka", "dynamodb", "redis"), ends=True),
    *(own(name) for name in SERVICES),
    *(replace(own(name), uses=SERVICES) for name in PROJECTORS),
    GATEWAY,
)


def outlived(name: str, among: Collection[str]) -> list[str]:
    """Returns those that end before the process: who needs or uses it, also through others."""
    found = {name}
    for row in TABLE:  # in which a row stands after all that it needs
        if found & {*row.needs, *row.uses}:
            found.add(row.name)
    return [other for other in among if other in found - {name}]


def planned(only: Collection[str], given: Collection[str]) -> tuple[Process, ...]:
    """Returns the rows to start: those named and what they need (all, if none is named), in order.

    Servers that were given from outside are left out. Raises: ValueError if a name is unknown.
    """
    rows = {row.name: row for row in TABLE}
    if unknown := set(only) - set(rows):
        raise ValueError(f"no process is named {', '.join(sorted(unknown))}: {', '.join(rows)}")
    wanted = set(only or rows)
    for row in reversed(TABLE):
        if row.name in wanted:
            wanted.update(row.needs)
    return tuple(row for row in TABLE if row.name in wanted - set(given))
