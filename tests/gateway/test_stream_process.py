"""Streams of a gateway as a process, over real sockets."""

import asyncio
import signal
from time import monotonic

import httpx2
import pytest

from gateway.building import topics_of
from gateway.views import LIVE
from infra.views import live
from infra.views.port import inputs
from ops.client.sse import Event, Parser

from .test_process import PARTITIONS, environ, log_in, person, running

__all__ = ["environ"]
pytestmark = pytest.mark.stack
QUICKLY_S = 3


@pytest.fixture
async def shown(environ: dict[str, str]) -> dict[str, str]:
    """Returns what a gateway is told, once the live view shows that no account has anything."""
    sources = inputs(topics_of(LIVE), PARTITIONS)
    async with live.connect(environ["ORDERSTREAM_REDIS"]) as client:
        generation = await live.LiveStore(client, sources, PARTITIONS).open(1)
        assert await generation.set_ready({})
    return environ


async def read(client: httpx2.AsyncClient, path: str, headers: dict[str, str]) -> list[Event]:
    """Returns all that the stream says, to its end."""
    parser = Parser()
    events: list[Event] = []
    async with client.stream("GET", f"/api/v1{path}", headers=headers, timeout=30) as answer:
        assert answer.status_code == 200
        async for chunk in answer.aiter_bytes():
            events += parser.feed(chunk)
    return events


async def test_a_gateway_that_drains_ends_its_streams(shown: dict[str, str]) -> None:
    ada = person()
    async with running(shown) as gateway:
        await gateway.client.post("/api/v1/auth/register", json=ada)
        bearer = await log_in(gateway.client, ada)
        paths = ("/stream", "/market/stream", "/stream?channels=balance")
        reading = [asyncio.create_task(read(gateway.client, path, bearer)) for path in paths]
        for _ in paths:  # they are answered before this is
            await gateway.client.get("/api/v1/balance", headers=bearer)
        begun = monotonic()
        gateway.process.send_signal(signal.SIGTERM)
        heard = await asyncio.gather(*reading)
        assert await gateway.process.wait() == 0
        assert monotonic() - begun < QUICKLY_S
    assert [events[0].name for events in heard] == ["snapshot", "prices", "snapshot"]


async def test_a_logout_at_another_gateway_ends_a_stream(shown: dict[str, str]) -> None:
    ada = person()
    async with running(shown) as one, running(shown) as other:
        await one.client.post("/api/v1/auth/register", json=ada)
        bearer = await log_in(one.client, ada)
        reading = asyncio.create_task(read(one.client, "/stream", bearer))
        await one.client.get("/api/v1/balance", headers=bearer)
        assert (await other.client.post("/api/v1/auth/logout", headers=bearer)).status_code == 204
        assert [event.name for event in await reading] == ["snapshot", "auth_expired"]
