"""A stack of the bench's own: in a temporary folder, on free ports, its JVMs with the optimising compiler."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from ops.stack.folder import RunFolder
from ops.stack.lifecycle import down, up


@contextmanager
def stack(*only: str, partitions: int) -> Iterator[RunFolder]:
    """Returns the folder of a stack that is ready, stopped and wiped after the block.

    only: these processes and what they need, else all. partitions: of every account topic.
    """
    for name in [name for name in os.environ if name.startswith("ORDERSTREAM_")]:
        del os.environ[name]  # what the caller's environment names is not for benches
    os.environ["ORDERSTREAM_JVM"] = "full"
    os.environ["ORDERSTREAM_PARTITION_COUNT"] = str(partitions)
    with TemporaryDirectory(prefix="orderstream-bench-") as path:
        folder = RunFolder(Path(path))
        up(folder, only=only, any_ports=True, owner=os.getpid())
        try:
            yield folder
        finally:
            down(folder)


def cpu_seconds(folder: RunFolder, name: str) -> float:
    """Returns the CPU time that a process of the stack has taken so far."""
    pid = next(process.pid for process in folder.status().processes if process.name == name)
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system)
