"""What whoever asks a lot makes the store keep: row 54 of the security table. On a Redis of its own."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from hashlib import sha256

import pytest
from redis.asyncio import Redis

from gateway.deps import Parts
from infra.stores import sessions
from infra.stores.failures import FORGOTTEN_AFTER, RedisFailures
from infra.stores.limits import ROOM, Bucket, Buckets, Budget
from infra.stores.sessions import Knock, RedisSessions
from tests.gateway.conftest import Clock
from tests.stand import standing, until

from .conftest import BASE, calling, log_in, registered, session

pytestmark = pytest.mark.stack
NAMES, TOGETHER = 100_000, 2_000
FULL = 2**20  # bytes, less than an empty server holds


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with standing(tmp_path_factory.mktemp("memory"), "redis") as folder:
        yield folder.endpoints()["redis"]


@pytest.fixture
async def store(own: str) -> AsyncIterator[Redis]:
    async with sessions.connect(own, within=5_000) as client:
        await client.flushall()
        yield client


async def test_s54_of_all_that_asked_nothing_is_kept(store: Redis) -> None:
    door = RedisSessions(store)
    budget = Budget("logins", 1_000, 1)  # once a millisecond
    for first in range(0, NAMES, TOGETHER):
        names = range(first, first + TOGETHER)
        await asyncio.gather(*(door.admit(Knock(None, [Bucket(budget, f"{n:x}")])) for n in names))

    async def is_empty() -> bool:
        return await store.dbsize() == 0

    await until(is_empty, "all is forgotten")


async def test_s54_what_is_kept_of_a_failure_has_an_end_and_a_short_name(
    store: Redis, parts: Parts
) -> None:
    failures = RedisFailures(store)
    async with calling(replace(parts, sessions=RedisSessions(store), failures=failures)) as client:
        for name in ("nobody", "x" * 128, "a:b:*", "\u0430dmin"):
            await log_in(client, name)
    for n in range(1_000):
        await failures.count(sha256(str(n).encode()).hexdigest()[:32])
    keys = [key async for key in store.scan_iter(count=1_000)]
    assert len(keys) > 1_000
    for key in keys:
        assert 0 < await store.pttl(key) <= FORGOTTEN_AFTER
        assert len(key) < 64


async def test_s54_a_store_that_is_full_is_away_and_no_fault(store: Redis, parts: Parts) -> None:
    on_redis = replace(parts, sessions=RedisSessions(store), failures=RedisFailures(store))
    async with calling(on_redis) as client:
        await registered(client)
        ada = await session(client)
        await store.config_set("maxmemory", FULL)
        try:
            answers = [
                await log_in(client),
                await client.get(f"{BASE}/balance", headers=ada),
                await client.post(f"{BASE}/balance/deposit", headers=ada, json={"amount": "1.00"}),
                await client.post(f"{BASE}/auth/logout", headers=ada),
            ]
            public = await client.get(f"{BASE}/inventory/assets")
        finally:
            await store.config_set("maxmemory", 0)
        assert {(each.status_code, each.json()["code"]) for each in answers} == {
            (503, "dependency_unavailable")
        }
        assert public.status_code == 200

        async def is_served() -> bool:
            return (await client.get(f"{BASE}/balance", headers=ada)).status_code == 200

        await until(is_served, "the session is known again")


def test_s54_nor_does_a_process_that_counts_alone_keep_them(clock: Clock) -> None:
    buckets = Buckets(clock)
    for n in range(2 * ROOM):
        clock.ms += 1
        buckets.take([Bucket(Budget("logins", 1_000, 1), str(n))])
    assert len(buckets.empty_at) <= ROOM + 1
