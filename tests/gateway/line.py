"""A bad line between the product's client and the edge on twins: requests get lost, streams are cut."""

import asyncio
import re
from collections.abc import AsyncIterator, MutableMapping
from decimal import Decimal
from typing import Any, Literal

import httpx2
import pytest

from gateway.app import create_app
from gateway.deps import Parts
from gateway.sse import CutOff
from ops.client.client import Client

from .conftest import ADA, Clock

NAME, EMAIL, PASSWORD = ADA["username"], ADA["email"], ADA["password"]
Trouble = Literal["unreachable", "lost"] | int
RETRY = re.compile(rb"^retry: \d+", re.MULTILINE)
WITHIN_S = 5


class Body(httpx2.AsyncByteStream):
    """An answer of the edge, as it comes. length: bytes after which it is cut, None: never."""

    def __init__(self, length: int | None, retry_ms: int) -> None:
        self.status, self.length, self.retry_ms = 0, length, retry_ms
        self.headers: list[tuple[bytes, bytes]] = []
        self.begun, self.gone = asyncio.Event(), asyncio.Event()
        self.answering: asyncio.Task[None] | None = None
        self._asked = False
        self._chunks: asyncio.Queue[bytes | None] = asyncio.Queue()

    async def send(self, message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            self.status, self.headers = message["status"], message["headers"]
            self.begun.set()
            return
        retry = b"retry: %d" % self.retry_ms
        self._chunks.put_nowait(RETRY.sub(retry, message.get("body", b"")))
        if not message.get("more_body"):
            self._chunks.put_nowait(None)

    async def receive(self, body: bytes) -> MutableMapping[str, Any]:
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": body, "more_body": False}
        await self.gone.wait()
        return {"type": "http.disconnect"}

    def cut(self) -> None:
        self.length = 0
        self._chunks.put_nowait(b"-")  # has whoever waits look

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while (chunk := await self._chunks.get()) is not None:
            if self.length is None:
                yield chunk
            elif len(chunk) < self.length:
                self.length -= len(chunk)
                yield chunk
            else:
                yield chunk[: self.length]
                raise httpx2.ReadError("cut")

    async def aclose(self) -> None:
        self.gone.set()
        assert self.answering
        await asyncio.wait_for(asyncio.wait({self.answering}), WITHIN_S)
        failure = self.answering.exception()
        assert failure is None or isinstance(failure, CutOff), failure


class Line(httpx2.AsyncBaseTransport):
    """troubles: of the next requests; a number: the status that somebody between answers. lengths: of the next
    streams, in bytes; retry_ms: what the edge's `retry:` becomes.
    """

    def __init__(self, parts: Parts) -> None:
        self.edge = create_app(parts)
        self.troubles: list[Trouble] = []
        self.lengths: list[int] = []
        self.retry_ms = 1
        self.sent: list[httpx2.Request] = []
        self.streams: list[Body] = []
        self.told_no = asyncio.Event()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.sent.append(request)
        match self.troubles.pop(0) if self.troubles else None:
            case "unreachable":
                raise httpx2.ConnectError("refused")
            case "lost":
                await (await self._carried(request)).aclose()
                raise httpx2.ReadError("reset")
            case int(status):
                return httpx2.Response(status, headers={"Retry-After": "0"}, request=request)
            case _:
                answer = await self._carried(request)
        if answer.is_error:
            self.told_no.set()
        return answer

    async def _carried(self, request: httpx2.Request) -> httpx2.Response:
        is_stream = "/stream" in request.url.path
        body = Body(self.lengths.pop(0) if is_stream and self.lengths else None, self.retry_ms)
        if is_stream:
            self.streams.append(body)
        content = await request.aread()
        scope = {
            "type": "http",
            "method": request.method,
            "path": request.url.path,
            "raw_path": request.url.raw_path.split(b"?")[0],
            "query_string": request.url.query,
            "headers": [(name.lower(), value) for name, value in request.headers.raw],
        }
        body.answering = asyncio.create_task(
            self.edge(scope, lambda: body.receive(content), body.send)
        )
        await asyncio.wait_for(body.begun.wait(), WITHIN_S)
        return httpx2.Response(body.status, headers=body.headers, stream=body, request=request)

    def paths(self) -> list[str]:
        """Returns where the requests went since it was asked last."""
        paths = [request.url.path.removeprefix("/api/v1") for request in self.sent]
        self.sent.clear()
        return paths


@pytest.fixture
def line(parts: Parts) -> Line:
    return Line(parts)


@pytest.fixture
async def ada(line: Line, clock: Clock) -> AsyncIterator[Client]:
    """Yields a client for Ada, who is logged in and has 1,000.00 USD."""
    http = httpx2.AsyncClient(transport=line, base_url="http://edge")
    async with http, Client("http://edge", http=http, now=lambda: clock.ms / 1000) as client:
        await client.register(NAME, EMAIL, PASSWORD)
        await client.login(NAME, PASSWORD)
        await client.deposit(Decimal(1000))
        line.sent.clear()
        yield client
