"""The edge on twins: everything but the servers is the real thing."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest

from gateway.app import create_app
from gateway.audit import Trail
from gateway.auth import HASHER, Passwords, Tokens
from gateway.catalogue import Catalogue
from gateway.cursors import Cursors
from gateway.deps import Door, Parts, Streams
from gateway.edge import Edge
from gateway.keys import ensure_development_key, load_keys
from gateway.limits import LimitSettings
from gateway.rates import DEVELOPMENT, Rates
from gateway.repeats import Repeats
from gateway.streaming import Hub
from gateway.ticker import Ticker
from gateway.views import HISTORY
from gateway.waiting import Outcomes
from infra.publisher import MemoryPublisher
from infra.stores.failures import MemoryFailures
from infra.stores.idempotency import MemoryTries
from infra.stores.limits import Buckets
from infra.stores.memory_users import MemoryUsers
from infra.stores.sessions import MemorySessions
from infra.views.port import View
from infra.views.seam import Seam

from .backstage import Backstage

QUICK = HASHER.using(memory_cost=64, time_cost=1)
"""Everybody here logs in, and what it takes to guess a password is no matter of most tests."""
ADA = {"username": "ada", "email": "ada@example.org", "password": "correct horse battery"}


class Clock:
    """A clock that stands still until a test moves it."""

    def __init__(self) -> None:
        self.ms = 1_800_000_000_000

    def __call__(self) -> int:
        return self.ms


class Twins(NamedTuple):
    clock: Clock
    users: MemoryUsers
    sessions: MemorySessions
    failures: MemoryFailures
    publisher: MemoryPublisher
    tries: MemoryTries
    backstage: Backstage


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def twins(clock: Clock) -> Twins:
    return Twins(
        clock,
        MemoryUsers(),
        MemorySessions(clock),
        MemoryFailures(clock),
        MemoryPublisher(),
        MemoryTries(clock),
        Backstage(clock),
    )


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("keys")
    ensure_development_key(folder)
    return folder


@pytest.fixture
async def parts(twins: Twins, keys: Path) -> AsyncIterator[Parts]:
    backstage = twins.backstage
    live, history = backstage.live, backstage.history
    await backstage.open()
    hub = Hub(twins.sessions, twins.clock, beat_s=1, patience_s=2)
    outcomes, catalogue = Outcomes(live, live), Catalogue(View(live), hub.wake_public)
    await catalogue.look()
    followers = (hub.follow(live), hub.follow_endings(), catalogue.follow(live))
    works = [asyncio.create_task(w) for w in (backstage.run(), outcomes.follow(), *followers)]
    yield Parts(
        users=twins.users,
        sessions=twins.sessions,
        failures=twins.failures,
        door=Door(
            rates=Rates(DEVELOPMENT),
            buckets=Buckets(twins.clock),
            origins=frozenset({"https://app.example.org"}),
        ),
        passwords=Passwords(QUICK),
        tokens=Tokens(load_keys(keys), twins.clock),
        trail=Trail(twins.users, twins.publisher, twins.clock),
        edge=Edge(backstage, Repeats(twins.tries, live, history, twins.clock), outcomes),
        view=View(Seam(live, history, {projection.kind for projection in HISTORY})),
        streams=Streams(live, history, hub, Ticker(catalogue)),
        catalogue=catalogue,
        cursors=Cursors(b"a key of the tests"),
        limits=LimitSettings().limits,
        now=twins.clock,
        ready=lambda: {"sessions": True},
    )
    for work in works:
        work.cancel()
    for ended in await asyncio.gather(*works, return_exceptions=True):
        assert isinstance(ended, asyncio.CancelledError), ended


@pytest.fixture
async def client(parts: Parts) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(create_app(parts))
    async with httpx2.AsyncClient(transport=transport, base_url="http://edge") as made:
        yield made


@pytest.fixture
async def ada(client: httpx2.AsyncClient) -> dict[str, str]:
    """Returns the headers of a registered user who is logged in."""
    await client.post("/api/v1/auth/register", json=ADA)
    login = {name: ADA[name] for name in ("username", "password")}
    answer = await client.post("/api/v1/auth/login", json=login)
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


@pytest.fixture(scope="session")
def weak_hash() -> str:
    """Returns the hash of ADA's password as an older release made it."""
    hashed: str = QUICK.using(memory_cost=32).hash(ADA["password"])
    return hashed
