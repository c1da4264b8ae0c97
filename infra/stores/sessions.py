"""Who is logged in: an allow list. A session that is not in it is over, so losing the list logs people out
and can never bring a revoked session back. The rate limits are asked for in the same breath.

session:ID              hash: record (JSON), role, seen, ends, refresh, rotated, used
sessions:ACCOUNT        sorted set: ids by the time at which they were opened
limit:BUDGET:WHO        see limits.py
sessions:ended          a channel: ids
"""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import Any, Literal, NamedTuple, Protocol

from pydantic import BaseModel, ConfigDict
from redis.asyncio import Redis
from redis.exceptions import RedisError

from infra.breaker import Breaker
from infra.together import Together
from infra.unavailable import Unavailable

from . import redis
from .limits import Allowance, Bucket, Buckets
from .users import Role

ANSWER_WITHIN = 200  # ms; whoever waits for a session gets an answer within 250 ms
ID_BYTES = 24  # 192 bits
IDLE = 1_800_000  # ms
TOUCH = 60_000  # ms between two notes of when a session was last seen
MOST = 10  # sessions of an account
RACE = 5_000  # ms in which two tabs may show the same refresh token
REMEMBERED = 4_096  # records that need not be read again
KNOWN = 64  # used refresh tokens by which a theft is known
ENDED = "sessions:ended"


class Session(BaseModel):
    """Whose it is and what he may do: rights are read here at each request, never from a token.

    created_at: ms since the epoch; browser: its tokens are cookies; address: the prefix of whence it was opened.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    account_id: str
    username: str
    role: Role
    created_at: int
    browser: bool = False
    user_agent: str | None = None
    address: str | None = None


class Open(NamedTuple):
    """seen: ms since the epoch, a minute early at most."""

    id: str
    session: Session
    seen: int


class Knock(NamedTuple):
    """A request at the door. session_id: the one that it names, if it names one."""

    session_id: str | None
    buckets: Sequence[Bucket] = ()


class Entry(NamedTuple):
    """session: None if it is over or none was named; allowance: None if nothing limits the request."""

    session: Session | None
    allowance: Allowance | None


Rotation = Literal["rotated", "racing", "reused", "unknown", "over"]
"""racing: it was the newest a moment ago; reused: an older one, the session is over now."""


class Sessions(Protocol):
    """Raises Unavailable wherever the store does not answer."""

    async def admit(self, knock: Knock) -> Entry:
        """Returns the session and what the limits say; the session was seen then."""

    async def open(self, session: Session, life: int, refresh: str) -> str:
        """Returns the id of the session, which no one can guess. It ends after life ms, or when it is idle.

        refresh: its refresh token's hash. Of more than MOST sessions the account's oldest end.
        """

    async def of(self, account_id: str) -> Sequence[Open]:
        """Returns the account's sessions, the newest first."""

    async def end(self, account_id: str, session_id: str) -> bool:
        """Returns whether the account had such a session. There is none after that."""

    async def end_all(self, account_id: str, but: str = "") -> int:
        """Returns how many sessions of the account it ended, all but that one."""

    async def rotate(self, account_id: str, session_id: str, given: str, new: str) -> Rotation:
        """Returns what became of showing the refresh token of one hash to have that of the other."""

    async def set_role(self, account_id: str, role: Role) -> None:
        """Has the account's open sessions have the role from now on."""

    def ended(self) -> AsyncIterator[str | None]:
        """Yields the ids of sessions that end from now on, but for those that time ends. The first, and each after a
        lost connection, is None: any may have ended.
        """


def new_id() -> str:
    return secrets.token_urlsafe(ID_BYTES)


def connect(url: str, within: int = ANSWER_WITHIN) -> Redis:
    return redis.connect(url, within)


@contextmanager
def answering() -> Iterator[None]:
    """Raises: Unavailable if a call inside failed."""
    try:
        yield
    except (RedisError, OSError) as failure:
        raise Unavailable("sessions") from failure


