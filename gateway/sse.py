"""Server-sent events: their frames, and the response that they are the body of."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Protocol

from fastapi.responses import Response
from pydantic import BaseModel
from starlette.types import Receive, Scope, Send

FIRST_RETRY_MS, LAST_RETRY_MS = 1_000, 5_000
GOODBYE_S = 1  # for the last frame
NOTHING = "{}"  # an event without data is none
Say = Callable[[bytes], Awaitable[None]]


def frame(event: str, data: BaseModel | None = None, id_: str | None = None) -> bytes:
    """Returns an event. id_: from where on the client goes on after it."""
    said = data.model_dump_json() if data else NOTHING
    head = "" if id_ is None else f"id: {id_}\n"
    return f"{head}event: {event}\ndata: {said}\n\n".encode()


def beat(id_: str) -> bytes:
    """Returns a sign of life: no event, yet it moves on from where the client would resume."""
    return f": beat\nid: {id_}\n\n".encode()


def retry() -> bytes:
    """Returns when to come back after a cut: not all at once."""
    after = FIRST_RETRY_MS + secrets.randbelow(LAST_RETRY_MS - FIRST_RETRY_MS)
    return f"retry: {after}\n\n".encode()


class Body(Protocol):
    async def run(self, say: Say) -> bytes | None:
        """Returns what is said last, None if the client takes nothing any more."""

    def leave(self) -> None:
        """Is told that the client has gone."""


class CutOff(Exception):
    """The client takes nothing any more: the connection ends in the middle."""


class EventStream(Response):
    media_type = "text/event-stream"

    def __init__(self, stream: Body) -> None:
        self.stream = stream
        self.status_code, self.background = 200, None
        self.init_headers({"X-Accel-Buffering": "no"})

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        async def say(frames: bytes) -> None:
            await send({"type": "http.response.body", "body": frames, "more_body": True})

        gone = asyncio.create_task(left(receive))
        gone.add_done_callback(lambda _: self.stream.leave())
        try:
            await send(
                {
                    "type": "http.response.start",
                    "status": self.status_code,
                    "headers": self.raw_headers,
                }
            )
            last = await self.stream.run(say)
            if last is None:
                raise CutOff
            async with asyncio.timeout(GOODBYE_S):
                await send({"type": "http.response.body", "body": last, "more_body": False})
        except TimeoutError as error:
            raise CutOff from error
        finally:
            gone.cancel()


async def left(receive: Receive) -> None:
    """Returns when the client has gone."""
    while (await receive())["type"] != "http.disconnect":
        pass
