"""The contract of the tries' store, held by the twin and by Redis."""

import asyncio
from collections.abc import AsyncIterator
from uuid import uuid4

import pytest

from infra.stores.idempotency import (
    LIFE,
    MemoryTries,
    RedisTries,
    Tries,
    Try,
    key,
    pack,
    unpack,
)
from infra.stores.sessions import connect
from infra.unavailable import Unavailable

ADA = str(uuid4())
EVE = str(uuid4())
FIRST = Try(b'{"type":"deposit",\n"amount":1}')
SECOND = Try(b'{"type":"deposit","amount":2}')


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.stack)])
async def tries(request: pytest.FixtureRequest) -> AsyncIterator[Tries]:
    if request.param == "memory":
        yield MemoryTries(lambda: 1_800_000_000_000)
        return
    async with connect(request.getfixturevalue("redis")) as client:
        yield RedisTries(client)


@pytest.fixture
def id_() -> str:
    return str(uuid4())


async def test_the_first_try_holds(tries: Tries, id_: str) -> None:
    assert await tries.first(ADA, [id_], FIRST) == [FIRST]
    assert await tries.first(ADA, [id_], SECOND) == [FIRST]
    assert await tries.find(ADA, id_) == FIRST


async def test_each_id_of_a_command_has_its_own_first_try(tries: Tries, id_: str) -> None:
    other = str(uuid4())
    await tries.first(ADA, [id_], FIRST)
    assert await tries.first(ADA, [other, id_], SECOND) == [SECOND, FIRST]
    assert await tries.find(ADA, other) == SECOND


async def test_a_published_try_says_where(tries: Tries, id_: str) -> None:
    published = FIRST._replace(offset=0)
    await tries.first(ADA, [id_], FIRST)
    await tries.keep(ADA, [id_], published)
    assert await tries.find(ADA, id_) == published
    assert await tries.first(ADA, [id_], SECOND) == [published]


async def test_an_id_is_its_accounts_own(tries: Tries, id_: str) -> None:
    await tries.first(ADA, [id_], FIRST)
    assert await tries.find(EVE, id_) is None
    assert await tries.first(EVE, [id_], SECOND) == [SECOND]


async def test_of_many_at_once_one_is_first(tries: Tries, id_: str) -> None:
    given = [Try(b"%d" % n) for n in range(50)]
    held = await asyncio.gather(*(tries.first(ADA, [id_], each) for each in given))
    assert len({each for (each,) in held}) == 1


async def test_a_forgotten_try_holds_no_more(tries: Tries, id_: str) -> None:
    await tries.first(ADA, [id_], FIRST)
    await tries.forget(ADA, [id_, str(uuid4())])
    assert await tries.find(ADA, id_) is None
    assert await tries.first(ADA, [id_], SECOND) == [SECOND]


async def test_nobody_knows_an_id_that_was_never_tried(tries: Tries, id_: str) -> None:
    assert await tries.find(ADA, id_) is None


@pytest.mark.parametrize("offset", [None, 0, 2**53 - 1])
def test_a_try_survives_its_bytes(offset: int | None) -> None:
    tried = Try(FIRST.command, offset)
    assert unpack(pack(tried)) == tried


async def test_a_try_is_forgotten_after_a_day() -> None:
    clock = [1_800_000_000_000]
    tries = MemoryTries(lambda: clock[0])
    await tries.keep(ADA, ["a"], FIRST)
    clock[0] += LIFE - 1
    assert await tries.find(ADA, "a") == FIRST
    clock[0] += 1
    assert await tries.find(ADA, "a") is None


@pytest.mark.stack
async def test_redis_forgets_by_itself(redis: str, id_: str) -> None:
    async with connect(redis) as client:
        tries = RedisTries(client)
        await tries.first(ADA, [id_], FIRST)
        assert LIFE - 60_000 < await client.pttl(key(ADA, id_)) <= LIFE
        await tries.keep(ADA, [id_], FIRST._replace(offset=5))
        assert LIFE - 60_000 < await client.pttl(key(ADA, id_)) <= LIFE


async def test_a_store_that_is_away_says_so(free_port: int) -> None:
    async with connect(f"redis://127.0.0.1:{free_port}") as client:
        with pytest.raises(Unavailable, match="redis"):
            await RedisTries(client).first(ADA, ["a"], FIRST)