class RedisSessions:
    """idle: ms without a request after which a session is over."""

    def __init__(self, client: Redis, *, idle: int = IDLE, touch: int = TOUCH) -> None:
        self.client, self.idle, self.touch = client, idle, touch
        self._admit, self._open = redis.script(client, "admit"), redis.script(client, "open")
        self._rotate, self._end = redis.script(client, "rotate"), redis.script(client, "end")
        self._role = redis.script(client, "role")
        self._breaker = Breaker("sessions")
        self._together = Together(self._admit_all)

    async def admit(self, knock: Knock) -> Entry:
        with self._breaker:
            return await self._together.ask(knock)

    async def _admit_all(self, knocks: Sequence[Knock]) -> Sequence[Entry]:
        keys: list[str] = []
        args: list[int] = [self.idle, self.touch]
        for session_id, buckets in knocks:
            keys += [key(session_id or ""), *(bucket.key for bucket in buckets)]
            budgets = [bucket.budget for bucket in buckets]
            args += [len(buckets), *chain.from_iterable((b.interval, b.burst) for b in budgets)]
        with answering():
            answers = await self._admit(keys, args)
        return [entry(knock, *told) for knock, told in zip(knocks, answers, strict=True)]

    async def open(self, session: Session, life: int, refresh: str) -> str:
        session_id, now, role = new_id(), session.created_at, session.role
        record = session.model_dump_json()
        with answering():
            await self._open(
                [key(session_id), index(session.account_id)],
                [session_id, record, role, now, now + life, self.idle, refresh, MOST, ENDED],
            )
        return session_id

    async def of(self, account_id: str) -> Sequence[Open]:
        with answering():
            raw: Sequence[Any] = await self.client.zrevrange(index(account_id), 0, -1)
            ids = [id_.decode() for id_ in raw]
            async with self.client.pipeline(transaction=False) as pipe:
                for id_ in ids:
                    pipe.hmget(key(id_), ["record", "role", "seen"])
                found = await pipe.execute()
        return [
            Open(id_, decoded(record, role), int(seen))
            for id_, (record, role, seen) in zip(ids, found, strict=True)
            if record
        ]

    async def end(self, account_id: str, session_id: str) -> bool:
        with answering():
            return bool(await self._end([index(account_id)], [ENDED, session_id, ""]))

    async def end_all(self, account_id: str, but: str = "") -> int:
        with answering():
            return int(await self._end([index(account_id)], [ENDED, "", but]))

    async def rotate(self, account_id: str, session_id: str, given: str, new: str) -> Rotation:
        with answering():
            seconds, micros = await self.client.time()
            now = seconds * 1000 + micros // 1000
            keys = [key(session_id), index(account_id)]
            args = [session_id, given, new, now, RACE, KNOWN, ENDED, self.idle]
            answer: bytes = await self._rotate(keys, args)
        rotation: Rotation = answer.decode()  # type: ignore[assignment]
        return rotation

    async def set_role(self, account_id: str, role: Role) -> None:
        with answering():
            await self._role([index(account_id)], [role])

    async def ended(self) -> AsyncIterator[str | None]:
        while True:
            try:
                async with self.client.pubsub() as channel:
                    await channel.subscribe(ENDED)
                    while True:
                        heard = await channel.get_message(timeout=ANSWER_WITHIN / 2000)
                        if heard:  # the first of a connection only says that it is there
                            first = heard["type"] == "subscribe"
                            yield None if first else heard["data"].decode()
            except (RedisError, OSError):
                await asyncio.sleep(ANSWER_WITHIN / 1000)


def entry(knock: Knock, record: bytes | None, role: bytes, *told: int) -> Entry:
    """Returns what admit.lua answered."""
    session = decoded(record, role) if record else None
    tightest, *left = told
    if not tightest:
        return Entry(session, None)
    budget = knock.buckets[tightest - 1].budget
    return Entry(session, Allowance(budget, *left))


