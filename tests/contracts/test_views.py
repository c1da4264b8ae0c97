"""What every view's store keeps to, the twin and the real ones alike."""

import asyncio

import pytest

from events.codec import encode
from events.topics import BALANCE_EVENTS
from infra.unavailable import Unavailable
from infra.views import live
from infra.views.memory import MemoryStore
from infra.views.port import (
    All,
    Changed,
    From,
    Generation,
    Input,
    Key,
    Mark,
    NotReady,
    One,
    Page,
    Row,
    Store,
    View,
)
from tests.contracts.view_rows import (
    AGING,
    ALICE,
    ASSETS_INPUT,
    BALANCES,
    CATALOGUE,
    INPUTS,
    LISTED,
    ORDERS,
    PLAIN,
    Note,
    P,
    batch,
    listed,
    note,
)
from tests.contracts.view_stores import every, keeping_all, keeping_new


async def first(store: Store) -> Generation:
    generation = await store.open(await store.serving())
    await generation.set_ready({})
    return generation


async def positions(store: Store, page: Page[Note]) -> list[int | None]:
    _, found = await View(store).read(ALICE, page)
    return [row.position for row in found.rows]


@every
async def test_a_new_view_is_not_ready(store: Store) -> None:
    with pytest.raises(NotReady):
        await View(store).read(ALICE, One(PLAIN, "a"))


@every
async def test_a_view_that_is_not_where_its_writer_believes_is_not_shown(store: Store) -> None:
    generation = await store.open(1)
    await generation.write(batch(BALANCES, 0, 3, note(PLAIN, "a")))
    for elsewhere in ({BALANCES: 2}, {BALANCES: 0}, {BALANCES: 3, ORDERS: 1}):
        assert not await generation.set_ready(elsewhere)
    with pytest.raises(NotReady):
        await View(store).read(ALICE, One(PLAIN, "a"))
    assert await generation.set_ready({BALANCES: 3, ORDERS: 0, ASSETS_INPUT: 0})
    _, row = await View(store).read(ALICE, One(PLAIN, "a"))
    assert row == Note(id="a", text="x")


@every
async def test_rows_and_checkpoint_are_written_together(store: Store) -> None:
    generation = await first(store)

    assert await generation.write(batch(BALANCES, 0, 7, note(PLAIN, "a"))) == "written"

    as_of, row, none = await View(store).read(ALICE, One(PLAIN, "a"), One(PLAIN, "b"))
    assert row == Note(id="a", text="x")
    assert none is None
    assert as_of.positions == {BALANCE_EVENTS.name: 7}
    assert as_of.time == 1_000
    marks = await generation.marks()
    assert marks[BALANCES] == Mark(7, 1_000)
    assert marks[ORDERS] == Mark(0, 0)


@every
async def test_a_batch_from_elsewhere_is_refused_whole(store: Store) -> None:
    generation = await first(store)
    await generation.write(batch(BALANCES, 0, 7, note(PLAIN, "a", "new")))

    assert await generation.write(batch(BALANCES, 0, 5, note(PLAIN, "a", "old"))) == "moved"
    assert await generation.write(batch(BALANCES, 8, 9, note(PLAIN, "a", "old"))) == "moved"

    _, row = await View(store).read(ALICE, One(PLAIN, "a"))
    assert row == Note(id="a", text="new")
    assert (await generation.marks())[BALANCES].position == 7


@every
async def test_checkpoints_of_topics_and_partitions_move_apart(store: Store) -> None:
    generation = await first(store)
    other = Input(str(1 - ORDERS.partition), ORDERS.topic, 1 - ORDERS.partition)

    for source, end in ((ORDERS, 3), (other, 5), (BALANCES, 7), (ASSETS_INPUT, 9)):
        assert await generation.write(batch(source, 0, end)) == "written"

    marks = await generation.marks()
    assert [marks[s].position for s in (ORDERS, other, BALANCES, ASSETS_INPUT)] == [3, 5, 7, 9]


