"""The route of a read that says of which moment it is. Who has the same already, but for the moment, is told that and
no more. FastAPI documents it; it is served here, as a command is: see `wanted`.
"""

from collections.abc import Callable, Coroutine
from hashlib import blake2b
from typing import Any, TypeVar, get_type_hints

from fastapi import APIRouter, Request
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

from .problems import Responses, refusals
from .route import EdgeRoute, noting, tell
from .wanted import Asked, once, wanted

Show = TypeVar("Show", bound=Callable[..., Coroutine[Any, Any, BaseModel]])
MOMENTS = ["as_of", "prices_as_of"]
"""What may differ in two answers that are the same: a model's last fields, so that the rest can be told from it."""
MOMENT = b'"as_of":'  # as no text inside an answer can be spelled
TAG = 12  # bytes
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


class Timeless(Exception):
    """The answer does not end with its moment: the process must not start."""


class ReadRoute(EdgeRoute):
    """The route of a function that returns a model whose last fields are MOMENTS. Raises: Timeless."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self._wanted = wanted(self.dependant)
        fields = [*getattr(get_type_hints(endpoint)["return"], "model_fields", ())]
        if "as_of" not in fields or fields[fields.index("as_of") :] not in (MOMENTS[:1], MOMENTS):
            raise Timeless(f"{path}: {fields}")

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, noted = Request(scope, receive), noting(200)
        shown = await self._wanted.of(Asked(request, noted, once(scope["query_string"])))
        whole = shown.model_dump_json().encode()
        same = whole[: whole.rindex(MOMENT)]
        tag = f'W/"{blake2b(same, digest_size=TAG).hexdigest()}"'
        if has(request.headers.get("if-none-match"), tag):
            noted.status_code, whole = 304, b""
        await tell(send, noted, whole, (b"etag", tag.encode()))


def has(header: str | None, tag: str) -> bool:
    """Returns whether the client says that it has an answer with this tag, compared weakly (RFC 9110, 13.1.2)."""
    if header is None:
        return False
    tags = [each.strip().removeprefix("W/") for each in header.split(",")]
    return tags == ["*"] or tag.removeprefix("W/") in tags