@lru_cache(REMEMBERED)
def decoded(record: bytes, role: bytes) -> Session:
    session = Session.model_validate_json(record)
    now: Role = role.decode()  # type: ignore[assignment]
    return session if session.role == now else session.model_copy(update={"role": now})


def key(session_id: str) -> str:
    return f"session:{session_id}"


def index(account_id: str) -> str:
    return f"sessions:{account_id}"


@dataclass
class Kept:
    """What the twin knows of a session. ends: ms; used: refresh tokens' hashes, the newest first."""

    record: str
    seen: int
    ends: int
    refresh: str
    rotated: int = 0
    used: tuple[str, ...] = ()


class MemorySessions:
    """The twin: a session survives JSON, and ends by the clock. now: ms since the epoch; away: it is down."""

    def __init__(self, now: Callable[[], int], *, idle: int = IDLE) -> None:
        self.now, self.idle = now, idle
        self.rows: dict[str, Kept] = {}
        self.buckets = Buckets(now)
        self.away = False
        self._listeners: set[asyncio.Queue[str]] = set()

    async def admit(self, knock: Knock) -> Entry:
        self._answer()
        kept = self.rows.get(knock.session_id or "")
        if kept:
            kept.seen = self.now()
        session = Session.model_validate_json(kept.record) if kept else None
        return Entry(session, self.buckets.take(knock.buckets))

    async def open(self, session: Session, life: int, refresh: str) -> str:
        self._answer()
        session_id, now = new_id(), session.created_at
        self.rows[session_id] = Kept(session.model_dump_json(), now, now + life, refresh)
        for old in (await self.of(session.account_id))[MOST:]:
            await self.end(session.account_id, old.id)
        return session_id

    async def of(self, account_id: str) -> Sequence[Open]:
        self._answer()
        found = (
            Open(id_, Session.model_validate_json(kept.record), kept.seen)
            for id_, kept in reversed(self.rows.items())
        )
        return [one for one in found if one.session.account_id == account_id]

    async def end(self, account_id: str, session_id: str) -> bool:
        ours = any(one.id == session_id for one in await self.of(account_id))
        if ours:
            del self.rows[session_id]
            for listener in self._listeners:
                listener.put_nowait(session_id)
        return ours

    async def end_all(self, account_id: str, but: str = "") -> int:
        others = [one.id for one in await self.of(account_id) if one.id != but]
        return sum([await self.end(account_id, id_) for id_ in others])

    async def rotate(self, account_id: str, session_id: str, given: str, new: str) -> Rotation:
        self._answer()
        kept = self.rows.get(session_id)
        if kept is None:
            return "over"
        if kept.refresh == given:
            kept.used = (given, *kept.used)[:KNOWN]
            kept.refresh, kept.rotated, kept.seen = new, self.now(), self.now()
            return "rotated"
        if given not in kept.used:
            return "unknown"
        if given == kept.used[0] and self.now() - kept.rotated < RACE:
            return "racing"
        await self.end(account_id, session_id)
        return "reused"

    async def set_role(self, account_id: str, role: Role) -> None:
        for one in await self.of(account_id):
            changed = one.session.model_copy(update={"role": role})
            self.rows[one.id].record = changed.model_dump_json()

    async def ended(self) -> AsyncIterator[str | None]:
        heard: asyncio.Queue[str] = asyncio.Queue()
        self._listeners.add(heard)
        try:
            yield None
            while True:
                yield await heard.get()
        finally:
            self._listeners.remove(heard)

    def _answer(self) -> None:
        """Lets go of what time has ended. Raises: Unavailable."""
        if self.away:
            raise Unavailable("sessions")
        now = self.now()
        for id_, kept in list(self.rows.items()):
            if now >= min(kept.ends, kept.seen + self.idle):
                del self.rows[id_]
