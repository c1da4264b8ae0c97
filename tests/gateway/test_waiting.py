"""Waiting: changes tell, whoever may have missed one looks; nobody is left behind."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

from events.codec import encode, stamp
from events.topics import BALANCE_EVENTS, ORDER_EVENTS, PORTFOLIO_EVENTS, Topic
from gateway.projections.outcomes import OrderOutcome, Settlement
from gateway.waiting import FUNDING, PLACING, STEERING, Outcomes
from infra.views.port import Ask, AsOf, Changed, Look, NotReady
from tests.messages.envelope import ACCOUNT, numbered

DONE = Settlement(fills=0, hold_over=True, reason=None, fingerprint="f", position=3, over_at=1)
FILLED = OrderOutcome(
    status="filled",
    reason=None,
    side="buy",
    fills=1,
    order_id=numbered(1),
    fingerprint="f",
    position=5,
    over_at=1,
)
HELD = Settlement(fills=0, hold_over=False, reason=None, fingerprint=None, position=4, over_at=None)
SETTLED = Settlement(fills=1, hold_over=True, reason=None, fingerprint=None, position=6, over_at=1)


class View:
    """A live view that a test writes and tells of itself. looks: how many asks each look had."""

    partitions = 1

    def __init__(self) -> None:
        self.rows: dict[tuple[str, str], Any] = {}
        self.told: asyncio.Queue[Changed | None] = asyncio.Queue()
        self.looks: list[int] = []
        self.ready = True

    async def look(self, place: str, account: str, asks: Sequence[Ask[Any]]) -> Look:
        self.looks.append(len(asks))
        await asyncio.sleep(0)
        if not self.ready:
            raise NotReady
        answers = [self.rows.get((ask.kind.topic.name, getattr(ask, "id", ""))) for ask in asks]
        return Look(AsOf(0, {}), answers, [0] * len(asks))

    async def changes(self) -> AsyncIterator[Changed | None]:
        while True:
            yield await self.told.get()

    def write(self, topic: Topic[Any], id_: str, row: Any) -> None:
        """Has the row in view, and tells nobody."""
        self.rows[topic.name, id_] = row

    def tell(self, topic: Topic[Any], **rows: Any) -> None:
        """Has rows in view, and tells of it."""
        for id_, row in rows.items():
            self.write(topic, id_, row)
        raw = {id_: encode(row) for id_, row in rows.items()}
        self.told.put_nowait(Changed(topic.name, 0, 0, frozenset({ACCOUNT}), raw))


@asynccontextmanager
async def following() -> AsyncIterator[tuple[View, Outcomes]]:
    view = View()
    outcomes = Outcomes(view, view)
    task = asyncio.create_task(outcomes.follow())
    yield view, outcomes
    assert not outcomes._watches
    task.cancel()


async def test_a_change_tells_the_rows() -> None:
    async with following() as (view, outcomes):
        with outcomes.watch(FUNDING, ACCOUNT, numbered(1)) as watch:
            waiting = asyncio.create_task(outcomes.wait(watch, 5))
            view.tell(BALANCE_EVENTS, **{numbered(2): DONE})  # another's
            view.tell(ORDER_EVENTS, **{numbered(1): FILLED})  # of a topic that has no say
            await asyncio.sleep(0.01)
            assert not waiting.done()
            view.tell(BALANCE_EVENTS, **{numbered(1): DONE})
            assert await waiting == (DONE,)
        assert view.looks == []


async def test_what_the_order_service_alone_answers_is_known_with_its_answer() -> None:
    done = stamp(FILLED, status="done", side=None, fills=0, order_id=None)
    async with following() as (view, outcomes):
        with outcomes.watch(STEERING, ACCOUNT, numbered(1)) as watch:
            view.tell(BALANCE_EVENTS, **{numbered(1): DONE})  # of a topic that has no say
            view.tell(ORDER_EVENTS, **{numbered(1): done})
            assert await outcomes.wait(watch, 5) == (done,)
    assert not STEERING.is_over(0, None, None, None)
    assert STEERING.is_over(0, done, None, None)


async def test_rows_of_several_topics_say_all_together() -> None:
    async with following() as (view, outcomes):
        with outcomes.watch(PLACING, ACCOUNT, numbered(1)) as watch:
            waiting = asyncio.create_task(outcomes.wait(watch, 5))
            view.tell(BALANCE_EVENTS, **{numbered(1): HELD})
            view.tell(PORTFOLIO_EVENTS, **{numbered(1): SETTLED})
            view.tell(ORDER_EVENTS, **{numbered(1): FILLED})
            await asyncio.sleep(0.01)
            assert not waiting.done()
            view.tell(BALANCE_EVENTS, **{numbered(1): SETTLED})
            assert await waiting == (FILLED, SETTLED, SETTLED)
        assert view.looks == []


async def test_what_a_look_saw_counts_too_and_an_older_row_never() -> None:
    async with following() as (view, outcomes):
        with outcomes.watch(PLACING, ACCOUNT, numbered(1)) as watch:
            view.write(ORDER_EVENTS, numbered(1), FILLED)
            view.write(BALANCE_EVENTS, numbered(1), SETTLED)
            assert await outcomes.look(watch) is None
            view.tell(BALANCE_EVENTS, **{numbered(1): HELD})  # told before that look
            view.tell(PORTFOLIO_EVENTS, **{numbered(1): SETTLED})
            assert await outcomes.wait(watch, 5) == (FILLED, SETTLED, SETTLED)
        assert view.looks == [3]


async def test_whoever_was_cut_off_looks() -> None:
    async with following() as (view, outcomes):
        with outcomes.watch(FUNDING, ACCOUNT, numbered(1)) as watch:
            view.write(BALANCE_EVENTS, numbered(1), DONE)
            view.told.put_nowait(None)
            assert await outcomes.wait(watch, 5) == (DONE,)


async def test_the_deadline_looks_once_more() -> None:
    async with following() as (view, outcomes):
        with outcomes.watch(FUNDING, ACCOUNT, numbered(1)) as watch:
            view.write(BALANCE_EVENTS, numbered(1), DONE)
            assert await outcomes.wait(watch, 0) == (DONE,)
        with outcomes.watch(FUNDING, ACCOUNT, numbered(2)) as watch:
            assert await outcomes.wait(watch, 0) is None


async def test_a_view_that_can_not_say_is_no_outcome_and_no_fault() -> None:
    async with following() as (view, outcomes):
        view.ready = False
        with outcomes.watch(FUNDING, ACCOUNT, numbered(1)) as watch:
            view.told.put_nowait(None)
            await asyncio.sleep(0.01)
            assert await outcomes.wait(watch, 0) is None
            view.ready = True
            view.tell(BALANCE_EVENTS, **{numbered(1): DONE})
            assert await outcomes.wait(watch, 5) == (DONE,)


async def test_equal_ones_are_told_alike() -> None:
    async with following() as (view, outcomes):
        with (
            outcomes.watch(FUNDING, ACCOUNT, numbered(1)) as one,
            outcomes.watch(FUNDING, ACCOUNT, numbered(1)) as other,
        ):
            view.tell(BALANCE_EVENTS, **{numbered(1): DONE})
            assert await outcomes.wait(one, 5) == await outcomes.wait(other, 5) == (DONE,)
        assert view.looks == []
