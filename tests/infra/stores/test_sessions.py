"""The session list's contract, held by the twin and by Redis."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from time import time_ns
from typing import NamedTuple

import pytest

from infra.stores.limits import Bucket, Budget
from infra.stores.sessions import (
    KNOWN,
    MOST,
    Knock,
    MemorySessions,
    RedisSessions,
    Session,
    Sessions,
    connect,
    new_id,
)
from infra.unavailable import Unavailable

HOUR = 3_600_000  # ms
IDLE = 2_000  # ms
PATIENCE = 10_000  # ms: how soon a store is given up is another test


class Store(NamedTuple):
    """A store, its time (ms), and how to let that pass: the twin's is a number, Redis has its own."""

    sessions: Sessions
    now: Callable[[], int]
    wait: Callable[[int], Awaitable[None]]

    def ada(self, **fields: object) -> Session:
        known = {"account_id": new_id(), "username": "ada", "role": "customer"}
        return Session.model_validate(known | {"created_at": self.now()} | fields)

    async def find(self, session_id: str) -> Session | None:
        return (await self.sessions.admit(Knock(session_id))).session


def wall() -> int:
    return time_ns() // 1_000_000


@pytest.fixture(params=["memory", pytest.param("redis", marks=pytest.mark.stack)])
async def store(request: pytest.FixtureRequest) -> AsyncIterator[Store]:
    if request.param == "memory":
        clock = [1_700_000_000_000]

        async def advance(ms: int) -> None:
            clock[0] += ms

        def now() -> int:
            return clock[0]

        yield Store(MemorySessions(now, idle=IDLE), now, advance)
        return
    async with connect(request.getfixturevalue("redis"), PATIENCE) as client:
        sessions = RedisSessions(client, idle=IDLE, touch=0)
        yield Store(sessions, wall, lambda ms: asyncio.sleep(ms / 1000))


async def test_an_open_session_is_found(store: Store) -> None:
    ada = store.ada(browser=True, user_agent="curl/8", address="192.0.2.0/24")
    session_id = await store.sessions.open(ada, HOUR, "hash")
    assert await store.find(session_id) == ada
    assert await store.sessions.admit(Knock(session_id)) == (ada, None)


async def test_an_ended_session_is_over_at_once(store: Store) -> None:
    ada = store.ada()
    session_id = await store.sessions.open(ada, HOUR, "hash")
    assert not await store.sessions.end(new_id(), session_id)  # it is not that account's
    assert await store.sessions.end(ada.account_id, session_id)
    assert await store.find(session_id) is None
    assert not await store.sessions.end(ada.account_id, session_id)