@every
async def test_one_of_racing_writers_is_written(store: Store) -> None:
    generation = await first(store)

    answers = await asyncio.gather(
        *(generation.write(batch(ORDERS, 0, n, *listed(n))) for n in range(1, 9))
    )

    assert sorted(answers) == ["moved"] * 7 + ["written"]
    (only,) = await positions(store, Page(LISTED, 10))
    assert (await generation.marks())[ORDERS].position == only


@every
async def test_a_row_is_replaced_and_goes(store: Store) -> None:
    generation = await first(store)
    await generation.write(batch(BALANCES, 0, 1, note(PLAIN, "a"), note(PLAIN, "b")))
    await generation.write(batch(BALANCES, 1, 2, note(PLAIN, "a", "y")))
    await generation.write(batch(BALANCES, 2, 3, Row(Key(PLAIN, ALICE, "b"), None)))

    _, rows = await View(store).read(ALICE, All(PLAIN))
    assert rows == {"a": Note(id="a", text="y")}


@every
async def test_owners_and_scopes_are_apart(store: Store) -> None:
    generation = await first(store)
    scoped = note(LISTED, "id-1", owner=f"{ALICE}/BTC", position=1)
    await generation.write(batch(ORDERS, 0, 3, scoped, *listed(2)))

    assert await positions(store, Page(LISTED, 10, scope="BTC")) == [1]
    assert await positions(store, Page(LISTED, 10)) == [2]


@every
async def test_the_market_has_a_place_of_its_own(store: Store) -> None:
    generation = await first(store)
    await generation.write(batch(ASSETS_INPUT, 0, 1, note(CATALOGUE, "BTC")))

    as_of, asset = await View(store).read(None, One(CATALOGUE, "BTC"))
    assert asset == Note(id="BTC", text="x")
    assert str(as_of) == "m:1"


@every
async def test_a_list_is_paged_newest_first_by_position(store: Store) -> None:
    generation = await first(store)
    await generation.write(batch(ORDERS, 0, 90, *listed(9, 80, 10)))

    _, page = await View(store).read(ALICE, Page(LISTED, 2))
    assert [row.position for row in page.rows] == [80, 10]
    assert page.more
    _, rest = await View(store).read(ALICE, Page(LISTED, 2, before=10))
    assert [row.position for row in rest.rows] == [9]
    assert not rest.more


@every
async def test_a_listed_row_is_found_by_id_and_changes_in_its_place(store: Store) -> None:
    generation = await first(store)
    await generation.write(batch(ORDERS, 0, 3, *listed(1, 2)))
    changed = note(LISTED, "id-1", "y", position=1)._replace(fresh=False)
    await generation.write(batch(ORDERS, 3, 4, changed))

    _, row, page = await View(store).read(ALICE, One(LISTED, "id-1"), Page(LISTED, 9))
    assert row == Note(id="id-1", text="y", position=1)
    assert [entry.text for entry in page.rows] == ["x", "y"]


@every
async def test_a_line_is_found_by_its_position(store: Store) -> None:
    generation = await first(store)
    await generation.write(batch(ORDERS, 0, 13, note(LISTED, "12", position=12)))

    _, row = await View(store).read(ALICE, One(LISTED, "12"))
    assert row == Note(id="12", text="x", position=12)


@every
async def test_the_writer_finds_rows_of_several_owners_at_once(store: Store) -> None:
    generation = await first(store)
    rows = [*listed(1), note(PLAIN, "a", owner="other"), note(AGING, "c", position=1)]
    await generation.write(batch(ORDERS, 0, 2, *rows))
    missing = Key(PLAIN, ALICE, "none")

    found = await generation.find(ORDERS.place, [missing, *(row.key for row in rows)])
    assert found == {row.key: row.value for row in rows}


