"""A rebuilt view: the same to the byte, beside a projector that goes on, and never switched to if it differs."""

import asyncio
import json
from contextlib import suppress

import pytest
from typer.testing import CliRunner

from events.topics import PRICES
from gateway.building import topics_of
from gateway.projections.market import PRICE, PriceRow
from gateway.projector import Projector
from gateway.views import HISTORY, LIVE
from infra.log.life import Life
from infra.log.memory import MemoryLog
from infra.log.port import Draft
from infra.views.memory import MemoryStore
from infra.views.port import MARKET, Input, Key, NotReady, One, Row, inputs
from infra.views.port import View as Reader
from ops.cli import app
from ops.replay import Overtaken, Replayed, View, first_difference, hash_of, replay, sealed
from ops.stack.folder import RunFolder
from tests.gateway.projections.logs import fold, simulated, topics_at_end, whole
from tests.messages.markets import ticked
from tests.simulation.world import PARTITIONS

TICKS = Input(MARKET, PRICES.name, 0)


@pytest.fixture
def brokers() -> MemoryLog:
    """Returns the brokers after a simulated run."""
    return simulated(2)


async def built(brokers: MemoryLog, *, keeps_all: bool = False) -> tuple[View, MemoryStore]:
    """Returns a view as a projector left it."""
    projections = HISTORY if keeps_all else LIVE
    log = topics_at_end(brokers, projections)
    store = await fold(projections, log, whole, keeps_all=keeps_all)
    return View(store, projections), store


async def replayed(view: View, brokers: MemoryLog, *, anyway: bool = False) -> Replayed:
    return await replay(view, Life(brokers), lambda *_: None, anyway=anyway)


async def damage(store: MemoryStore) -> None:
    """Writes a price that no topic tells of."""
    row = PriceRow(asset_id="BTC", price=1, time=1, position=1)
    generation = await store.open(await store.serving())
    place = generation.shelf(MARKET, PRICE, "")
    place.put(Row(Key(PRICE, "", "BTC"), row))


@pytest.mark.parametrize("keeps_all", [False, True], ids=["live", "history"])
async def test_a_replay_is_the_same_and_takes_over(brokers: MemoryLog, *, keeps_all: bool) -> None:
    view, store = await built(brokers, keeps_all=keeps_all)
    marks = await (await store.open(1)).marks()

    found = await replayed(view, brokers)

    assert found.before == found.after
    assert (found.differing, found.switched, found.old, found.new) == (None, True, 1, 2)
    assert found.records == sum(
        len(brokers.partitions[topic, partition].records) for _, topic, partition in store.inputs
    )
    assert await store.serving() == 2
    assert await (await store.open(2)).marks() == marks
    await Reader(store).read(None, One(PRICE, "BTC"))


async def test_a_row_that_differs_is_named_and_nothing_is_switched(brokers: MemoryLog) -> None:
    view, store = await built(brokers)
    await damage(store)

    found = await replayed(view, brokers)

    assert found.differing == "market/price//BTC"
    assert found.before != found.after
    assert await store.serving() == 1
    assert (await store.open(1)).sealed_until == 0


async def test_a_damaged_view_is_replaced_if_asked(brokers: MemoryLog) -> None:
    view, store = await built(brokers)
    await damage(store)

    assert (await replayed(view, brokers, anyway=True)).switched

    _, price = await Reader(store).read(None, One(PRICE, "BTC"))
    assert price
    assert price.price > 1


async def test_it_comes_to_the_checkpoints_of_the_serving_one_and_no_further(
    brokers: MemoryLog,
) -> None:
    log = topics_at_end(brokers, LIVE)
    behind = {source: records[: len(records) // 2] for source, records in log.items()}
    store = await fold(LIVE, behind, whole)

    found = await replayed(View(store, LIVE), brokers)

    assert found.switched
    assert found.records == sum(map(len, behind.values()))


async def test_a_projector_goes_on_meanwhile_and_afterwards(brokers: MemoryLog) -> None:
    store = MemoryStore(inputs(topics_of(LIVE), PARTITIONS), PARTITIONS)
    projector = Projector("live", store, LIVE, Life(brokers), brokers.clock)
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(projector.run(stop))
        await brokers.clock.sleep(1_000)
        tasks.create_task(ticking(brokers, stop))
        found = await replayed(View(store, LIVE), brokers)
        assert found.switched
        brokers.put((PRICES.name, 0), [Draft(None, PRICES.encode(ticked(BTC=77)))])
        while (await store.open(2)).shelf(MARKET, PRICE, "").rows["BTC"].find(b":77,") < 0:
            await brokers.clock.sleep(10)
        stop.set()


async def ticking(brokers: MemoryLog, stop: asyncio.Event) -> None:
    for price in range(100, 200):
        if not stop.is_set():
            brokers.put((PRICES.name, 0), [Draft(None, PRICES.encode(ticked(DOGE=price)))])
            await brokers.clock.sleep(5)


async def test_of_two_replays_at_once_one_is_overtaken(brokers: MemoryLog) -> None:
    view, store = await built(brokers)
    results = await asyncio.gather(
        replayed(view, brokers), replayed(view, brokers), return_exceptions=True
    )
    assert sorted(type(result).__name__ for result in results) == ["Overtaken", "Replayed"]
    assert isinstance(results[0], Overtaken | Replayed)
    with suppress(NotReady):
        await Reader(store).read(None, One(PRICE, "BTC"))
    assert (await store.open(await store.serving())).is_ready


async def test_whatever_ends_a_replay_opens_the_view_again(brokers: MemoryLog) -> None:
    _, store = await built(brokers)
    generation = await store.open(1)

    async def dies() -> None:
        async with sealed(generation):
            assert generation.sealed_until > 0
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await dies()
    assert generation.sealed_until == 0


def test_the_hash_is_of_every_key_and_row_in_their_order() -> None:
    one, other = {"a": b"1", "b": b"2"}, {"b": b"2", "a": b"1"}
    assert hash_of(one) == hash_of(other)
    assert hash_of(one) != hash_of({"a": b"2", "b": b"1"})
    assert first_difference(one, other) is None
    assert first_difference(one, {"b": b"2"}) == "a"
    assert first_difference(one, {**one, "aa": b"3"}) == "aa"


@pytest.mark.stack
@pytest.mark.parametrize("name", ["live", "history"])
def test_the_views_of_a_running_stack_are_what_their_topics_say(
    name: str, stack: RunFolder
) -> None:
    said = CliRunner().invoke(app, ["replay", name, "--run-dir", str(stack.path), "--json"])
    assert said.exit_code == 0, said.output
    found = json.loads(said.stdout)
    assert found["before"] == found["after"]
    assert found["switched"]
