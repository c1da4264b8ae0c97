"""The route of a command. FastAPI documents it; it is served here, without the general machinery that finds out anew
at each request what a function wants: that takes twice the time of all else at the edge.
"""

from collections.abc import Callable, Coroutine
from typing import Any, TypeVar, get_type_hints

from fastapi import APIRouter
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.types import Receive, Scope, Send

from .asking import Key, asker
from .problems import Responses, refusals
from .route import EdgeRoute, StrictRequest, noting, tell

Act = TypeVar("Act", bound=Callable[..., Coroutine[Any, Any, BaseModel]])
KEY: TypeAdapter[str | None] = TypeAdapter(Key)
OF_COMMANDS = ("idempotency_conflict", "refused", "log_unavailable")


def command(router: APIRouter, path: str, *codes: str) -> Callable[[Act], Act]:
    """Returns a decorator that makes a function `(body, asking)` a POST route: it answers 201 or, if it says so, 202.

    codes: of the refusals that the command may meet.
    """

    def declare(act: Act) -> Act:
        pending: Responses = {202: {"model": get_type_hints(act)["return"]}}
        router.add_api_route(
            path,
            act,
            methods=["POST"],
            status_code=201,
            responses=pending | refusals(*codes, *OF_COMMANDS),
            route_class_override=CommandRoute,
        )
        return act

    return declare


class CommandRoute(EdgeRoute):
    """The route of a function that takes `body` and `asking`, and returns a model."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self._body: TypeAdapter[Any] = TypeAdapter(get_type_hints(endpoint)["body"])

    async def serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        request, noted = StrictRequest(scope, receive), noting(201)
        document = await request.json()
        headers = request.headers
        key = checked(KEY, headers.get("idempotency-key"), "header", "Idempotency-Key")
        asking = await asker(request, noted, key, headers.get("prefer"))
        told = await self.endpoint(body=checked(self._body, document, "body"), asking=asking)
        await tell(send, noted, told.model_dump_json().encode())


def checked(adapter: TypeAdapter[Any], value: Any, *place: str) -> Any:
    """Returns the value as the adapter takes it. Raises: RequestValidationError."""
    try:
        return adapter.validate_python(value)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise RequestValidationError([{**f, "loc": (*place, *f["loc"])} for f in faults]) from error
