"""Who is logged in: an allow list. A session that is not in it is over, so losing the list logs people out
and can never bring a revoked session back.
"""

import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Protocol

from pydantic import BaseModel, ConfigDict
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Cut
from redis.exceptions import RedisError

from infra.together import Together
from infra.unavailable import Unavailable

from .users import Role

ANSWER_WITHIN = 0.2  # s; whoever waits for a session gets an answer within 250 ms
ID_BYTES = 24  # 192 bits


class Session(BaseModel):
    """Whose it is and what he may do: rights are read here at each request, never from a token.

    created_at: ms since the epoch.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    account_id: str
    username: str
    role: Role
    created_at: int


class Sessions(Protocol):
    """Raises Unavailable wherever the store does not answer."""

    async def open(self, session: Session, life: int) -> str:
        """Returns the id of the session, which no one can guess. It ends by itself after life ms."""

    async def find(self, session_id: str) -> Session | None:
        """Returns the session if it is not over."""

    async def end(self, session_id: str) -> bool:
        """Returns whether there was such a session. There is none after that."""


def new_id() -> str:
    return secrets.token_urlsafe(ID_BYTES)


def connect(url: str) -> Redis:
    """Returns a client that gives up soon. A connection that a restarted server cut is replaced once."""
    return Redis.from_url(
        url,
        socket_timeout=ANSWER_WITHIN,
        socket_connect_timeout=ANSWER_WITHIN,
        retry=Retry(NoBackoff(), retries=1, supported_errors=(Cut,)),
    )


@contextmanager
def answering() -> Iterator[None]:
    """Raises: Unavailable if a call inside failed."""
    try:
        yield
    except (RedisError, OSError) as failure:
        raise Unavailable("sessions") from failure


class RedisSessions:
    def __init__(self, client: Redis) -> None:
        self.client = client
        self._together = Together(self._find_all)

    async def open(self, session: Session, life: int) -> str:
        session_id = new_id()
        with answering():
            await self.client.set(key(session_id), session.model_dump_json(), px=life)
        return session_id

    async def find(self, session_id: str) -> Session | None:
        raw = await self._together.ask(session_id)
        return Session.model_validate_json(raw) if raw else None

    async def _find_all(self, session_ids: Sequence[str]) -> Sequence[bytes | str | None]:
        with answering():
            return await self.client.mget(map(key, session_ids))

    async def end(self, session_id: str) -> bool:
        with answering():
            return bool(await self.client.delete(key(session_id)))


def key(session_id: str) -> str:
    return f"session:{session_id}"


class MemorySessions:
    """The twin: a session survives JSON, and ends by the clock. now: ms since the epoch."""

    def __init__(self, now: Callable[[], int]) -> None:
        self.now = now
        self.rows: dict[str, tuple[str, int]] = {}

    async def open(self, session: Session, life: int) -> str:
        session_id = new_id()
        self.rows[session_id] = (session.model_dump_json(), self.now() + life)
        return session_id

    async def find(self, session_id: str) -> Session | None:
        raw, ends = self.rows.get(session_id, ("", 0))
        return Session.model_validate_json(raw) if self.now() < ends else None

    async def end(self, session_id: str) -> bool:
        was = await self.find(session_id)
        self.rows.pop(session_id, None)
        return was is not None
