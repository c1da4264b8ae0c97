"""Locks between processes: the kernel drops them with their holder, so none is ever stale."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def hold(path: Path) -> int | None:
    """Returns the descriptor that holds the lock until it is closed, None if another holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    held = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(held)
        return None
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
