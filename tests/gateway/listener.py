"""A client of a stream, on the application itself: it reads when it likes, and may go."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, MutableMapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.types import ASGIApp

from gateway.app import create_app
from gateway.deps import Parts
from gateway.route import BASE
from gateway.sse import CutOff
from ops.client.sse import Event, Parser
from tests.gateway.routes.conftest import Customer

WITHIN_S = 5
Follow = Callable[..., AbstractAsyncContextManager["Listener"]]


class Listener:
    """status, headers: of the answer; reading: whether it takes what it is sent; whole: the answer ended as it
    should.
    """

    def __init__(self, last_id: str) -> None:
        self.status, self.whole = 0, False
        self.headers: dict[str, str] = {}
        self.body = b""
        self.parser = Parser(last_id)
        self.begun, self.reading, self.gone = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.reading.set()
        self.answering: asyncio.Task[None] | None = None
        self._events: asyncio.Queue[Event | None] = asyncio.Queue()

    async def answer(self, app: ASGIApp, scope: MutableMapping[str, Any]) -> None:
        try:
            await app(scope, self.receive, self.send)
        finally:
            self.begun.set()

    async def receive(self) -> MutableMapping[str, Any]:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            self.headers = {name.decode(): value.decode() for name, value in message["headers"]}
            self.begun.set()
            return
        await self.reading.wait()
        self.body += message["body"]
        for event in self.parser.feed(message["body"]):
            self._events.put_nowait(event)
        if not message.get("more_body"):
            self.whole = True
            self._events.put_nowait(None)

    async def event(self, name: str | None = None) -> Event:
        """Returns the next event, which has that name."""
        async with asyncio.timeout(WITHIN_S):
            event = await self._events.get()
        assert event is not None, "the stream has ended"
        assert name in (None, event.name), event
        return event

    async def ended(self) -> None:
        """Returns once nothing more comes, and nothing did meanwhile."""
        async with asyncio.timeout(WITHIN_S):
            assert await self._events.get() is None

    async def cut_off(self) -> None:
        """Returns once it is given up, though it has read nothing."""
        assert self.answering
        await asyncio.wait({self.answering}, timeout=WITHIN_S)
        assert isinstance(self.answering.exception(), CutOff)
        assert not self.whole

    def waiting(self) -> list[Event | None]:
        """Returns what has come and was not asked for; None: the end."""
        return [self._events.get_nowait() for _ in range(self._events.qsize())]


@asynccontextmanager
async def listening(
    app: ASGIApp, path: str, headers: Mapping[str, str], last_id: str | None = None
) -> AsyncIterator[Listener]:
    """Yields a client whose answer has begun; it goes after the block."""
    url = urlsplit(f"{BASE}{path}")
    given = {"Host": "edge", **headers, **({} if last_id is None else {"Last-Event-ID": last_id})}
    scope = {
        "type": "http",
        "method": "GET",
        "path": url.path,
        "raw_path": url.path.encode(),
        "query_string": url.query.encode(),
        "headers": [(name.lower().encode(), value.encode()) for name, value in given.items()],
    }
    listener = Listener(last_id or "")
    answering = listener.answering = asyncio.create_task(listener.answer(app, scope))
    try:
        await asyncio.wait_for(listener.begun.wait(), WITHIN_S)
        yield listener
    finally:
        listener.gone.set()
        listener.reading.set()
        _, late = await asyncio.wait({answering}, timeout=WITHIN_S)
        assert not late
    failure = answering.exception()
    assert failure is None or isinstance(failure, CutOff), failure


@pytest.fixture
def follow(parts: Parts, customer: Customer) -> Follow:
    """Returns what follows the customer's account: what comes after /stream, last_id."""
    app = create_app(parts)

    def begin(query: str = "", *, of: Customer = customer, last_id: str | None = None) -> Any:
        return listening(app, f"/stream{query}", of.headers, last_id)

    return begin
