"""Waiting: whatever wakes, the rows decide; one look for many; nobody is left behind."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from gateway.projections.outcomes import Settlement
from gateway.waiting import FUNDING, MOST, PLACING, Outcomes
from infra.views.port import Ask, AsOf, Changed, Look, NotReady
from tests.messages.envelope import ACCOUNT, numbered

DONE = Settlement(fills=0, hold_over=True, reason=None, fingerprint="f", position=3, over_at=1)


class View:
    """A live view that a test writes and tells of itself. looks: how many asks each look had."""

    partitions = 1

    def __init__(self) -> None:
        self.rows: dict[str, Settlement] = {}
        self.told: asyncio.Queue[Changed | None] = asyncio.Queue()
        self.looks: list[int] = []
        self.ready = True

    async def look(self, place: str, account: str, asks: Sequence[Ask[Any]]) -> Look:
        self.looks.append(len(asks))
        await asyncio.sleep(0)
        if not self.ready:
            raise NotReady
        answers = [self.rows.get(getattr(ask, "id", "")) for ask in asks]
        return Look(AsOf(0, {}), answers, [0] * len(asks))

    async def changes(self) -> AsyncIterator[Changed | None]:
        while True:
            yield await self.told.get()

    def tell(self, *ids: str) -> None:
        self.told.put_nowait(Changed("t", 0, 0, frozenset(ids)))


@asynccontextmanager
async def following() -> AsyncIterator[tuple[View, Outcomes]]:
    view = View()
    outcomes = Outcomes(view, view)
    task = asyncio.create_task(outcomes.follow())
    yield view, outcomes
    assert not outcomes._watches
    assert not outcomes._due
    task.cancel()


async def test_a_change_wakes_and_the_rows_tell() -> None:
    async with following() as (view, outcomes):
        with outcomes.watch(FUNDING, ACCOUNT, numbered(1)) as watch:
            waiting = asyncio.create_task(outcomes.wait(watch, 5))
            view.tell(numbered(1))  # too early: nothing is there yet
            await asyncio.sleep(0.01)
            assert not waiting.done()
            view.rows[numbered(1)] = DONE
            view.tell(numbered(2))  # another's
            await asyncio.sleep(0.01)
            assert not waiting.done()
            view.tell(ACCOUNT, numbered(1))
            assert await waiting == (DONE,)
        assert view.looks == [1, 1]


async def test_whoever_was_cut_off_looks_again() -> None:
    async with following() as (view, outcomes):
        with outcomes.watch(FUNDING, ACCOUNT, numbered(1)) as watch:
            view.rows[numbered(1)] = DONE
            view.told.put_nowait(None)
            assert await outcomes.wait(watch, 5) == (DONE,)


async def test_the_deadline_looks_once_more() -> None:
    async with following() as (view, outcomes):
        with outcomes.watch(FUNDING, ACCOUNT, numbered(1)) as watch:
            view.rows[numbered(1)] = DONE
            assert await outcomes.wait(watch, 0) == (DONE,)
        with outcomes.watch(FUNDING, ACCOUNT, numbered(2)) as watch:
            assert await outcomes.wait(watch, 0) is None


async def test_a_view_that_can_not_say_is_no_outcome_and_no_fault() -> None:
    async with following() as (view, outcomes):
        view.ready = False
        with outcomes.watch(FUNDING, ACCOUNT, numbered(1)) as watch:
            view.tell(numbered(1))
            await asyncio.sleep(0.01)
            assert await outcomes.wait(watch, 0) is None
            view.ready = True
            view.rows[numbered(1)] = DONE
            view.tell(numbered(1))
            assert await outcomes.wait(watch, 5) == (DONE,)


async def test_all_whom_a_change_wakes_share_a_look() -> None:
    many = MOST + 50
    ids = [numbered(n) for n in range(many)]
    async with following() as (view, outcomes):

        async def wait(id_: str) -> object:
            with outcomes.watch(FUNDING, ACCOUNT, id_) as watch:
                return await outcomes.wait(watch, 5)

        waiting = [asyncio.create_task(wait(id_)) for id_ in ids]
        await asyncio.sleep(0)
        view.rows = dict.fromkeys(ids, DONE)
        view.tell(*ids)
        assert await asyncio.gather(*waiting) == [(DONE,)] * many
        assert sorted(view.looks) == [50, MOST]


async def test_what_comes_during_a_look_is_looked_at_next() -> None:
    async with following() as (view, outcomes):
        with outcomes.watch(PLACING, ACCOUNT, numbered(1)) as watch:
            for _ in range(5):
                view.tell(numbered(1))
            await asyncio.sleep(0.01)
            assert await outcomes.wait(watch, 0) is None
        assert set(view.looks) == {3}
        assert len(view.looks) <= 6


async def test_equal_ones_are_told_alike() -> None:
    async with following() as (view, outcomes):
        with (
            outcomes.watch(FUNDING, ACCOUNT, numbered(1)) as one,
            outcomes.watch(FUNDING, ACCOUNT, numbered(1)) as other,
        ):
            view.rows[numbered(1)] = DONE
            view.tell(numbered(1))
            assert await outcomes.wait(one, 5) == await outcomes.wait(other, 5) == (DONE,)
        assert view.looks == [2]
