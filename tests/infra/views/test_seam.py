"""Live and history as one: whatever the live view dropped, and however far the history lags."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.codec import mirror
from events.envelope import Offset, Value
from events.topics import BALANCE_EVENTS, ORDER_EVENTS
from infra.views.memory import MemoryStore
from infra.views.port import (
    All,
    Ask,
    Batch,
    Input,
    Key,
    Kind,
    Lagging,
    Listed,
    NotReady,
    One,
    Page,
    Row,
    View,
    inputs,
)
from infra.views.seam import Seam


@mirror
class Line(Value):
    position: Offset
    open: bool = False
    filled: Offset = 0


KEPT = 4
LISTED: Kind[Line] = Kind(
    name="line",
    topic=ORDER_EVENTS,
    row=Line,
    listed=lambda line: line.position,
    is_open=lambda line: line.open,
    newest=KEPT,
)
PLAIN: Kind[Line] = Kind(name="plain", topic=BALANCE_EVENTS, row=Line)
INPUTS = inputs((ORDER_EVENTS, BALANCE_EVENTS), 1)
SOURCE = Input("0", ORDER_EVENTS.name, 0)
ACCOUNT = "018f0000-0000-7000-8000-000000000001"


async def filled(*positions: int, keeps_all: bool, ready: bool = True) -> MemoryStore:
    """Returns a view of these lines, folded up to behind the last of them."""
    store = MemoryStore(INPUTS, 1, keeps_all=keeps_all)
    generation = await store.open(1)
    rows = [Row(Key(LISTED, ACCOUNT, str(n)), Line(position=n), fresh=True) for n in positions]
    if rows:
        await generation.write(Batch(SOURCE, 0, positions[-1] + 1, 1_000, rows))
    if ready:
        await generation.set_ready({})
    return store


def seam(live: MemoryStore, history: MemoryStore) -> View:
    return View(Seam(live, history, [LISTED, PLAIN], patience_ms=0))


async def listing(view: View, limit: int) -> list[int]:
    """Returns the places of all rows, page after page."""
    found: list[int] = []
    before, more = None, True
    while more:
        _, page = await view.read(ACCOUNT, Page(LISTED, limit, before))
        found += [row.position for row in page.rows]
        more = page.more
        before = page.rows[-1].position if page.rows else 0
        assert not more or len(page.rows) == limit
    return found


@given(
    places=st.lists(st.integers(0, 2**53 - 1), unique=True, max_size=14).map(sorted),
    limit=st.integers(1, 16),
)
async def test_pages_neither_double_nor_skip(places: list[int], limit: int) -> None:
    view = seam(await filled(*places, keeps_all=False), await filled(*places, keeps_all=True))
    assert await listing(view, limit) == places[::-1]


@given(places=st.integers(KEPT + 1, 12), folded=st.integers(0, 12), limit=st.integers(1, 12))
async def test_a_history_that_lags_never_leaves_out_a_row(
    places: int, folded: int, limit: int
) -> None:
    live = await filled(*range(places), keeps_all=False)
    view = seam(live, await filled(*range(min(folded, places)), keeps_all=True))
    try:
        assert await listing(view, limit) == list(range(places))[::-1]
    except Lagging:
        assert folded < places - KEPT


async def test_what_live_dropped_is_found_by_id() -> None:
    places = range(KEPT + 2)
    view = seam(await filled(*places, keeps_all=False), await filled(*places, keeps_all=True))
    _, dropped, kept, none = await view.read(
        ACCOUNT, One(LISTED, "0"), One(LISTED, "5"), One(LISTED, "77")
    )
    assert (dropped, kept, none) == (Line(position=0), Line(position=5), None)


async def test_an_id_that_may_be_dropped_waits_for_the_history() -> None:
    live = await filled(*range(KEPT + 2), keeps_all=False)
    with pytest.raises(Lagging):
        await seam(live, await filled(0, keeps_all=True)).read(ACCOUNT, One(LISTED, "1"))


async def told(store: MemoryStore, start: int, end: int, *lines: Line) -> MemoryStore:
    """Returns the view, in which these lines are now so."""
    rows = [Row(Key(LISTED, ACCOUNT, str(line.position)), line, fresh=True) for line in lines]
    generation = await store.open(1)
    await generation.write(Batch(SOURCE, start, end, 1_000, rows))
    await generation.set_ready({})
    return store


@pytest.mark.parametrize("ask", [One(LISTED, "0"), Page(LISTED, 9, before=1)], ids=["id", "page"])
async def test_what_is_over_is_never_shown_as_open(ask: Ask[object]) -> None:
    live = await filled(*range(KEPT + 2), keeps_all=False)
    history = await told(await filled(keeps_all=True), 0, 2, Line(position=0, open=True))
    with pytest.raises(Lagging):
        await seam(live, history).read(ACCOUNT, ask)
    _, found = await seam(live, await told(history, 2, 3, Line(position=0))).read(ACCOUNT, ask)
    assert found in (Line(position=0), Listed([Line(position=0)], more=False))


async def test_what_is_open_is_shown_as_the_live_view_has_it() -> None:
    others, end = [Line(position=n) for n in range(1, KEPT + 3)], KEPT + 3
    stores = [MemoryStore(INPUTS, 1, keeps_all=keeps_all) for keeps_all in (False, True)]
    live, history = [
        await told(store, 0, end, Line(position=0, open=True, filled=n), *others)
        for store, n in zip(stores, (2, 1), strict=True)
    ]
    _, page = await seam(live, history).read(ACCOUNT, Page(LISTED, 99))
    assert [(line.open, line.filled) for line in page.rows] == [(False, 0)] * len(others) + [
        (True, 2)
    ]


async def test_a_short_list_needs_no_history() -> None:
    live = await filled(1, 2, keeps_all=False)
    view = seam(live, await filled(keeps_all=True, ready=False))
    assert await listing(view, 10) == [2, 1]
    assert await view.read(ACCOUNT, One(LISTED, "9")) == (
        (await view.read(ACCOUNT, One(LISTED, "1")))[0],
        None,
    )


async def test_history_stands_in_while_live_is_being_built() -> None:
    live = await filled(1, keeps_all=False, ready=False)
    view = seam(live, await filled(1, 2, keeps_all=True))
    _, row, page, none = await view.read(
        ACCOUNT, One(LISTED, "2"), Page(LISTED, 9), One(PLAIN, "x")
    )
    assert row == Line(position=2)
    assert [line.position for line in page.rows] == [2, 1]
    assert none is None


OTHER: Kind[Line] = Kind(name="other", topic=ORDER_EVENTS, row=Line)


@pytest.mark.parametrize(
    "ask", [One(LISTED, "7"), Page(LISTED, 5, open=True), All(OTHER)], ids=["id", "open", "kind"]
)
async def test_history_does_not_guess_for_live(ask: Ask[object]) -> None:
    live = await filled(1, keeps_all=False, ready=False)
    with pytest.raises(NotReady):
        await seam(live, await filled(1, keeps_all=True)).read(ACCOUNT, ask)
