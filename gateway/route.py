"""A route of the edge: it says who may call it, and takes a body that has one meaning or none."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from email.message import Message as MediaType
from inspect import getdoc
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from fastapi.routing import APIRoute
from pydantic import BaseModel, ConfigDict
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.routing import Match
from starlette.types import Message, Receive, Scope, Send

from .problems import Refused, refusal
from .proper import CLOSE
from .rates import class_of
from .retiring import RETIRING
from .strict_json import Malformed, parse
from .wanted import once

BASE = "/api/v1"
JSON = "application/json"
Header = tuple[bytes, bytes]
TYPE = (b"content-type", JSON.encode())
MAX_BODY = 16_384  # bytes
F = TypeVar("F", bound=Callable[..., Any])


class Body(BaseModel):
    """A request's body: a field that it doesn't name is an error, a value of another type too."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class Unguarded(Exception):
    """A route without a policy, or with two: the process must not start."""


POLICIES: dict[Callable[..., Any], str] = {}


def policy(name: str) -> Callable[[F], F]:
    """Returns a decorator that makes a dependency the policy of every route that has it."""

    def declare(dependency: F) -> F:
        POLICIES[dependency] = name
        return dependency

    return declare


def policies(dependant: Dependant) -> set[str]:
    """Returns the policies among all that the route depends on."""
    found = {POLICIES[dependant.call]} if dependant.call in POLICIES else set()
    return found.union(*(policies(one) for one in dependant.dependencies))


class EdgeRoute(APIRoute):
    """Raises: Unguarded where it is declared, unless it has exactly one policy. A kind of its own overrides `serve`.

    allowed: the methods of its path, other routes' too, as `paths.settle` finds them.
    """

    allowed = ""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        retiring = RETIRING.get(endpoint)
        self.notices = retiring.headers() if retiring else []
        options["deprecated"] = retiring is not None or options.get("deprecated")
        said = getdoc(endpoint) or ""
        options["description"] = options.get("description") or said.partition("\n\nRaises:")[0]
        options["operation_id"] = options.get("operation_id") or endpoint.__name__
        super().__init__(path, endpoint, **options)
        declared = policies(self.dependant)
        if len(declared) != 1:
            raise Unguarded(f"{path}: {sorted(declared) or 'no policy'}")
        self.policy = declared.pop()
        self._literal = path.partition("{")[0]
        self.limit = class_of(self.operation_id or "", self.policy, self.methods or ())
        if self.policy != "public":
            self.openapi_extra = {"security": [{"bearer": []}, {"cookie": []}]} | (
                self.openapi_extra or {}
            )

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if not scope["path"].startswith(self._literal):  # as most are not, and a pattern costs more
            return Match.NONE, {}
        return super().matches(scope)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in (self.methods or ()):
            raise Refused("method_not_allowed", headers={"Allow": self.allowed})
        once(scope["query_string"])
        if self.notices:
            await self._serve_with_notices(scope, receive, send)
        else:
            await self.serve(scope, receive, send)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        async with AsyncExitStack() as stack:
            scope["fastapi_middleware_astack"] = (
                stack  # the layer of FastAPI's that its routes ask for
            )
            await super().handle(scope, receive, send)

    async def _serve_with_notices(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serves, and has every answer but one to a fault of ours bear the notices."""

        async def send_noticed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *self.notices]
            await send(message)

        try:
            await self.serve(scope, receive, send_noticed)
        except (HTTPException, RequestValidationError) as error:
            refused = refusal(error)
            told = {name.decode(): value.decode() for name, value in self.notices}
            refused.headers = {**(refused.headers or {}), **told}
            raise refused from error

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()
        if self.body_field is None:
            return handle  # no byte of a body that nobody asked for is read

        async def handle_strictly(request: Request) -> Response:
            return await handle(StrictRequest(request.scope, request.receive))

        return handle_strictly


def noting(status: int) -> Response:
    """Returns what an answer's status and headers are noted on, and nothing of a body is said yet."""
    noted = Response(status_code=status)
    noted.raw_headers.clear()
    return noted


async def tell(send: Send, noted: Response, body: bytes, *headers: Header) -> None:
    """Answers with the status and headers that were noted, and a body of JSON if there is one."""
    about = ((b"content-length", b"%d" % len(body)), TYPE) if body else ()
    told = [*noted.raw_headers, *headers, *about]
    await send({"type": "http.response.start", "status": noted.status_code, "headers": told})
    await send({"type": "http.response.body", "body": body})


def resource(name: str) -> APIRouter:
    """Returns a router for /api/v1/NAME."""
    return APIRouter(prefix=f"{BASE}/{name}", tags=[name], route_class=EdgeRoute)


class StrictRequest(Request):
    async def body(self) -> bytes:
        """Returns the body, counted while it is read. Raises: Refused."""
        if not hasattr(self, "_body"):
            refuse_other_media(self)
            try:
                async with asyncio.timeout(self.app.state.parts.door.patience_s):
                    self._body = await self._counted()
            except TimeoutError as error:
                raise Refused("request_timeout", headers=CLOSE) from error
            except ClientDisconnect as error:  # that, or what came is no chunk
                raise Refused("bad_request", "The body ends early", headers=CLOSE) from error
        return self._body

    async def _counted(self) -> bytes:
        read = bytearray()
        async for chunk in self.stream():
            read += chunk
            if len(read) > MAX_BODY:
                raise Refused("body_too_large", headers=CLOSE)
        return bytes(read)

    async def json(self) -> Any:
        """Returns the body's one meaning. Raises: Refused."""
        try:
            return parse(await self.body())
        except Malformed as error:
            raise Refused("malformed_json", f"The body {error}.") from error


def refuse_other_media(request: Request) -> None:
    """Raises: Refused unless the body says that it is plain application/json in UTF-8."""
    media = request.headers.get("content-type", "")
    if "content-encoding" in request.headers or not (media == JSON or is_json(media)):
        raise Refused("unsupported_media_type")


def is_json(media: str) -> bool:
    """Returns whether a media type is JSON in UTF-8, whatever its spelling and parameters."""
    kind = MediaType()
    kind["content-type"] = media
    return kind.get_content_type() == JSON and kind.get_content_charset("utf-8") == "utf-8"
