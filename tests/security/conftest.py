"""The edge on twins, as the rows of the security table attack it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import replace

import httpx2
import pytest

from gateway.app import create_app
from gateway.deps import Parts
from gateway.rates import DEVELOPMENT, PRODUCTION, Rates
from tests.gateway.conftest import ADA, Twins, clock, keys, parts, twins, weak_hash

__all__ = ["ADA", "Twins", "clock", "keys", "parts", "twins", "weak_hash"]
BASE = "/api/v1"
Client = httpx2.AsyncClient
Login = Callable[[Client, str], Awaitable[dict[str, str]]]


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[Client]:
    """Returns a client of an edge that lets everybody do much."""
    async with calling(parts) as made:
        yield made


@pytest.fixture
async def strict(parts: Parts) -> AsyncIterator[Client]:
    """Returns a client of an edge with production's limits, but for as many registrations as a test needs."""
    rates = Rates({**PRODUCTION, "registrations": DEVELOPMENT["registrations"]})
    async with calling(replace(parts, door=replace(parts.door, rates=rates))) as made:
        yield made


def calling(parts: Parts, address: str = "192.0.2.1") -> Client:
    """Returns a client whose requests come from the address."""
    transport = httpx2.ASGITransport(create_app(parts), client=(address, 40_000))
    return httpx2.AsyncClient(transport=transport, base_url="https://edge.example.org")


async def registered(client: Client, name: str = "ada") -> str:
    """Returns the account's id."""
    who = ADA | {"username": name, "email": f"{name}@example.org"}
    answer = await client.post(f"{BASE}/auth/register", json=who)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def log_in(client: Client, name: str = "ada", **more: str) -> httpx2.Response:
    body = {"username": name, "password": ADA["password"]} | more
    return await client.post(f"{BASE}/auth/login", json=body)


async def session(client: Client, name: str = "ada") -> dict[str, str]:
    """Returns the headers of a new session."""
    answer = await log_in(client, name)
    assert answer.status_code == 200, answer.text
    return bearer(answer.json()["access_token"])


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}
