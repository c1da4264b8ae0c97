"""Ports for a stack: its own again if they are free, the well-known ones, else any free one."""

import random
import socket
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from ops.stack import flock

# Below the range from which the kernel takes ports for outgoing connections: while a server is
# restarted, no client's connection can sit on its port.
RANGE = (20_000, 32_768)
TRIES = 1_000


class Ports:
    """Claims ports against all stacks of this user, until this process ends.

    A port is free if nothing listens on it and no other stack holds its claim: a server that is
    restarting does not listen, and two stacks that start at once see the same ports free.
    """

    def __init__(self, claims: Path) -> None:
        self._claims = claims
        self._held: list[int] = []

    def claim(self, *wanted: int) -> int:
        """Returns the first wanted port that is free, else any. Raises: OSError if none is."""
        for port in chain(wanted, candidates()):
            claim = flock.hold(self._claims / f"{port}.lock")
            if claim is None:
                continue
            self._held.append(claim)
            if is_free(port):
                return port
        raise OSError(f"none of {TRIES} ports in {RANGE} is free")


def candidates() -> Iterator[int]:
    """Yields ports in no order that another stack would follow too."""
    return (random.randrange(*RANGE) for _ in range(TRIES))


def is_free(port: int) -> bool:
    """Returns whether a server could listen on the loopback port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
