"""Streams: events as they come, over every cut, none missed and none twice."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Generic, Self, TypeVar

import httpx2
from pydantic import BaseModel

from . import models
from .sse import Event, Parser
from .tokens import Session

AccountNews = (
    models.SnapshotEvent
    | models.AccountEvent
    | models.BalanceEvent
    | models.OrderEvent
    | models.PositionEvent
    | models.ResetEvent
)
PastNews = models.TransactionEvent | models.TradeEvent
E = TypeVar("E", bound=BaseModel)
Open = Callable[[Mapping[str, str]], Awaitable[httpx2.Response]]
ACCOUNT: Mapping[str, type[AccountNews]] = {
    "snapshot": models.SnapshotEvent,
    "account": models.AccountEvent,
    "balance": models.BalanceEvent,
    "order": models.OrderEvent,
    "position": models.PositionEvent,
    "reset": models.ResetEvent,
}
PAST: Mapping[str, type[PastNews]] = {
    "transaction": models.TransactionEvent,
    "trade": models.TradeEvent,
}
MARKET: Mapping[str, type[models.PricesEvent]] = {"prices": models.PricesEvent}
"""By the names of events, what they are. Of a name that is not here nothing is told."""
RETRY_MS = 1_000
"""After a cut, until the edge says how long it shall be."""


class Stream(Generic[E]):
    """What `async for` goes over: it ends when it is closed, when all that is past was told, or with what opening it
    raises, Problem or NoAnswer.

    open_(headers): begins a connection; session: whose tokens are renewed; last_id: where to go on, None: begin.
    """

    def __init__(
        self,
        open_: Open,
        kinds: Mapping[str, type[E]],
        *,
        session: Session | None = None,
        last_id: str | None = None,
    ) -> None:
        self._parser = Parser(last_id or "")
        self._events = followed(open_, kinds, session, self._parser)

    @property
    def last_id(self) -> str:
        """Returns where another stream goes on after the event that was taken last."""
        return self._parser.last_id

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> E:
        return await anext(self._events)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Closes the connection; nothing comes any more."""
        await self._events.aclose()


async def followed(
    open_: Open, kinds: Mapping[str, type[E]], session: Session | None, parser: Parser
) -> AsyncGenerator[E, None]:
    """Yields what a stream tells. It knows nothing of who holds it, so whoever lets go of that closes it."""
    while True:
        before, expired, goes_on = parser.last_id, False, False
        answer = await open_({"Last-Event-ID": before} if before else {})
        async with aclosing(answer), aclosing(said(answer, parser)) as events:
            async for event in events:
                if event.name in ("auth_expired", "error"):
                    expired = event.name == "auth_expired"
                    break
                if event.name == "end":
                    goes_on = event.data["more"]
                    if not goes_on:
                        return
                    break
                if kind := kinds.get(event.name):
                    yield kind.model_validate(told(event))
        if expired and session:
            await session.access(not_this=token(answer.request))
            goes_on = True
        if goes_on and parser.last_id != before:  # else it might go round and round without a pause
            continue
        await asyncio.sleep((parser.retry or RETRY_MS) / 1000)


async def said(answer: httpx2.Response, parser: Parser) -> AsyncGenerator[Event, None]:
    """Yields what comes on one connection, until it ends, as it should or not."""
    parser.begin()
    try:
        async for chunk in answer.aiter_bytes():
            for event in parser.feed(chunk):
                yield event
    except httpx2.TransportError:
        return


def told(event: Event) -> dict[str, object]:
    """Returns the event as the document has it."""
    return {"event": event.name, "id": event.id, "data": event.data}


def token(request: httpx2.Request) -> str:
    """Returns in whose name it was."""
    return request.headers["authorization"].removeprefix("Bearer ")
