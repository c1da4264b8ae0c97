"""Streams: how each lives and ends, and how many there may be.

A stream pulls: when it is woken it asks its source what its client lacks, sends that and goes on from there. So
nothing piles up for a client that reads slowly: it falls behind, and its source tells it the less.
"""

import asyncio
from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import NamedTuple, Protocol

import structlog
from prometheus_client import Counter, Gauge
from pydantic import BaseModel

from infra.log.clock import alive_ms
from infra.stores.sessions import Knock, Sessions
from infra.unavailable import Unavailable
from infra.views.port import Changed, Changes

from .problems import UNKNOWN, Refused, refusal
from .sse import Say, beat, frame, retry

BEAT_S = 10  # a sign of life and a look at the session, at least so often
PATIENCE_S = 30  # with a client that takes nothing, and with sessions that nobody can look up
MOST, MOST_PUBLIC, MOST_OF_ONE = 2_000, 1_000, 5  # at once: here, of them anybody's, an account's
NOBODY = ""

OPEN = Gauge("orderstream_streams", "Streams that are open.", ["stream"])
ENDS = Counter("orderstream_stream_ends", "Streams that ended, and why.", ["stream", "why"])
log = structlog.get_logger()


class End(StrEnum):
    """Why a stream is over. done: all was told; left: the client went; closed: this process ends; slow: the client took
    nothing.
    """

    DONE = "done"
    LEFT = "left"
    CLOSED = "closed"
    SLOW = "slow"
    AUTH_EXPIRED = "auth_expired"
    ERROR = "error"


class ErrorView(BaseModel):
    code: str


class Lacking(NamedTuple):
    """Frames that a client lacks. more: there are others to be had at once; over: why there are none after them."""

    frames: bytes
    more: bool = False
    over: End | None = None


class Source(Protocol):
    """What one client follows. pause_ms: between two sendings."""

    pause_ms: int

    @property
    def position(self) -> str:
        """Returns from where on the client would resume."""

    async def lacking(self) -> Lacking:
        """Returns what the client lacks; it counts as sent. Raises: NotReady, Unavailable."""


class Caller(NamedTuple):
    """Whose stream it is. token_ends: s since the epoch."""

    account_id: str
    session_id: str
    token_ends: int


class Stream:
    """One client. caller: None: anybody."""

    def __init__(self, hub: "Hub", source: Source, caller: Caller | None) -> None:
        self.hub, self.source, self.caller = hub, source, caller
        self.name = "account" if caller else "market"
        self.owner = caller.account_id if caller else NOBODY
        self._loop = asyncio.get_running_loop()
        self._first = Lacking(b"")
        self._awake = asyncio.Event()
        self._over: End | None = None
        self._limit: asyncio.Timeout | None = None
        self._known = alive_ms()
        self._next_beat = self._known + hub.beat_s * 1000

    async def begin(self) -> "Stream":
        """Returns it with its first frames: what goes wrong before them is a problem like any request's."""
        try:
            self._first = await self.source.lacking()
        except BaseException:
            self.hub.release(self, End.ERROR)
            raise
        return self

    def wake(self) -> None:
        self._awake.set()

    def check(self) -> None:
        """Has it look at its session now."""
        self._next_beat = 0
        self.wake()

    def end(self, why: End) -> None:
        """Has it end now, whatever it is doing."""
        self._over = self._over or why
        if self._limit:
            self._limit.reschedule(self._loop.time())

    def leave(self) -> None:
        self.end(End.LEFT)

    async def run(self, say: Say) -> bytes | None:
        """Returns what is said last, None if the client takes nothing any more."""
        why = End.ERROR
        try:
            why = await self._until_over(say)
        except Exception as failure:
            code = refusal(failure).code
            if code == UNKNOWN:
                log.exception("stream_failed", stream=self.name)
            return frame("error", ErrorView(code=code))
        finally:
            self.hub.release(self, why)
        if why is End.SLOW:
            log.warning("stream_dropped", stream=self.name, why=str(why))
            return None
        return frame(why) if why is End.AUTH_EXPIRED else b""

    async def _until_over(self, say: Say) -> End:
        """Returns why it is over, once it is."""
        try:
            async with asyncio.timeout(None) as self._limit:
                return await self._go_on(say, self._limit)
        except TimeoutError:
            return self._over or End.SLOW
        finally:
            self._limit = None

    async def _go_on(self, say: Say, limit: asyncio.Timeout) -> End:
        frames, more, over = self._first
        frames = retry() + frames
        while self._over is None:
            if frames:
                limit.reschedule(self._loop.time() + self.hub.patience_s)
                await say(frames)
                if self._over is None:
                    limit.reschedule(None)
                await asyncio.sleep(self.source.pause_ms / 1000)
            if over:
                return over
            if not more:
                await self._rest()
            is_due = self._left_ms() <= 0
            if is_due and not await self._is_open():
                return End.AUTH_EXPIRED
            frames, more, over = await self.source.lacking()
            if is_due:
                self._next_beat = alive_ms() + self.hub.beat_s * 1000
                frames += beat(self.source.position)
        return self._over

    async def _rest(self) -> None:
        """Returns when something is to be done."""
        alarm = self._loop.call_later((self._left_ms() + 1) / 1000, self._awake.set)
        try:
            await self._awake.wait()
        finally:
            alarm.cancel()
        self._awake.clear()

    def _left_ms(self) -> int:
        """Returns in how many ms the next sign of life is due, or the token ends."""
        left = self._next_beat - alive_ms()
        return min(left, self.caller.token_ends * 1000 - self.hub.now()) if self.caller else left

    async def _is_open(self) -> bool:
        """Returns whether the client may see more. Raises: Unavailable if nobody has known for too long."""
        if self.caller is None:
            return True
        if self.hub.now() >= self.caller.token_ends * 1000:
            return False
        try:
            session = (await self.hub.sessions.admit(Knock(self.caller.session_id))).session
        except Unavailable:
            if alive_ms() - self._known >= self.hub.patience_s * 1000:
                raise
            return True
        self._known = alive_ms()
        return session is not None and session.account_id == self.caller.account_id


