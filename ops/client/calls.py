"""What the client's methods are made of: a call in the user's name, a command under its name."""

from collections.abc import Mapping
from typing import Any, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx2
from pydantic import BaseModel

from .answers import Answer
from .asking import Wire
from .tokens import Session

T = TypeVar("T", bound=BaseModel)


class Calls:
    """wire: for what takes no session. All raise Problem; NoAnswer."""

    def __init__(self, wire: Wire, session: Session) -> None:
        self.wire, self.session = wire, session

    async def ask(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = True,
    ) -> httpx2.Response:
        """Returns the answer to the session's user."""
        return await self.session.answered(
            lambda bearer: self.wire.ask(
                method,
                path,
                body=body,
                query=query,
                headers={**bearer, **(headers or {})},
                repeatable=repeatable,
            )
        )

    async def open(
        self, path: str, query: Mapping[str, Any], headers: Mapping[str, str]
    ) -> httpx2.Response:
        """Returns the answer to the session's user, to be read as it comes, and closed."""
        return await self.session.answered(
            lambda bearer: self.wire.open(path, query=query, headers={**bearer, **headers})
        )

    async def get(self, model: type[T], path: str) -> T:
        return model.model_validate_json((await self.ask("GET", path)).content)

    async def command(
        self, model: type[T], path: str, body: Mapping[str, Any], key: str | None, wait: int
    ) -> Answer[T]:
        """Returns what the command came to. key: its name, one of its own if None; wait: s for its outcome."""
        name = key or uuid4().hex

        async def send(wait: int) -> Answer[T]:
            headers = {"Idempotency-Key": name, "Prefer": f"wait={wait}"}
            answer = await self.ask("POST", path, body=body, headers=headers)
            return Answer(
                resource=model.model_validate_json(answer.content),
                key=name,
                pending=answer.status_code == httpx2.codes.ACCEPTED,
                replayed=answer.headers.get("idempotency-replayed") == "true",
                request_id=answer.headers["x-request-id"],
                again=send,
            )

        return await send(wait)


def quoted(part: str) -> str:
    """Returns the text as one part of a path."""
    return quote(part, safe="")
