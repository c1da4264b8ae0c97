"""What every request passes first and every answer last: a request id, one spelling of a path, a last resort."""

import re
from collections.abc import MutableMapping
from typing import Any

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send
from uuid_utils import uuid7

from .problems import answer, refusal

REQUEST_ID = b"x-request-id"
SANE = re.compile(rb"[A-Za-z0-9_-]{8,64}")
log = structlog.get_logger()


class Entrance:
    """ASGI middleware. The request's id is in `request.state.request_id` and in every log line."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = named(scope)
        scope.setdefault("state", {})["request_id"] = request_id.decode()
        if len(scope["path"]) > 1:
            scope["path"] = scope["path"].removesuffix("/")  # the same resource, never a redirect
        started = False

        async def send_named(message: MutableMapping[str, Any]) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                message["headers"] = [*message["headers"], (REQUEST_ID, request_id)]
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id.decode()):
            try:
                await self.app(scope, receive, send_named)
            except Exception as error:
                log.exception("request_failed", method=scope["method"], path=scope["path"])
                if started:
                    raise  # half an answer must not look like a whole one
                await answer(refusal(error), request_id.decode())(scope, receive, send_named)


def named(scope: Scope) -> bytes:
    """Returns the client's id for the request if it is a sane one, else a new one."""
    given: bytes = dict(scope["headers"]).get(REQUEST_ID, b"")
    return given if SANE.fullmatch(given) else str(uuid7()).encode()
