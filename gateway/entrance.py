"""What every request passes first and every answer last: a request id, one spelling of a path, a last resort, and
the measures of both.
"""

import re
from collections.abc import Mapping, MutableMapping, Sequence, Set
from functools import cache
from time import perf_counter
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.responses import Response
from prometheus_client import Histogram
from starlette.middleware.cors import CORSMiddleware
from starlette.types import Receive, Scope, Send
from uuid_utils import uuid7

from infra.process.metrics import latency

from .deps import admit_anybody
from .problems import UNKNOWN, Refused, answer, refusal
from .proper import require_proper
from .rates import headers

REQUEST_ID = b"x-request-id"
ORIGIN, VARY = b"origin", (b"vary", b"Origin")
"""Of the requests that CORS is about; all others are answered without its layer, and vary all the same."""
ALLOWANCE = "allowance"
STARTED = "started"
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
ASKED = (
    "Authorization",
    "Content-Type",
    "Idempotency-Key",
    "If-Match",
    "If-None-Match",
    "Last-Event-ID",
    "Prefer",
    "X-Request-ID",
)
ANSWERED = (
    "ETag",
    "Idempotency-Replayed",
    "Location",
    "Preference-Applied",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
)
SAFETY = (
    (b"server", b"orderstream"),  # the HTTP server would tell its own name
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
)
"""What has a browser take no answer for anything else than it is."""
HTTPS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
PRIVATE = (
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)
SANE = re.compile(rb"[A-Za-z0-9_-]{8,64}")
REQUESTS = latency(
    "http_request", "From a request's headers to its answer's.", ("method", "route", "status")
)
NOWHERE = "none"
"""The route of a path that there isn't: a metric has no label that a client makes up."""
log = structlog.get_logger()


class Entrance:
    """The ASGI application. The request's id is in `request.state.request_id` and in every log line.

    It stands in the place of FastAPI's own layers. origins: of pages elsewhere that may read what is answered (CORS);
    hosts: the edge's own names, none: whatever it is called; https: a browser that came so shall come by nothing else.
    """

    def __init__(
        self,
        app: FastAPI,
        origins: Set[str] = frozenset(),
        *,
        hosts: Set[str] = frozenset(),
        https: bool = False,
    ) -> None:
        self.app, self.hosts = app, hosts
        self._safety = (*SAFETY, HTTPS) if https else SAFETY
        self._shared = CORSMiddleware(
            self._answer,
            allow_origins=sorted(origins),
            allow_credentials=True,
            allow_methods=METHODS,
            allow_headers=ASKED,
            expose_headers=ANSWERED,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        said = dict(scope["headers"])
        request_id, is_shared = named(said), ORIGIN in said
        scope["app"] = self.app
        state = scope.setdefault("state", {})
        state["request_id"] = request_id.decode()
        if len(scope["path"]) > 1:
            scope["path"] = scope["path"].removesuffix("/")  # the same resource, never a redirect
        began = perf_counter()

        async def send_named(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                state[STARTED] = True
                measure(scope, message["status"]).observe(perf_counter() - began)
                own = message["headers"]
                told = [*said_of(scope, request_id), *self._safety, *kept_by_nobody(own)]
                message["headers"] = [*own, *told] if is_shared else [*own, *told, VARY]
            await send(message)

        bound = structlog.contextvars.bind_contextvars(request_id=state["request_id"])
        try:
            pass_on = self._shared if is_shared else self._answer
            await pass_on(scope, receive, send_named)
        finally:
            structlog.contextvars.reset_contextvars(**bound)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            require_proper(scope, self.hosts)
            await self.app.router(scope, receive, send)
        except Exception as error:
            response = await self._refusal(scope, error)
            if STARTED in scope["state"]:
                raise  # half an answer must not look like a whole one
            await response(scope, receive, send)

    async def _refusal(self, scope: Scope, error: Exception) -> Response:
        """Returns the answer that says it. The refusal itself stays here: whoever holds it in a frame that it came
        through holds the request with it, and an unread body keeps a connection open.
        """
        refused = await self._counted(scope, refusal(error))
        if refused.code == UNKNOWN:
            log.exception("request_failed", method=scope["method"], path=scope["path"])
        return answer(refused, scope["state"]["request_id"])

    async def _counted(self, scope: Scope, refused: Refused) -> Refused:
        """Returns the refusal, or that there were too many, if the request came to nobody who counted it."""
        counted = ALLOWANCE in scope["state"] or refused.status_code >= 500
        if counted or not hasattr(self.app.state, "parts"):
            return refused
        try:
            await admit_anybody(Request(scope))
        except Refused as too_many:
            return too_many
        return refused


def said_of(scope: Scope, request_id: bytes) -> list[tuple[bytes, bytes]]:
    """Returns what is said of the request and of how many more there may be."""
    allowance = scope["state"].get(ALLOWANCE)
    left = headers(allowance) if allowance else []
    return [(REQUEST_ID, request_id), *left]


def kept_by_nobody(headers: Sequence[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """Returns what keeps an answer out of caches, and from being shown as a page, unless it says of itself."""
    own = {name.lower() for name, _ in headers}
    return [(name, value) for name, value in PRIVATE if name not in own]


def measure(scope: Scope, status: int) -> Histogram:
    """Returns the histogram of such answers."""
    route = getattr(scope.get("route"), "path", NOWHERE)
    return measured(scope["method"] if route != NOWHERE else NOWHERE, route, status)


@cache  # a label's look-up costs more than an observation; there are few routes and statuses
def measured(method: str, route: str, status: int) -> Histogram:
    return REQUESTS.labels(method, route, str(status))


def named(headers: Mapping[bytes, bytes]) -> bytes:
    """Returns the client's id for the request if it is a sane one, else a new one."""
    given = headers.get(REQUEST_ID, b"")
    return given if SANE.fullmatch(given) else str(uuid7()).encode()
