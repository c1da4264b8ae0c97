"""What who follows an account's rows is shown: every entry from a position on, or that some are missing."""

from uuid import uuid4

import pytest

from events.topics import ORDER_EVENTS
from infra.views import live
from infra.views.memory import MemoryStore
from infra.views.port import KEPT, Changed, Entry, Generation, Since, Store, View
from tests.contracts.view_rows import (
    ALICE,
    ALSO_FOLLOWED,
    ASSETS_INPUT,
    CATALOGUE,
    FOLLOWED,
    ORDERS,
    Note,
    batch,
    note,
)
from tests.contracts.view_stores import keeping_new

MANY = 1_000


def told(*offsets: int, account: str = ALICE) -> list[Entry]:
    return [Entry(n, FOLLOWED, account, Note(id="a", text=f"at-{n}")) for n in offsets]


async def write(generation: Generation, start: int, end: int, *entries: Entry) -> None:
    """Writes the batch as it is folded: the row is what the last entry says."""
    last = {(entry.kind, entry.account): entry.value for entry in entries}
    rows = [note(kind, "a", row.text, owner) for (kind, owner), row in last.items()]
    whole = batch(ORDERS, start, end, *rows)._replace(entries=entries)
    assert await generation.write(whole) == "written"


async def since(store: Store, position: int, account: str = ALICE) -> list[int] | None:
    """Returns the offsets of what the account is shown."""
    asked = Since((FOLLOWED, ALSO_FOLLOWED), position, MANY)
    look = await store.look(ORDERS.place, account, [asked])
    (entries,) = look.answers
    return None if entries is None else [entry.offset for entry in entries]


@pytest.fixture
async def shown(store: Store) -> Generation:
    """Returns a generation that is shown from its first record on."""
    generation = await store.open(1)
    assert await generation.set_ready({})
    return generation


@keeping_new
async def test_every_entry_from_a_position_on_is_shown(store: Store, shown: Generation) -> None:
    await write(shown, 0, 5, *told(1, 3))
    await write(shown, 5, 9, *told(6))

    assert await since(store, 0) == [1, 3, 6]
    assert await since(store, 1) == [1, 3, 6]
    assert await since(store, 2) == [3, 6]
    assert await since(store, 9) == []


@keeping_new
async def test_an_entry_is_the_row_after_its_event(store: Store, shown: Generation) -> None:
    also = Entry(4, ALSO_FOLLOWED, ALICE, Note(id="b", text="y", position=4, open=True))
    await write(shown, 0, 5, *told(1, 3), also)

    as_of, entries = await View(store).read(ALICE, Since((FOLLOWED, ALSO_FOLLOWED), 0, MANY))
    assert entries == [*told(1, 3), also]
    assert as_of.positions == {ORDER_EVENTS.name: 5}
    _, own = await View(store).read(ALICE, Since((ALSO_FOLLOWED,), 0, MANY))
    assert own == [also]
    _, first = await View(store).read(ALICE, Since((FOLLOWED,), 0, 1))
    assert first == told(1)


@keeping_new
async def test_accounts_are_apart(store: Store, shown: Generation) -> None:
    other = str(uuid4())
    await write(shown, 0, 5, *told(1), *told(2, account=other), *told(3))

    assert await since(store, 0) == [1, 3]
    assert await since(store, 0, other) == [2]
    assert await since(store, 0, str(uuid4())) == []


@keeping_new
async def test_what_was_folded_before_it_is_shown_is_missing(store: Store) -> None:
    generation = await store.open(1)
    await write(generation, 0, 5, *told(1, 3))
    assert await generation.set_ready({ORDERS: 5})
    await write(generation, 5, 9, *told(6))

    assert await since(store, 4) is None
    assert await since(store, 5) == [6]
    assert await since(store, 7) == []


@keeping_new
async def test_a_writer_that_begins_anew_goes_on_where_it_is_shown(
    store: Store, shown: Generation
) -> None:
    await write(shown, 0, 5, *told(1, 3))
    again = await store.open(1)
    await again.marks()
    await write(again, 5, 9, *told(6))

    assert await since(store, 0) == [1, 3, 6]


@keeping_new
async def test_no_position_that_is_not_there_yet_is_followed(
    store: Store, shown: Generation
) -> None:
    assert await since(store, 0) == []
    assert await since(store, 1) is None
    await write(shown, 0, 5, *told(1))
    assert await since(store, 6) is None


@keeping_new
async def test_the_last_are_kept(store: Store, shown: Generation) -> None:
    count = 4 * KEPT
    for start in range(0, count, KEPT):
        await write(shown, start, start + KEPT, *told(*range(start, start + KEPT)))

    assert await since(store, 0) is None
    assert await since(store, count - KEPT + 1) == [*range(count - KEPT + 1, count)]
    shown_whole = [n for n in range(count) if await since(store, n) == [*range(n, count)]]
    assert shown_whole == [*range(shown_whole[0], count)]
    assert all([await since(store, n) is None for n in range(shown_whole[0])])


@keeping_new
async def test_a_generation_that_is_dropped_leaves_no_entry(
    store: Store, shown: Generation
) -> None:
    await write(shown, 0, 5, *told(1))
    new = await store.create()
    await write(new, 0, 5, *told(1))
    assert await new.set_ready({ORDERS: 5})
    assert await store.switch(shown.number, new.number)
    assert await since(store, 0) is None
    assert await since(store, 5) == []

    await store.drop(shown.number)
    if isinstance(store, live.LiveStore):
        assert not [n async for n in store.client.scan_iter(f"{store.name}:1:*:stream:*")]


@keeping_new
async def test_who_listens_hears_of_the_market(store: Store, shown: Generation) -> None:
    assert isinstance(store, live.LiveStore | MemoryStore)
    changes = store.changes()
    assert await anext(changes) is None

    await shown.write(batch(ASSETS_INPUT, 0, 3, note(CATALOGUE, "BTC")))

    topic, partition = ASSETS_INPUT[1:]
    assert await anext(changes) == Changed(topic, partition, 3, frozenset(), {})
