"""The supervisor of one stack: a detached process that starts, watches and stops all the others."""

import argparse
import asyncio
import os
import signal
import sys
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from time import strftime

import psutil
import structlog

from infra.process import logs
from ops.stack import artefacts, flock
from ops.stack.child import Child
from ops.stack.endpoints import endpoints, environ, given
from ops.stack.folder import RunFolder, Status
from ops.stack.ports import Ports
from ops.stack.process import Process, Stack
from ops.stack.processes import ENTRIES, outlived, planned
from ops.stack.reload import SOURCE, Reloader

OWNER_PAUSE = 1.0  # s between two looks at whether the owner lives

log = structlog.get_logger()


class Supervisor:
    """Keeps the planned processes running, and the run folder's status true."""

    def __init__(
        self, folder: RunFolder, plan: Sequence[Process], ports: Mapping[str, int]
    ) -> None:
        self.folder = folder
        self.addresses = endpoints(ports, given(os.environ))
        children = environ(os.environ, folder, ports, self.addresses)
        stack = Stack(folder=folder, ports=ports, environ=children)
        self.children = {row.name: Child(row, stack, self.publish) for row in plan}
        self.told: str | None = None

    async def run(self, owner: int | None, *, reload: bool) -> None:
        """Returns when all is stopped: after SIGTERM, SIGINT or the end of the owner's process.

        reload: whether a change of the source starts again what loads it.
        """
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        self.folder.write("endpoints.json", self.addresses)
        self.publish()
        log.info("stack_starting", processes=list(self.children), **self.addresses)
        async with asyncio.TaskGroup() as group:
            kept = [group.create_task(self.keep(child)) for child in self.children.values()]
            if owner is not None:
                kept.append(group.create_task(end_with(owner, stop)))
            if reload:
                kept.append(group.create_task(self.reload()))
            await stop.wait()
            log.info("stack_stopping")
            for task in kept:
                task.cancel()
        log.info("stack_stopped")

    async def keep(self, child: Child) -> None:
        """Keeps the child between those that it needs and those that need it."""
        needs = [self.children[name] for name in child.process.needs if name in self.children]
        dependents = [self.children[name] for name in outlived(child.process.name, self.children)]
        await child.keep(needs, dependents)

    async def reload(self) -> None:
        """Restarts what loads a changed file; of those who do one thing none."""
        lasting = [child.process for child in self.children.values() if child.process.ready]
        entries = {
            row.name: ENTRIES[row.name].split(":")[0] for row in lasting if row.name in ENTRIES
        }
        await Reloader(SOURCE, entries, self.restart, self.tell).run()

    async def restart(self, names: Collection[str]) -> None:
        """Returns once all of them have ended, in the order of a stop. Each starts again when it has ended."""
        ended = {name: asyncio.Event() for name in names}

        async def restart(name: str) -> None:
            for other in outlived(name, names):
                await ended[other].wait()
            await self.children[name].restart()
            ended[name].set()

        async with asyncio.TaskGroup() as group:
            for name in names:
                group.create_task(restart(name))

    def tell(self, what: str) -> None:
        """Says what a change came to."""
        log.info("source_changed", what=what)
        self.told = f"{strftime('%H:%M:%S')} {what}"
        self.publish()

    def publish(self) -> None:
        """Writes the status; who did one thing and is done is no longer in it."""
        shown = [child.status for child in self.children.values() if not child.is_done]
        status = Status(endpoints=self.addresses, processes=tuple(shown), reload=self.told)
        self.folder.write("status.json", status.as_json())


async def end_with(owner: int, stop: asyncio.Event) -> None:
    """Stops the stack once the owner's process is gone, however it went."""
    try:
        process = psutil.Process(owner)
        while process.is_running():  # noqa: ASYNC110 - of one that is no child no event tells
            await asyncio.sleep(OWNER_PAUSE)
    except psutil.NoSuchProcess:
        pass
    stop.set()


def claim(plan: Sequence[Process], folder: RunFolder, *, well_known: bool) -> dict[str, int]:
    """Returns a free port by name: of the last run if it can be, so that addresses last."""
    last, ports = folder.read("ports.json") or {}, Ports(artefacts.cache() / "ports")
    claimed = {}
    for name, usual in (item for row in plan for item in row.ports.items()):
        wanted = (last.get(name), usual if well_known else None)
        claimed[name] = ports.claim(*(port for port in wanted if port))
    folder.write("ports.json", {**last, **claimed})
    return claimed


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", nargs="*", default=[])
    parser.add_argument("--any-ports", action="store_true")
    parser.add_argument("--owner", type=int)
    parser.add_argument("--reload", action="store_true")
    arguments = parser.parse_args()
    folder = RunFolder(arguments.folder)
    if flock.hold(folder.supervisor_lock, patience=2.0) is None:
        sys.exit(f"{folder.path}: another supervisor runs this stack")
    logs.configure("supervisor")
    plan = planned(arguments.only, given(os.environ))
    ports = claim(plan, folder, well_known=not arguments.any_ports)
    asyncio.run(Supervisor(folder, plan, ports).run(arguments.owner, reload=arguments.reload))


if __name__ == "__main__":
    main()
