"""The layer around every request, on an application of its own."""

from collections.abc import AsyncIterator, MutableMapping
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

from gateway.entrance import Entrance

app = FastAPI()


@app.get("/half")
async def half() -> StreamingResponse:
    async def parts() -> AsyncIterator[bytes]:
        yield b"half an "
        raise ValueError("answer")

    return StreamingResponse(parts())


async def test_half_an_answer_never_looks_like_a_whole_one() -> None:
    transport = httpx2.ASGITransport(app=Entrance(app))
    async with httpx2.AsyncClient(transport=transport, base_url="http://edge") as client:
        with pytest.raises(ValueError, match="answer"):
            await client.get("/half")


async def test_what_is_no_request_is_the_application_s() -> None:
    asked = iter(["lifespan.startup", "lifespan.shutdown"])
    told: list[str] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": next(asked)}

    async def send(message: MutableMapping[str, Any]) -> None:
        told.append(message["type"])

    await Entrance(app)({"type": "lifespan", "state": {}}, receive, send)
    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
