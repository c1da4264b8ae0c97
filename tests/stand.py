"""A stack of a test's own, which nobody else minds being broken, and its processes by name."""

import asyncio
import os
import signal
import socket
from collections.abc import Awaitable, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import monotonic

import pytest

from ops.stack.folder import ProcessStatus, RunFolder
from ops.stack.lifecycle import down, up

PATIENCE_S = 180  # a busy machine takes its time
PAUSE_S = 0.02
Standing = Callable[[Path], AbstractContextManager[RunFolder]]
"""Starts a stack in a folder, for as long as the block runs."""


@contextmanager
def standing(path: Path, *only: str, **environ: str) -> Iterator[RunFolder]:
    """Returns the folder of a stack that is ready. only: these processes and what they need, else all.

    environ: what all its processes are told, without ORDERSTREAM_.
    """
    folder = RunFolder(path)
    with pytest.MonkeyPatch.context() as patch:
        for name, told in environ.items():
            patch.setenv(f"ORDERSTREAM_{name.upper()}", told)
        up(folder, only=only, any_ports=True, owner=os.getpid())
    try:
        yield folder
    finally:
        down(folder)


def process(stack: RunFolder, name: str) -> ProcessStatus:
    """Returns how the process is."""
    return next(each for each in stack.status().processes if each.name == name)


def kill(stack: RunFolder, name: str, how: signal.Signals = signal.SIGKILL) -> int:
    """Returns the id of the process that was sent the signal."""
    pid = process(stack, name).pid
    assert pid, f"{name} does not run"
    os.kill(pid, how)
    return pid


def is_back(stack: RunFolder, name: str, dead: int) -> bool:
    """Returns whether another life of the process is ready."""
    now = process(stack, name)
    return now.state == "running" and now.pid != dead


async def until(holds: Callable[[], bool | Awaitable[bool]], what: str) -> float:
    """Returns the seconds that it took to hold. Raises: TimeoutError with what it waited for."""
    begun = monotonic()
    while monotonic() - begun < PATIENCE_S:
        held = holds()
        if held if isinstance(held, bool) else await held:
            return monotonic() - begun
        await asyncio.sleep(PAUSE_S)
    raise TimeoutError(what)


def free_ports(count: int) -> list[int]:
    """Returns ports of loopback that nobody listens on."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return ports