async def test_a_session_ends_by_itself(store: Store) -> None:
    session_id = await store.sessions.open(store.ada(), IDLE // 4, "hash")
    assert await store.find(session_id)
    await store.wait(IDLE // 2)
    assert await store.find(session_id) is None


async def test_a_session_that_is_used_is_not_idle(store: Store) -> None:
    idle, used = [await store.sessions.open(store.ada(), HOUR, "hash") for _ in range(2)]
    for _ in range(3):
        await store.wait(IDLE // 2)
        assert await store.find(used)
    assert await store.find(idle) is None


async def test_an_id_that_nobody_gave_out_is_no_session(store: Store) -> None:
    await store.sessions.open(store.ada(), HOUR, "hash")
    for wrong in ("", "*", "session:", new_id()):
        assert await store.find(wrong) is None
    assert await store.sessions.admit(Knock(None)) == (None, None)


async def test_of_too_many_sessions_the_oldest_ends(store: Store) -> None:
    ada = store.ada()
    opened = []
    for n in range(MOST + 2):
        newer = ada.model_copy(update={"created_at": ada.created_at + n})
        opened.append(await store.sessions.open(newer, HOUR, "hash"))
    held = await store.sessions.of(ada.account_id)
    assert [one.id for one in held] == opened[:1:-1]
    assert held[0].session.created_at == ada.created_at + MOST + 1


async def test_all_sessions_but_one_end(store: Store) -> None:
    ada, eve = store.ada(), store.ada()
    mine = [await store.sessions.open(ada, HOUR, "hash") for _ in range(3)]
    other = await store.sessions.open(eve, HOUR, "hash")
    assert await store.sessions.end_all(ada.account_id, but=mine[1]) == 2
    assert [bool(await store.find(id_)) for id_ in (*mine, other)] == [False, True, False, True]
    assert await store.sessions.end_all(ada.account_id) == 1
    assert await store.sessions.of(ada.account_id) == []


async def test_rights_change_in_open_sessions(store: Store) -> None:
    ada = store.ada()
    mine = [await store.sessions.open(ada, HOUR, "hash") for _ in range(2)]
    await store.sessions.set_role(ada.account_id, "admin")
    admin = ada.model_copy(update={"role": "admin"})
    assert [await store.find(id_) for id_ in mine] == [admin, admin]
    assert [one.session for one in await store.sessions.of(ada.account_id)] == [admin, admin]


async def test_a_refresh_token_is_good_once(store: Store) -> None:
    ada = store.ada()
    account_id, session_id = ada.account_id, await store.sessions.open(ada, HOUR, "1")
    assert await store.sessions.rotate(account_id, session_id, "never", "2") == "unknown"
    assert await store.sessions.rotate(account_id, session_id, "1", "2") == "rotated"
    assert await store.sessions.rotate(account_id, session_id, "1", "3") == "racing"
    assert await store.sessions.rotate(account_id, session_id, "2", "3") == "rotated"
    assert await store.find(session_id)
    assert await store.sessions.rotate(account_id, session_id, "1", "4") == "reused"
    assert await store.find(session_id) is None
    assert await store.sessions.rotate(account_id, session_id, "3", "4") == "over"


async def test_of_two_that_refresh_at_once_one_has_the_token(store: Store) -> None:
    ada = store.ada()
    session_id = await store.sessions.open(ada, HOUR, "1")
    told = await asyncio.gather(
        *(store.sessions.rotate(ada.account_id, session_id, "1", f"2-{n}") for n in range(20))
    )
    assert sorted(told) == ["racing"] * 19 + ["rotated"]
    assert await store.find(session_id)


async def test_a_token_older_than_those_that_are_known_ends_nothing(store: Store) -> None:
    ada = store.ada()
    session_id = await store.sessions.open(ada, HOUR, "0".zfill(4))
    for n in range(KNOWN + 1):
        given, new = str(n).zfill(4), str(n + 1).zfill(4)
        assert await store.sessions.rotate(ada.account_id, session_id, given, new) == "rotated"
    assert await store.sessions.rotate(ada.account_id, session_id, "0000", "new") == "unknown"
    assert await store.sessions.rotate(ada.account_id, session_id, "0001", "new") == "reused"


async def test_who_listens_hears_of_each_end(store: Store) -> None:
    ada = store.ada()
    mine = [await store.sessions.open(ada, HOUR, "hash") for _ in range(2)]
    ended = store.sessions.ended()
    assert await anext(ended) is None
    await store.sessions.end(ada.account_id, mine[0])
    assert await anext(ended) == mine[0]
    await store.sessions.end_all(ada.account_id)
    assert await anext(ended) == mine[1]
    await ended.aclose()  # type: ignore[attr-defined]


def budget(name: str, burst: int, interval: int = 60_000_000) -> Budget:
    return Budget(f"{name}-{new_id()}", interval, burst)


async def test_a_bucket_lets_a_burst_in_and_then_no_more(store: Store) -> None:
    bucket = Bucket(budget("calls", 3), "ada")
    told = [(await store.sessions.admit(Knock(None, [bucket]))).allowance for _ in range(5)]
    assert [one and (one.allowed, one.remaining) for one in told] == [
        (True, 2),
        (True, 1),
        (True, 0),
        (False, 0),
        (False, 0),
    ]
    refused = told[-1]
    assert refused
    assert 59_000_000 < refused.retry <= 60_000_000
    assert 179_000_000 < refused.reset <= 180_000_000
    other = Bucket(bucket.budget, "eve")
    assert (await store.sessions.admit(Knock(None, [other]))).allowance == (
        bucket.budget,
        2,
        0,
        60_000_000,
    )


async def test_a_bucket_fills_again(store: Store) -> None:
    bucket = Bucket(budget("calls", 1, interval=1_000_000), "ada")
    assert [await allowed(store, bucket), await allowed(store, bucket)] == [True, False]
    await store.wait(1_500)
    assert [await allowed(store, bucket), await allowed(store, bucket)] == [True, False]


async def test_what_one_bucket_refuses_costs_the_other_nothing(store: Store) -> None:
    small, large = Bucket(budget("small", 1), "ada"), Bucket(budget("large", 3), "ada")
    assert [await allowed(store, small, large) for _ in range(4)] == [True, False, False, False]
    told = [(await store.sessions.admit(Knock(None, [large]))).allowance for _ in range(2)]
    assert [one and one.remaining for one in told] == [1, 0]
    last = (await store.sessions.admit(Knock(None, [small, large]))).allowance
    assert last
    assert not last.allowed


async def test_of_many_at_once_no_more_come_in(store: Store) -> None:
    bucket = Bucket(budget("calls", 10), "ada")
    told = await asyncio.gather(*(allowed(store, bucket) for _ in range(150)))
    assert sum(told) == 10


async def allowed(store: Store, *buckets: Bucket) -> bool:
    told = (await store.sessions.admit(Knock(None, buckets))).allowance
    assert told
    return told.allowed


def test_ids_are_long_and_never_alike() -> None:
    ids = [new_id() for _ in range(10_000)]
    assert len(set(ids)) == len(ids)
    assert {len(one) for one in ids} == {32}
    assert len({one[0] for one in ids}) > 1


async def test_a_store_that_is_away_says_so(free_port: int) -> None:
    async with connect(f"redis://127.0.0.1:{free_port}") as client:
        with pytest.raises(Unavailable, match="sessions"):
            await RedisSessions(client).admit(Knock("any"))


async def test_a_store_that_never_answers_is_given_up_within_a_quarter_of_a_second() -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    async with await asyncio.start_server(silent, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        async with connect(f"redis://127.0.0.1:{port}") as client, asyncio.timeout(0.25):
            with pytest.raises(Unavailable):
                await RedisSessions(client).admit(Knock("any"))


async def test_while_a_store_is_away_others_are_told_at_once(free_port: int) -> None:
    async with connect(f"redis://127.0.0.1:{free_port}") as client:
        sessions = RedisSessions(client)
        for _ in range(2):
            with pytest.raises(Unavailable, match="sessions"):
                await sessions.admit(Knock("any"))
