"""A stack of the bench's own: in a temporary folder, on free ports, its JVMs with the optimising compiler."""

import os
import signal
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from ops.stack.folder import RunFolder
from ops.stack.lifecycle import down, up

PREFIX = "ORDERSTREAM_"


@contextmanager
def stack(*only: str, partitions: int, **told: str) -> Iterator[RunFolder]:
    """Returns the folder of a stack that is ready, stopped and wiped after the block.

    only: these processes and what they need, else all. partitions: of every account topic. told: what else all its
    processes are, without ORDERSTREAM_.
    """
    told = {"jvm": "full", "partition_count": str(partitions), **told}
    settings = {f"{PREFIX}{name.upper()}": value for name, value in told.items()}
    with environment(settings), TemporaryDirectory(prefix="orderstream-bench-") as path:
        folder = RunFolder(Path(path))
        up(folder, only=only, any_ports=True, owner=os.getpid())
        try:
            yield folder
        finally:
            down(folder)


@contextmanager
def environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Has this process and its children see these settings, and none of the caller's, while the block runs."""
    before = {name: value for name, value in os.environ.items() if name.startswith(PREFIX)}
    for name in before:
        del os.environ[name]
    os.environ.update(settings)
    try:
        yield
    finally:
        for name in settings:
            del os.environ[name]
        os.environ.update(before)


@contextmanager
def halted(folder: RunFolder, names: Collection[str]) -> Iterator[None]:
    """Has these processes of the stack stand still while the block runs."""
    pids = [row.pid for row in folder.status().processes if row.name in names and row.pid]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def cpu_seconds(folder: RunFolder, name: str) -> float:
    """Returns the CPU time that a process of the stack has taken so far."""
    times = running(folder, name).cpu_times()
    return float(times.user + times.system)


def memory(folder: RunFolder, name: str) -> int:
    """Returns the bytes that a process of the stack has in memory."""
    return int(running(folder, name).memory_info().rss)


def running(folder: RunFolder, name: str) -> psutil.Process:
    return psutil.Process(next(p.pid for p in folder.status().processes if p.name == name))
