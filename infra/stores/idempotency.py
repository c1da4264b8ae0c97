"""What the edge remembers of a command for a day: the first try under each id, so that a second one is the same.

A try is remembered before it is published and marked once it is, so whatever happens between the two, the next
try knows what was meant, and that it may have to be sent again.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import Literal, NamedTuple, Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError

from infra.breaker import Breaker
from infra.together import Together
from infra.unavailable import Unavailable

from .redis import script

LIFE = 24 * 3_600_000  # ms
Act = Literal["first", "keep", "find", "forget"]
Asked = tuple[Act, Sequence[str], bytes]
"""What is done with the keys, and the try."""


class Try(NamedTuple):
    """command: as its topic takes it. offset: where it lies in its partition, None until that is known."""

    command: bytes
    offset: int | None = None


class Tries(Protocol):
    """Ids are an account's own. Every method raises Unavailable if the store does not answer."""

    async def first(self, account_id: str, ids: Sequence[str], tried: Try) -> Sequence[Try]:
        """Returns for each id the try that holds for it: an earlier one, else from now on this one."""

    async def keep(self, account_id: str, ids: Sequence[str], tried: Try) -> None:
        """Has the try hold for these ids, whatever did before."""

    async def find(self, account_id: str, id_: str) -> Try | None:
        """Returns the try that holds for the id, if there was one within LIFE."""

    async def forget(self, account_id: str, ids: Sequence[str]) -> None:
        """Has no try hold for these ids."""


def pack(tried: Try) -> bytes:
    """Returns the offset, if there is one, a line break and the command."""
    offset = b"" if tried.offset is None else b"%d" % tried.offset
    return offset + b"\n" + tried.command


def unpack(raw: bytes) -> Try:
    offset, _, command = raw.partition(b"\n")
    return Try(command, int(offset) if offset else None)


@contextmanager
def answering() -> Iterator[None]:
    """Raises: Unavailable if a call inside failed."""
    try:
        yield
    except (RedisError, OSError) as failure:
        raise Unavailable("redis") from failure


class RedisTries:
    """breaker: before the server, for all who ask it."""

    def __init__(self, client: Redis, breaker: Breaker | None = None) -> None:
        self.client, self._breaker = client, breaker or Breaker("redis")
        self._script = script(client, "tries")
        self._together = Together(self._run)

    async def first(self, account_id: str, ids: Sequence[str], tried: Try) -> Sequence[Try]:
        earlier = await self._ask("first", account_id, ids, pack(tried))
        return [unpack(found) if found else tried for found in earlier]

    async def keep(self, account_id: str, ids: Sequence[str], tried: Try) -> None:
        await self._ask("keep", account_id, ids, pack(tried))

    async def find(self, account_id: str, id_: str) -> Try | None:
        (raw,) = await self._ask("find", account_id, [id_])
        return unpack(raw) if raw else None

    async def forget(self, account_id: str, ids: Sequence[str]) -> None:
        await self._ask("forget", account_id, ids)

    async def _ask(
        self, act: Act, account_id: str, ids: Sequence[str], raw: bytes = b""
    ) -> Sequence[bytes]:
        """Returns what held for each id before, empty if nothing did."""
        with self._breaker:
            return await self._together.ask((act, [key(account_id, id_) for id_ in ids], raw))

    async def _run(self, asked: Sequence[Asked]) -> Sequence[Sequence[bytes]]:
        """Returns what each of those who ask at the same time is told."""
        keys: list[str] = []
        args: list[str | int | bytes] = [LIFE]
        for act, own, raw in asked:
            keys += own
            args += (act, raw) * len(own)
        with answering():
            answers = iter(await self._script(keys, args))
        return [list(islice(answers, len(own))) for _, own, _ in asked]


def key(account_id: str, id_: str) -> str:
    return f"try:{account_id}:{id_}"


class MemoryTries:
    """The twin: a try survives its bytes, and ends by the clock. now: ms; away: whether it is down."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.rows: dict[str, tuple[bytes, int]] = {}
        self.away = False

    async def first(self, account_id: str, ids: Sequence[str], tried: Try) -> Sequence[Try]:
        held = [await self.find(account_id, id_) for id_ in ids]
        missing = [id_ for id_, found in zip(ids, held, strict=True) if found is None]
        await self.keep(account_id, missing, tried)
        return [found or tried for found in held]

    async def keep(self, account_id: str, ids: Sequence[str], tried: Try) -> None:
        self._answer()
        for id_ in ids:
            self.rows[key(account_id, id_)] = pack(tried), self.now() + LIFE

    async def find(self, account_id: str, id_: str) -> Try | None:
        self._answer()
        raw, ends = self.rows.get(key(account_id, id_), (b"", 0))
        return unpack(raw) if self.now() < ends else None

    async def forget(self, account_id: str, ids: Sequence[str]) -> None:
        self._answer()
        for id_ in ids:
            self.rows.pop(key(account_id, id_), None)

    def _answer(self) -> None:
        if self.away:
            raise Unavailable("redis")
