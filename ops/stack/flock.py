"""Locks between processes: the kernel drops them with their holder, so none is ever stale."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep

PAUSE = 0.01  # s between two tries


def hold(path: Path, patience: float = 0.0) -> int | None:
    """Returns the descriptor that holds the lock until it is closed, None if another holds it.

    patience: for how many s to try again. Whoever only asks holds the lock for a moment too.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    deadline = monotonic() + patience
    while True:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if monotonic() >= deadline:
                os.close(held)
                return None
            sleep(PAUSE)
        else:
            return held


def is_held(path: Path) -> bool:
    """Returns whether a living process holds the lock."""
    if not path.exists():
        return False
    if (held := hold(path)) is None:
        return True
    os.close(held)
    return False


@contextmanager
def holding(path: Path) -> Iterator[None]:
    """Waits for the lock and holds it inside the block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX)
        yield
    finally:
        os.close(held)