class Hub:
    """All streams of this process. now: ms since the epoch; the rest: see BEAT_S and its neighbours."""

    def __init__(
        self,
        sessions: Sessions,
        now: Callable[[], int],
        *,
        beat_s: int = BEAT_S,
        patience_s: int = PATIENCE_S,
        most: int = MOST,
    ) -> None:
        self.sessions, self.now = sessions, now
        self.beat_s, self.patience_s, self.most = beat_s, patience_s, most
        self._streams: dict[str, set[Stream]] = {NOBODY: set()}
        self.count = 0
        self._closed = False

    def admit(self, source: Source, caller: Caller | None) -> Stream:
        """Returns a stream that hears of every change from now on; `run` it, or `release` it.

        Raises: Refused with too_many_streams, overloaded.
        """
        stream = Stream(self, source, caller)
        own = self._streams.get(stream.owner, ())
        if caller and len(own) >= MOST_OF_ONE:
            raise Refused("too_many_streams", headers={"Retry-After": str(self.beat_s)})
        if self._closed or self.count >= self.most or (not caller and len(own) >= MOST_PUBLIC):
            raise Refused("overloaded")
        self._streams.setdefault(stream.owner, set()).add(stream)
        self.count += 1
        OPEN.labels(stream.name).inc()
        return stream

    def release(self, stream: Stream, why: End) -> None:
        own = self._streams[stream.owner]
        own.remove(stream)
        if not own and stream.owner != NOBODY:
            del self._streams[stream.owner]
        self.count -= 1
        OPEN.labels(stream.name).dec()
        ENDS.labels(stream.name, str(why)).inc()

    def end(self, session_id: str) -> int:
        """Ends the session's streams, for their client may see no more. Returns how many."""
        own = [s for s in self._all() if s.caller and s.caller.session_id == session_id]
        for stream in own:
            stream.end(End.AUTH_EXPIRED)
        return len(own)

    def close(self) -> None:
        """Ends every stream, and takes no more."""
        self._closed = True
        for stream in self._all():
            stream.end(End.CLOSED)

    def wake_public(self) -> None:
        for stream in self._streams[NOBODY]:
            stream.wake()

    def hear(self, changed: Changed | None) -> None:
        """Wakes whom it concerns; everybody, if anything may have changed."""
        owners = self._streams.keys()
        for owner in list(owners) if changed is None else owners & changed.accounts:
            for stream in self._streams[owner]:
                stream.wake()

    async def follow(self, changes: Changes) -> None:
        """Hears until it is canceled."""
        async for changed in changes.changes():
            self.hear(changed)

    async def follow_endings(self) -> None:
        """Ends the streams of sessions that end anywhere, until it is canceled."""
        async for session_id in self.sessions.ended():
            if session_id is None:  # any may have
                for stream in self._all():
                    stream.check()
            else:
                self.end(session_id)

    def _all(self) -> Iterator[Stream]:
        return iter([stream for streams in self._streams.values() for stream in streams])
