"""One request until it is answered: sent again when that can do no harm and may help."""

from collections.abc import Mapping
from contextlib import aclosing
from functools import partial
from typing import Any

import httpx2
import stamina
from pydantic import TypeAdapter, ValidationError

from .errors import NoAnswer, Problem
from .models import Fault

BASE = "/api/v1"
PATIENCE, LONGEST_PAUSE = 60, 30
"""A request is sent again for so many s; one that must wait for more than so many s is not."""
SILENCE = (
    30  # s without a word after which a stream is given up: the edge gives a sign of life every ten
)
PAUSES = {"wait_initial": 0.1, "wait_max": 2.0, "wait_jitter": 0.2}  # s, where the edge names none
FAULTS = TypeAdapter(list[Fault])


class Wire:
    """http: whose base_url is the edge's; patience: s for all tries of one request."""

    def __init__(self, http: httpx2.AsyncClient, patience: float = PATIENCE) -> None:
        self.http, self.patience = http, patience

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
        """Returns the answer, if it is a yes. repeatable: asked twice it does no more than asked once.

        Raises: Problem; NoAnswer.
        """
        request = self.http.build_request(
            method, BASE + path, json=body, params=given(query), headers=headers
        )
        return await self._answered(request, repeatable=repeatable)

    async def open(
        self,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """Returns the answer to a GET, if it is a yes: whoever has it reads it as it comes, and closes it.

        Raises: Problem; NoAnswer.
        """
        request = self.http.build_request(
            "GET", BASE + path, params=given(query), headers=headers, timeout=SILENCE
        )
        return await self._answered(request, stream=True)

    async def _answered(
        self, request: httpx2.Request, *, repeatable: bool = True, stream: bool = False
    ) -> httpx2.Response:
        try:
            async for attempt in stamina.retry_context(
                on=partial(again, repeatable=repeatable),
                attempts=None,
                timeout=self.patience,
                **PAUSES,
            ):
                with attempt:
                    return await checked(await self.http.send(request, stream=stream))
        except httpx2.TransportError as fault:
            said = str(fault) or type(fault).__name__
            where = f"{request.method} {request.url.path} at {self.http.base_url}"
            raise NoAnswer(f"{where}: {said}") from fault
        raise AssertionError("a try returns or raises")


def given(query: Mapping[str, Any] | None) -> dict[str, Any]:
    """Returns what there is of the query."""
    return {name: value for name, value in (query or {}).items() if value is not None}


def again(fault: Exception, *, repeatable: bool) -> bool | float:
    """Returns whether a request that met the fault is sent again, or after how many s."""
    match fault:
        case Problem(status=429 | 503, retry_after=None) | httpx2.ConnectError():
            return True
        case Problem(status=429 | 503, retry_after=float(pause)):
            return pause if pause <= LONGEST_PAUSE else False
        case Problem(status=502 | 504) | httpx2.TransportError():
            return repeatable  # it may have been carried out
        case _:
            return False


async def checked(answer: httpx2.Response) -> httpx2.Response:
    """Returns the answer, if it is a yes, or that nothing has changed to who has it already; a no is read to its end.

    Raises: Problem.
    """
    is_same = answer.status_code == httpx2.codes.NOT_MODIFIED
    if answer.is_success or (is_same and "if-none-match" in answer.request.headers):
        return answer
    async with aclosing(answer):
        await answer.aread()
    raise problem(answer)


def problem(answer: httpx2.Response) -> Problem:
    """Returns the no that this is, also one that a proxy said in words of its own."""
    try:
        told = answer.json()
    except ValueError:
        told = None
    told = told if isinstance(told, dict) else {}
    try:
        faults = FAULTS.validate_python(told.get("errors") or [])
    except ValidationError:
        faults = []
    pause = answer.headers.get("retry-after", "")
    return Problem(
        answer.status_code,
        str(told.get("code", "unknown")),
        str(told.get("title", answer.reason_phrase)),
        detail=told.get("detail"),
        request_id=told.get("request_id") or answer.headers.get("x-request-id"),
        errors=faults,
        resource=told.get("resource"),
        retry_after=float(pause) if pause.isdecimal() else None,
    )
