"""Finding and ending what is left of a stack whose supervisor is gone, by the mark each carries."""

import os
import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from itertools import groupby
from time import monotonic, sleep

import psutil

from ops.stack.endpoints import MARK
from ops.stack.folder import RunFolder
from ops.stack.processes import TABLE

ORDER = {row.name: place for place, row in enumerate(TABLE)}
DRAIN = 10.0  # s
PAUSE = 0.02  # s between two looks at whether they live


def marked(folder: RunFolder) -> Iterator[tuple[psutil.Process, str]]:
    """Yields each process of the folder's stack and its name, this process left out."""
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            found = process.environ()
            if found.get(MARK) == str(folder.path) and process.pid != os.getpid():
                yield process, found.get("ORDERSTREAM_PROCESS", "")


def sweep(folder: RunFolder) -> int:
    """Ends what is left, a stack's last process first: asked, then killed. Returns how many."""
    found = sorted(marked(folder), key=rank, reverse=True)
    for _, group in groupby(found, key=rank):
        end([process for process, _ in group])
    return len(found)


def rank(item: tuple[psutil.Process, str]) -> int:
    """Returns the process's place in the table: a supervisor's is the last."""
    return ORDER.get(item[1], len(TABLE))


def end(processes: Sequence[psutil.Process]) -> None:
    """Asks the processes to end and kills those that have not within their time to drain."""
    send(processes, signal.SIGTERM)
    alive = wait(processes, DRAIN)
    send(alive, signal.SIGKILL)
    wait(alive, DRAIN)


def send(processes: Sequence[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.send_signal(number)


def wait(processes: Sequence[psutil.Process], limit: float) -> list[psutil.Process]:
    """Returns those that live still after so many seconds."""
    deadline = monotonic() + limit
    alive = [process for process in processes if lives(process)]
    while alive and monotonic() < deadline:
        sleep(PAUSE)
        alive = [process for process in alive if lives(process)]
    return alive


def lives(process: psutil.Process) -> bool:
    """Returns whether the process runs; one that ended may keep its number until its parent asks."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