@keeping_all
async def test_a_history_tells_a_list_from_a_position_on(store: Store) -> None:
    generation = await first(store)
    scoped = note(LISTED, "id-20", owner=f"{ALICE}/BTC", position=20)
    await generation.write(batch(ORDERS, 0, 90, *listed(9, 80, 10), scoped, note(PLAIN, "a")))

    _, *lists = await View(store).read(
        ALICE,
        From(LISTED, 0, 2),
        From(LISTED, 10, 9),
        From(LISTED, 81, 9),
        From(LISTED, 0, 9, "BTC"),
    )
    assert [[row.position for row in rows] for rows in lists] == [[9, 10], [10, 80], [], [20]]


@keeping_new
async def test_live_keeps_the_newest_and_the_open_ones(store: Store) -> None:
    generation = await first(store)
    await generation.write(batch(ORDERS, 0, 2, *listed(1, open=True)))
    await generation.write(batch(ORDERS, 2, 7, *listed(2, 3, 4, 5)))

    assert await positions(store, Page(LISTED, 10)) == [5, 4, 3]
    assert await positions(store, Page(LISTED, 10, open=True)) == [1]
    _, resting, dropped = await View(store).read(ALICE, One(LISTED, "id-1"), One(LISTED, "id-2"))
    assert resting == Note(id="id-1", text="x", position=1, open=True)
    assert dropped is None

    await generation.write(batch(ORDERS, 7, 8, *listed(1)))
    _, closed, still = await View(store).read(ALICE, One(LISTED, "id-1"), Page(LISTED, 9))
    assert closed is None
    assert [row.position for row in still.rows] == [5, 4, 3]


@keeping_new
async def test_live_says_above_which_place_it_dropped_nothing(store: Store) -> None:
    generation = await first(store)
    await generation.write(batch(ORDERS, 0, 3, *listed(1, 2)))
    assert (await store.look(ORDERS.place, ALICE, [Page(LISTED, 9)])).floors == [0]

    await generation.write(batch(ORDERS, 3, 5, *listed(3, 4)))
    look = await store.look(ORDERS.place, ALICE, [Page(LISTED, 9), One(LISTED, "id-1")])
    assert look.floors == [2, 2]


@keeping_new
async def test_live_drops_what_is_over_for_long_by_the_log_s_time(store: Store) -> None:
    generation = await first(store)
    rows = [note(AGING, "old", position=1_000), note(AGING, "new", position=1_001)]
    await generation.write(batch(ORDERS, 0, 2, *rows, note(AGING, "waits")))

    await generation.write(batch(ORDERS, 2, 3, time=2_001)._replace(aging=[AGING]))

    found = await generation.find(
        ORDERS.place, [Key(AGING, "", id_) for id_ in ("old", "new", "waits")]
    )
    assert {key.id for key in found} == {"new", "waits"}


@keeping_new
async def test_who_listens_hears_what_changed(store: Store) -> None:
    generation = await first(store)
    assert isinstance(store, live.LiveStore | MemoryStore)
    changes = store.changes()
    assert await anext(changes) is None

    accounts, ends = frozenset({ALICE}), note(AGING, "c", position=1)
    whole = batch(ORDERS, 0, 4, *listed(1), ends)._replace(accounts=accounts)
    await generation.write(whole)

    rows = {"c": encode(ends.value)}
    assert await anext(changes) == Changed(ORDERS.topic, ORDERS.partition, 4, accounts, rows)


@keeping_new
async def test_nobody_hears_of_a_generation_that_is_not_shown(store: Store) -> None:
    serving, building = await first(store), await store.create()
    assert isinstance(store, live.LiveStore | MemoryStore)
    changes = store.changes()
    assert await anext(changes) is None

    accounts = frozenset({ALICE})
    told = batch(ORDERS, 0, 4, *listed(1))._replace(accounts=accounts)
    await building.write(told)
    await serving.write(told._replace(end=5))
    assert await anext(changes) == Changed(ORDERS.topic, ORDERS.partition, 5, accounts, {})

    await building.set_ready({})
    assert await store.switch(serving.number, building.number)
    await building.write(told._replace(start=4, end=7))
    assert await anext(changes) == Changed(ORDERS.topic, ORDERS.partition, 7, accounts, {})


