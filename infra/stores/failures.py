"""Failed logins, by name, be it anybody's or not: after some, the next try must wait, longer each time.

failures:NAME    hash: count, until (ms)
"""

from collections.abc import Callable
from typing import Protocol

from redis.asyncio import Redis

from .redis import script
from .sessions import answering

FREE = 5
"""Failures before one must wait."""
FIRST_WAIT, LONGEST_WAIT = 60_000, 900_000  # ms
FORGOTTEN_AFTER = 3_600_000  # ms without a failure


def wait_after(count: int) -> int:
    """Returns how long, in ms, nobody may try after so many failures in a row."""
    return min(FIRST_WAIT << min(count - FREE, 10), LONGEST_WAIT) if count >= FREE else 0


class Failures(Protocol):
    """Raises Unavailable wherever the store does not answer. name: what tells names apart, not the name itself."""

    async def wait(self, name: str) -> int:
        """Returns for how many ms nobody may log in under the name, 0: somebody may."""

    async def count(self, name: str) -> int:
        """Notes a failure. Returns how many there were in a row."""

    async def clear(self, name: str) -> None:
        """Forgets the name's failures: somebody had the password."""


class RedisFailures:
    def __init__(self, client: Redis) -> None:
        self.client = client
        self._wait, self._count = script(client, "wait"), script(client, "count")

    async def wait(self, name: str) -> int:
        with answering():
            return int(await self._wait([key(name)], []))

    async def count(self, name: str) -> int:
        args = [FREE, FIRST_WAIT, LONGEST_WAIT, FORGOTTEN_AFTER]
        with answering():
            return int(await self._count([key(name)], args))

    async def clear(self, name: str) -> None:
        with answering():
            await self.client.delete(key(name))


def key(name: str) -> str:
    return f"failures:{name}"


class MemoryFailures:
    """The twin. now: ms."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.rows: dict[str, tuple[int, int, int]] = {}

    async def wait(self, name: str) -> int:
        _, until, _ = self._row(name)
        return max(0, until - self.now())

    async def count(self, name: str) -> int:
        count, now = self._row(name)[0] + 1, self.now()
        self.rows[name] = count, now + wait_after(count), now + FORGOTTEN_AFTER
        return count

    async def clear(self, name: str) -> None:
        self.rows.pop(name, None)

    def _row(self, name: str) -> tuple[int, int, int]:
        count, until, ends = self.rows.get(name, (0, 0, 0))
        return (count, until, ends) if self.now() < ends else (0, 0, 0)
