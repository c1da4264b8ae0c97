"""Gateways as processes, on real servers."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import NamedTuple
from uuid import uuid4

import httpx2
import pytest

from events.topics import ASSETS, PRICES, USER_EVENTS
from gateway.projections.market import ASSET, PRICE, PriceRow
from infra.log.admin import ensure
from infra.stores.dynamodb import connect
from infra.stores.users import ensure_tables
from infra.views import live
from infra.views.live import LiveStore
from infra.views.port import Batch, Key, Row, inputs
from ops.provision import contract_topic
from tests.messages.envelope import NOW
from tests.messages.markets import BTC
from tests.stand import free_ports

pytestmark = pytest.mark.stack
PARTITIONS = 2


class Gateway(NamedTuple):
    process: asyncio.subprocess.Process
    client: httpx2.AsyncClient


@pytest.fixture
async def environ(kafka: str, dynamodb: str, redis: str, tmp_path: Path) -> dict[str, str]:
    """Returns what a gateway is told: where the servers are that this test run started."""
    await ensure([contract_topic(USER_EVENTS, PARTITIONS, 1)], kafka)
    async with connect(dynamodb) as client:
        await ensure_tables(client)
    await list_an_asset(f"{redis}/2")
    return {
        "ORDERSTREAM_KAFKA": kafka,
        "ORDERSTREAM_DYNAMODB": dynamodb,
        "ORDERSTREAM_REDIS": f"{redis}/2",
        "ORDERSTREAM_SESSIONS": f"{redis}/1",
        "ORDERSTREAM_PARTITION_COUNT": str(PARTITIONS),
        "ORDERSTREAM_RUN_DIR": str(tmp_path),
    }


async def list_an_asset(redis: str) -> None:
    """Has the live view show what no gateway is ready without: something to trade, and its price."""
    sources = inputs((ASSETS, PRICES), PARTITIONS)
    price = PriceRow(asset_id="BTC", price=BTC.listing_price, time=NOW, position=0)
    rows = (
        Row(Key(ASSET, "", "BTC"), BTC, fresh=True),
        Row(Key(PRICE, "", "BTC"), price, fresh=True),
    )
    async with live.connect(redis) as client:
        generation = await LiveStore(client, sources, PARTITIONS).open(1)
        for source, row in zip(sources, rows, strict=True):
            await generation.write(Batch(source, 0, 1, NOW, [row]))
        await generation.set_ready({})


@asynccontextmanager
async def running(environ: dict[str, str]) -> AsyncIterator[Gateway]:
    """Returns a gateway that is ready, and ends it."""
    port, admin = free_ports(2)
    ports = {"ORDERSTREAM_GATEWAY_PORT": str(port), "ORDERSTREAM_ADMIN_PORT": str(admin)}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        "from gateway.app import main; main()",
        env=os.environ | environ | ports,
    )
    try:
        async with httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:
            await until_ready(client)
            yield Gateway(process, client)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def until_ready(client: httpx2.AsyncClient) -> None:
    async with asyncio.timeout(30):
        while True:
            try:
                if (await client.get("/health/ready")).status_code == 200:
                    return
            except httpx2.TransportError:
                pass
            await asyncio.sleep(0.05)


def person() -> dict[str, str]:
    name = f"u{uuid4().hex[:20]}"
    return {"username": name, "email": f"{name}@example.org", "password": "correct horse battery"}


async def log_in(client: httpx2.AsyncClient, who: dict[str, str]) -> dict[str, str]:
    """Returns the headers of a new session."""
    body = {name: who[name] for name in ("username", "password")}
    answer = await client.post("/api/v1/auth/login", json=body)
    assert answer.status_code == 200, answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def test_a_session_is_one_thing_to_all_gateways(environ: dict[str, str]) -> None:
    ada = person()
    async with running(environ) as one, running(environ) as other:
        registered = await one.client.post("/api/v1/auth/register", json=ada)
        assert registered.status_code == 201
        again = await other.client.post("/api/v1/auth/register", json=ada)
        assert (again.status_code, again.json()["code"]) == (409, "username_taken")

        bearer = await log_in(one.client, ada)
        me = await other.client.get("/api/v1/auth/me", headers=bearer)
        assert me.json() == registered.json()

        assert (await one.client.post("/api/v1/auth/logout", headers=bearer)).status_code == 204
        me = await other.client.get("/api/v1/auth/me", headers=bearer)
        assert (me.status_code, me.json()["code"]) == (401, "session_revoked")


async def test_a_gateway_drains_when_asked_to_end(environ: dict[str, str]) -> None:
    ada = person()
    async with running(environ) as gateway:
        await gateway.client.post("/api/v1/auth/register", json=ada)
        logins = [asyncio.create_task(log_in(gateway.client, ada)) for _ in range(8)]
        await asyncio.wait(logins, return_when=asyncio.FIRST_COMPLETED)
        gateway.process.send_signal(signal.SIGTERM)
        answers = await asyncio.gather(*logins, return_exceptions=True)
        assert await gateway.process.wait() == 0
        assert [answer for answer in answers if not isinstance(answer, dict)] == []


async def test_a_flood_of_logins_leaves_room_for_others(environ: dict[str, str]) -> None:
    ada = person()
    limits = httpx2.Limits(max_connections=301)
    async with running(environ) as gateway, httpx2.AsyncClient(limits=limits) as client:
        login = gateway.client.base_url.join("/api/v1/auth/login")
        await gateway.client.post("/api/v1/auth/register", json=ada)
        bearer = await log_in(gateway.client, ada)
        wrong = [{"username": f"nobody-{n}", "password": "wrong horse"} for n in range(300)]
        flood = asyncio.gather(*(client.post(login, json=each, timeout=60) for each in wrong))
        meanwhile = 0
        while not flood.done():
            me = await gateway.client.get("/api/v1/auth/me", headers=bearer, timeout=60)
            assert me.status_code == 200
            meanwhile += not flood.done()
        assert meanwhile
        assert {answer.status_code for answer in await flood} <= {401, 503}
