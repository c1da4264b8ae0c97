"""Those who ask a store at the same time share its round trips, and nothing else."""

import asyncio
from collections.abc import Sequence

import pytest

from infra.together import MOST, Together


class Store:
    """Answers a round trip with the questions doubled, once it is open. begun: one is under way; trips: their
    questions.
    """

    def __init__(self) -> None:
        self.trips: list[list[int]] = []
        self.begun, self.open = asyncio.Event(), asyncio.Event()
        self.open.set()
        self.failure: Exception | None = None

    async def answer(self, questions: Sequence[int]) -> list[int]:
        self.trips.append(list(questions))
        self.begun.set()
        await self.open.wait()
        if self.failure:
            raise self.failure
        return [2 * question for question in questions]


@pytest.fixture
def store() -> Store:
    return Store()


async def test_who_asks_at_the_same_time_shares_a_round_trip(store: Store) -> None:
    together = Together(store.answer)
    assert await asyncio.gather(*map(together.ask, range(3))) == [0, 2, 4]
    assert store.trips == [[0, 1, 2]]


async def test_who_asks_during_one_shares_the_next(store: Store) -> None:
    together = Together(store.answer)
    store.open.clear()
    first = asyncio.create_task(together.ask(1))
    await store.begun.wait()
    later = [asyncio.create_task(together.ask(n)) for n in (2, 3)]
    await asyncio.sleep(0)
    store.open.set()
    assert await asyncio.gather(first, *later) == [2, 4, 6]
    assert store.trips == [[1], [2, 3]]


async def test_a_round_trip_has_a_limit(store: Store) -> None:
    together = Together(store.answer)
    await asyncio.gather(*map(together.ask, range(2 * MOST + 1)))
    assert [len(trip) for trip in store.trips] == [MOST, MOST, 1]


async def test_who_waits_behind_a_failure_fails_and_the_next_one_does_not(store: Store) -> None:
    together = Together(store.answer)
    store.open.clear()
    store.failure = OSError("away")
    first = asyncio.create_task(together.ask(1))
    await store.begun.wait()
    behind = asyncio.create_task(together.ask(2))
    await asyncio.sleep(0)
    store.open.set()
    failed = await asyncio.gather(first, behind, return_exceptions=True)
    assert list(failed) == [store.failure, store.failure]
    store.failure = None
    assert await together.ask(3) == 6
    assert store.trips == [[1], [3]]


async def test_who_leaves_takes_nobody_along(store: Store) -> None:
    together = Together(store.answer)
    leaving, staying = (asyncio.create_task(together.ask(n)) for n in (1, 2))
    store.open.clear()
    await store.begun.wait()
    leaving.cancel()
    store.open.set()
    assert await staying == 4
    assert leaving.cancelled()
