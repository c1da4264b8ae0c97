"""The route of a read that says of which moment it is. Who has the same already, but for the moment, is told that and
no more. FastAPI documents it; it is served here, as a command is: see `wanted`.
"""

from collections.abc import Callable, Coroutine
from hashlib import blake2b
from typing import Any, TypeVar

from fastapi import APIRouter, Request
from fastapi.responses import Response
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from .problems import Responses, refusals
from .route import JSON, EdgeRoute
from .wanted import Asked, once, wanted

Show = TypeVar("Show", bound=Callable[..., Coroutine[Any, Any, BaseModel]])
MOMENTS = ("as_of", "prices_as_of")
"""What may differ in two answers that are the same."""
HIDDEN = set(MOMENTS)
TAG = 12  # bytes
LENGTH, TYPE = b"content-length", (b"content-type", JSON.encode())
HAVING = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "description": "The `ETag` of an answer that the client has.",
    "schema": {"type": "string"},
}
ETAG = {
    "ETag": {
        "description": "Of all but the moment that the answer shows.",
        "schema": {"type": "string", "examples": ['W/"Cd1rZ0Vb2Kx3ur4c"']},
    }
}
SHOWN: Responses = {
    200: {"headers": ETAG},
    304: {"description": "The client has it already.", "headers": ETAG},
}


def read(router: APIRouter, path: str, *codes: str, **options: Any) -> Callable[[Show], Show]:
    """Returns a decorator that makes a function a GET route. codes: of what it may refuse."""

    def declare(show: Show) -> Show:
        router.add_api_route(
            path,
            show,
            methods=["GET"],
            responses=SHOWN | refusals(*codes),
            route_class_override=ReadRoute,
            openapi_extra={"parameters": [HAVING]},
            **options,
        )
        return show

    return declare


class ReadRoute(EdgeRoute):
    """The route of a function that returns a model with `as_of`."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self._wanted = wanted(self.dependant)

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, noted = Request(scope, receive), Response()
        shown = await self._wanted.of(Asked(request, noted, once(scope["query_string"])))
        same = shown.model_dump_json(exclude=HIDDEN).encode()
        tag = f'W/"{blake2b(same, digest_size=TAG).hexdigest()}"'
        headers = [each for each in noted.raw_headers if each[0] != LENGTH]
        headers.append((b"etag", tag.encode()))
        status, body = 304, b""
        if not has(request.headers.get("if-none-match"), tag):
            status, body = 200, at_its_moment(same, shown)
            headers += (LENGTH, b"%d" % len(body)), TYPE
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def at_its_moment(same: bytes, shown: BaseModel) -> bytes:
    """Returns the whole answer, of the part that two moments may share."""
    moment = shown.model_dump_json(include=HIDDEN).encode()
    return moment if same == b"{}" else same[:-1] + b"," + moment[1:]


def has(header: str | None, tag: str) -> bool:
    """Returns whether the client says that it has an answer with this tag, compared weakly (RFC 9110, 13.1.2)."""
    if header is None:
        return False
    tags = [each.strip().removeprefix("W/") for each in header.split(",")]
    return tags == ["*"] or tag.removeprefix("W/") in tags
