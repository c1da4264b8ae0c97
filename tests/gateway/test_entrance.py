"""The layer around every request, on an application of its own."""

from collections.abc import MutableMapping
from typing import Any

from fastapi import FastAPI

from gateway.entrance import Entrance

app = FastAPI()


async def test_what_is_no_request_is_the_application_s() -> None:
    asked = iter(["lifespan.startup", "lifespan.shutdown"])
    told: list[str] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": next(asked)}

    async def send(message: MutableMapping[str, Any]) -> None:
        told.append(message["type"])

    await Entrance(app)({"type": "lifespan", "state": {}}, receive, send)
    assert told == ["lifespan.startup.complete", "lifespan.shutdown.complete"]
