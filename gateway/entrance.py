"""What every request passes first and every answer last: a request id, one spelling of a path, a last resort, and
the measures of both.
"""

import re
from collections.abc import MutableMapping
from functools import cache
from time import perf_counter
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.middleware.asyncexitstack import AsyncExitStackMiddleware
from prometheus_client import Histogram
from starlette.types import Receive, Scope, Send
from uuid_utils import uuid7

from infra.process.metrics import latency

from .deps import admit_anybody
from .limits import headers
from .problems import UNKNOWN, Refused, answer, refusal

REQUEST_ID = b"x-request-id"
ALLOWANCE = "allowance"
SAFETY = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=()"),
)
"""What has a browser take no answer for anything else than it is."""
SANE = re.compile(rb"[A-Za-z0-9_-]{8,64}")
REQUESTS = latency(
    "http_request", "From a request's headers to its answer's.", ("method", "route", "status")
)
NOWHERE = "none"
"""The route of a path that there isn't: a metric has no label that a client makes up."""
log = structlog.get_logger()


class Entrance:
    """The ASGI application. The request's id is in `request.state.request_id` and in every log line.

    It stands in the place of FastAPI's own layers, and keeps the one that FastAPI's routes ask for.
    """

    def __init__(self, app: FastAPI) -> None:
        self.app = app
        self._routes = AsyncExitStackMiddleware(app.router)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = named(scope)
        scope["app"] = self.app
        scope.setdefault("state", {})["request_id"] = request_id.decode()
        if len(scope["path"]) > 1:
            scope["path"] = scope["path"].removesuffix("/")  # the same resource, never a redirect
        started, began = False, perf_counter()

        async def send_named(message: MutableMapping[str, Any]) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                measure(scope, message["status"]).observe(perf_counter() - began)
                message["headers"] = [*message["headers"], *told(scope, request_id)]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id.decode()):
            try:
                await self._routes(scope, receive, send_named)
            except Exception as error:
                refused = await self._counted(scope, refusal(error))
                if refused.code == UNKNOWN:
                    log.exception("request_failed", method=scope["method"], path=scope["path"])
                if started:
                    raise  # half an answer must not look like a whole one
                await answer(refused, request_id.decode())(scope, receive, send_named)

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


def told(scope: Scope, request_id: bytes) -> list[tuple[bytes, bytes]]:
    """Returns the headers that every answer has."""
    allowance = scope["state"].get(ALLOWANCE)
    left = headers(allowance) if allowance else []
    return [(REQUEST_ID, request_id), *left, *SAFETY]


def measure(scope: Scope, status: int) -> Histogram:
    """Returns the histogram of such answers."""
    route = getattr(scope.get("route"), "path", NOWHERE)
    return measured(scope["method"] if route != NOWHERE else NOWHERE, route, status)


@cache  # a label's look-up costs more than an observation; there are few routes and statuses
def measured(method: str, route: str, status: int) -> Histogram:
    return REQUESTS.labels(method, route, str(status))


def named(scope: Scope) -> bytes:
    """Returns the client's id for the request if it is a sane one, else a new one."""
    given: bytes = dict(scope["headers"]).get(REQUEST_ID, b"")
    return given if SANE.fullmatch(given) else str(uuid7()).encode()
