"""The admin server that every process has on loopback: is it alive, is it ready, how is it doing.

GET /health 200 while the process answers. GET /health/ready 200 when all that it needs is ready,
else 503; the body says which. GET /metrics in Prometheus's format. A process may
have pages of its own. It serves any ASGI application, so that a process may put a larger one, with
these routes, in the place of `Admin`.
"""

import asyncio
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from contextlib import asynccontextmanager, suppress
from types import MappingProxyType
from typing import Any

import structlog
from granian._granian import SocketHolder
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from infra.process import metrics
from infra.process.settings import Settings

CONNECTIONS = 4_096  # open at once, idle ones too: one more waits, so clients that stay must fit
UNREAD = 65_536  # bytes that the system keeps for a client, twice that by its own count
UNREAD_MS = 30_000  # that it keeps them for one who takes nothing, before it closes the connection
GRACE_S = 6  # for requests under way when the server is stopped
HEADERS_MS = 10_000  # for a request's first line and headers, and for the next request to begin
HEADERS = 65_536  # bytes of them that are kept at most, of an answer that is not taken too

Ready = Callable[[], Mapping[str, bool]]  # what must be ready, and whether it is
Pages = Mapping[str, Callable[[], Mapping[str, Any]]]
"""By path, what answers with a JSON object."""
NO_PAGES: Pages = MappingProxyType({})
Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]
Application = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]


log = structlog.get_logger()


class Admin:
    """The ASGI application of a process that has no other."""

    def __init__(self, process: str, ready: Ready, pages: Pages) -> None:
        self._process = process
        self._ready = ready
        self._pages = pages

    async def __call__(self, scope: MutableMapping[str, Any], _: Receive, send: Send) -> None:
        status, kind, body = self.answer(scope["path"])
        headers = [(b"content-type", kind.encode()), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Returns status, content type and body for the path, whatever the method."""
        match path:
            case "/health":
                return 200, "application/json", encode({"process": self._process})
            case "/health/ready":
                ready = dict(self._ready())
                status = 200 if all(ready.values()) else 503
                return status, "application/json", encode({"ready": status == 200, "parts": ready})
            case "/metrics":
                return 200, metrics.CONTENT_TYPE, metrics.exposition()
            case _ if path in self._pages:
                return 200, "application/json", encode(self._pages[path]())
            case _:
                return 404, "application/json", encode({"title": "Not Found"})


def encode(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body).encode()


class Bound(Server):
    """On a socket of ours: the server's own would share its port with another process, and its requests."""

    def __init__(self, bound: socket.socket, *target: Any, **options: Any) -> None:
        super().__init__(*target, **options)
        self._bound = bound

    def _init_shared_socket(self) -> None:
        holder: Any = SocketHolder
        self._shd: Any = holder(self._bound.detach(), False, CONNECTIONS)  # noqa: FBT003 - no names


def listener(host: str, port: int) -> socket.socket:
    """Returns a socket whose connections keep little for a client that does not read, and not for long.

    Raises: OSError if the port is taken.
    """
    bound = socket.create_server((host, port), backlog=CONNECTIONS)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, UNREAD)
    if hasattr(socket, "TCP_USER_TIMEOUT"):
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNREAD_MS)
    return bound


@asynccontextmanager
async def serving(
    application: Application, host: str, port: int, headers_ms: int = HEADERS_MS
) -> AsyncIterator[None]:
    """Serves the application inside this loop for as long as the block runs: HTTP/1.1 and nothing else.

    Raises: OSError if the port is taken.
    """
    server = Bound(
        listener(host, port),
        application,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=headers_ms, max_buffer_size=HEADERS),
        websockets=False,
        backlog=CONNECTIONS,
        log_enabled=False,
    )
    running = asyncio.ensure_future(server.serve())
    try:
        yield
    finally:
        server.stop()  # type: ignore[no-untyped-call]
        _, late = await asyncio.wait({running}, timeout=GRACE_S)
        if late:
            log.warning("connections_cut", port=port)
            running.cancel()
        with suppress(asyncio.CancelledError):
            await running


@asynccontextmanager
async def serve_admin(
    settings: Settings, ready: Ready, pages: Pages = NO_PAGES
) -> AsyncIterator[None]:
    """Serves health, metrics and the pages on the process's admin port for as long as the block runs."""
    metrics.describe(settings.process)
    async with serving(Admin(settings.process, ready, pages), settings.host, settings.admin_port):
        yield
