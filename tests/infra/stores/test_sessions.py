"""The session list's contract, held by the twin and by Redis."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import NamedTuple

import pytest

from infra.stores.sessions import (
    MemorySessions,
    RedisSessions,
    Session,
    Sessions,
    connect,
    new_id,
)
from infra.unavailable import Unavailable

ADA = Session(account_id="018f-a", username="ada", role="customer", created_at=1_700_000_000_000)
HOUR = 3_600_000  # ms


class Store(NamedTuple):
    """A store, and how to let its time pass (in ms): the twin's is a number, Redis has its own."""

    sessions: Sessions
    wait: Callable[[int], Awaitable[None]]


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.stack)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "memory":
        clock = [1_700_000_000_000]

        async def advance(ms: int) -> None:
            clock[0] += ms

        yield Store(MemorySessions(lambda: clock[0]), advance)
        return
    async with connect(request.getfixturevalue("redis")) as client:
        yield Store(RedisSessions(client), lambda ms: asyncio.sleep(ms / 1000))


async def test_an_open_session_is_found(store: Store) -> None:
    session_id = await store.sessions.open(ADA, HOUR)
    assert await store.sessions.find(session_id) == ADA


async def test_an_ended_session_is_over_at_once(store: Store) -> None:
    session_id = await store.sessions.open(ADA, HOUR)
    assert await store.sessions.end(session_id)
    assert await store.sessions.find(session_id) is None
    assert not await store.sessions.end(session_id)


async def test_a_session_ends_by_itself(store: Store) -> None:
    session_id = await store.sessions.open(ADA, 50)
    assert await store.sessions.find(session_id) == ADA
    await store.wait(100)
    assert await store.sessions.find(session_id) is None


async def test_an_id_that_nobody_gave_out_is_no_session(store: Store) -> None:
    await store.sessions.open(ADA, HOUR)
    for wrong in ("", "*", "session:", new_id()):
        assert await store.sessions.find(wrong) is None


def test_ids_are_long_and_never_alike() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert len(set(ids)) == len(ids)
    assert {len(one) for one in ids} == {32}
    assert len({one[0] for one in ids}) > 1


async def test_a_store_that_is_away_says_so(free_port: int) -> None:
    async with connect(f"redis://127.0.0.1:{free_port}") as client:
        with pytest.raises(Unavailable, match="sessions"):
            await RedisSessions(client).find("any")


async def test_a_store_that_never_answers_is_given_up_within_a_quarter_of_a_second() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"redis://127.0.0.1:{port}") as client, asyncio.timeout(0.25):
            with pytest.raises(Unavailable):
                await RedisSessions(client).find("any")