@keeping_all
async def test_history_keeps_everything(store: Store) -> None:
    generation = await first(store)
    for n in range(1, 8):
        await generation.write(batch(ORDERS, n - 1, n, *listed(n), time=n * 10_000))

    assert await positions(store, Page(LISTED, 10)) == [7, 6, 5, 4, 3, 2, 1]
    assert (await store.look(ORDERS.place, ALICE, [Page(LISTED, 9)])).floors == [0]


@every
async def test_a_sealed_generation_takes_no_batch_until_it_is_opened(store: Store) -> None:
    generation = await first(store)
    await generation.write(batch(BALANCES, 0, 1, note(PLAIN, "a")))
    await generation.seal(2**42)

    assert await generation.write(batch(BALANCES, 1, 2, note(PLAIN, "a", "y"))) == "sealed"
    _, row = await View(store).read(ALICE, One(PLAIN, "a"))
    assert row == Note(id="a", text="x")

    await generation.seal(0)
    assert await generation.write(batch(BALANCES, 1, 2, note(PLAIN, "a", "y"))) == "written"


@every
async def test_a_generation_is_built_beside_the_serving_one_and_takes_its_place(
    store: Store,
) -> None:
    old = await first(store)
    await old.write(batch(BALANCES, 0, 1, note(PLAIN, "a", "old")))
    reader = View(store)
    await reader.read(ALICE, One(PLAIN, "a"))

    new = await store.create()
    assert new.number != old.number
    await new.write(batch(BALANCES, 0, 1, note(PLAIN, "a", "new")))
    await new.set_ready({})
    _, row = await reader.read(ALICE, One(PLAIN, "a"))
    assert row == Note(id="a", text="old")

    assert not await store.switch(new.number, old.number)
    assert await store.switch(old.number, new.number)
    await store.drop(old.number)
    assert await store.serving() == new.number
    _, row = await reader.read(ALICE, One(PLAIN, "a"))
    assert row == Note(id="a", text="new")
    assert await old.write(batch(BALANCES, 1, 2)) != "written"
    assert await old.write(batch(ORDERS, 0, 2)) != "written"


@every
async def test_equal_rows_have_equal_digests(store: Store) -> None:
    whole, pieces = await first(store), await store.create()
    rows = [note(AGING, "c", position=1), note(PLAIN, "a"), *listed(1, 2, 3, 4, 5)]
    await whole.write(batch(ORDERS, 0, len(rows), *rows))
    for n, row in enumerate(rows):
        await pieces.write(batch(ORDERS, n, n + 1, row))

    assert await whole.digests() == await pieces.digests()
    await pieces.write(batch(BALANCES, 0, 1, note(PLAIN, "a", "y")))
    differing = dict(await whole.digests()).items() ^ dict(await pieces.digests()).items()
    assert len({key for key, _ in differing}) == 1


@every
@pytest.mark.parametrize("name", ["{}", "id-{}"], ids=["found by place", "found by id"])
async def test_a_full_batch_is_written(store: Store, name: str) -> None:
    generation = await first(store)
    weight = Key(LISTED, ALICE, name.format(0)).weight
    rows = [
        note(LISTED, name.format(n), owner=f"o{n}", position=n)
        for n in range(generation.limit // weight)
    ]

    assert await generation.write(batch(ORDERS, 0, 1_000, *rows)) == "written"

    found = await generation.find(ORDERS.place, [row.key for row in rows])
    assert len(found) == len(rows)


async def test_a_view_that_is_away_is_unavailable() -> None:
    async with live.connect("redis://127.0.0.1:1/0") as client:
        store = live.LiveStore(client, INPUTS, P)
        with pytest.raises(Unavailable):
            await View(store).read(ALICE, One(PLAIN, "a"))
