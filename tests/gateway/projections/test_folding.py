"""A view is what its topics say, in whatever pieces they were read; and it adds up."""

from collections.abc import Sequence
from itertools import pairwise
from random import Random

import pytest

from events.codec import stamp
from events.ids import partition_of
from events.order import OrderAccepted, OrderRejected
from events.topics import BALANCE_EVENTS, ORDER_EVENTS
from gateway.building import Projections
from gateway.projections.balances import BALANCE, LEDGER
from gateway.projections.folding import CONTROL, ROOM, Folding
from gateway.projections.orders import ORDER
from gateway.projections.outcomes import (
    AGE,
    BALANCE_OUTCOME,
    ORDER_OUTCOME,
    PORTFOLIO_OUTCOME,
    is_known,
)
from gateway.projections.positions import ASSET_LINE, POSITION
from gateway.projections.quarantine import FIRST, QUARANTINES
from gateway.views import HISTORY, LIVE
from infra.log.memory import MemoryLog
from infra.log.port import Record
from infra.views.memory import MemoryStore
from infra.views.port import All, Batch, Input, Key, Mark, One, Page, View
from tests.gateway.projections.logs import (
    Log,
    at_random,
    fold,
    long_life,
    one_by_one,
    simulated,
    topics_at_end,
    whole,
)
from tests.messages import balances as funds
from tests.messages import orders
from tests.messages.envelope import ACCOUNT, NOW, numbered, stamped
from tests.simulation.world import PARTITIONS

views = pytest.mark.parametrize(
    ("projections", "keeps_all"), [(LIVE, False), (HISTORY, True)], ids=["live", "history"]
)
SOURCE = Input(str(partition_of(ACCOUNT, PARTITIONS)), BALANCE_EVENTS.name, 0)
FUNDS = BALANCE_EVENTS.encode(
    stamped(funds.deposited(funds.deposit(5), available=5), command_id=funds.deposit(5).id)
)


@pytest.fixture(params=range(12))
def brokers(request: pytest.FixtureRequest) -> MemoryLog:
    """Returns the brokers after a simulated run; the parameter is its seed."""
    return simulated(request.param)


def record(offset: int, value: bytes | None = FUNDS, *headers: tuple[str, bytes]) -> Record:
    return Record(SOURCE.topic, 0, offset, NOW + offset, ACCOUNT.encode(), value, headers)


def folded(*records: Record, limit: int = 500) -> Sequence[Batch]:
    folding = Folding(SOURCE, BALANCE_EVENTS, LIVE, Mark(3, NOW), ages=True)
    return [folding.fold(plan, {}) for plan in folding.plans(records, limit)]


@views
async def test_how_a_topic_is_cut_changes_no_byte(
    brokers: MemoryLog, projections: Projections, *, keeps_all: bool
) -> None:
    log = topics_at_end(brokers, projections, slower=200)  # hours: rows grow too old within it
    await cut_in_every_way(projections, log, keeps_all=keeps_all)


@views
@pytest.mark.parametrize("seed", range(5))
async def test_nor_if_rows_grow_too_old_or_too_many_within_a_piece(
    seed: int, projections: Projections, *, keeps_all: bool
) -> None:
    await cut_in_every_way(projections, long_life(Random(seed)), keeps_all=keeps_all)


async def cut_in_every_way(projections: Projections, log: Log, *, keeps_all: bool) -> None:
    digests = []
    for cut, limit in ((whole, 500), (one_by_one, 500), (whole, 1), (at_random(Random(7)), 7)):
        store = await fold(projections, log, cut, keeps_all=keeps_all, limit=limit)
        digests.append(await (await store.open(1)).digests())
    assert digests[0]
    assert all(other == digests[0] for other in digests)


def accounts(log: Log) -> set[str]:
    keys = {r.key for records in log.values() for r in records if is_an_account_s(r)}
    return {key.decode() for key in keys if key}


def is_an_account_s(entry: Record) -> bool:
    return CONTROL not in entry.headers and entry.topic == ORDER_EVENTS.name


def placed(log: Log, account: str) -> set[str]:
    """Returns the ids of the account's orders that the topic tells of."""
    events = [
        ORDER_EVENTS.decode(entry.value)
        for records in log.values()
        for entry in records
        if is_an_account_s(entry) and entry.key == account.encode() and entry.value
    ]
    return {event.order_id for event in events if isinstance(event, OrderAccepted | OrderRejected)}


async def test_the_lines_add_up_to_the_balance_and_the_positions(brokers: MemoryLog) -> None:
    log = topics_at_end(brokers, HISTORY)
    view = View(await fold(HISTORY, log, whole, keeps_all=True))
    for account in accounts(log):
        _, balance, ledger = await view.read(account, One(BALANCE, "USD"), Page(LEDGER, 10_000))
        chained([(line.amount, line.balance_after) for line in ledger.rows])
        if ledger.rows:
            assert balance
            assert ledger.rows[0].balance_after == balance.available + balance.held
        _, positions = await view.read(account, All(POSITION))
        for asset_id, position in positions.items():
            _, lines = await view.read(account, Page(ASSET_LINE, 10_000, scope=asset_id))
            chained([(line.quantity, line.quantity_after) for line in lines.rows])
            assert lines.rows[0].quantity_after == position.available + position.held


def chained(newest_first: Sequence[tuple[int, int]]) -> None:
    """Each amount leads from what was there before it to what was there after it."""
    before = 0
    for moved, after in reversed(newest_first):
        assert before + moved == after
        before = after


async def test_at_rest_every_order_is_over_and_known(brokers: MemoryLog) -> None:
    log = {
        source: [entry._replace(timestamp=NOW) for entry in records]  # so none is too old
        for source, records in topics_at_end(brokers, LIVE).items()
    }
    view = View(await fold(LIVE, log, whole))
    for account in accounts(log):
        ids = placed(log, account)
        _, page = await view.read(account, Page(ORDER, 200))
        assert {row.order_id for row in page.rows} == ids
        assert not any(ORDER.is_open(row) for row in page.rows)
        for id_ in ids:
            _, order, money, assets = await view.read(
                account,
                One(ORDER_OUTCOME, id_),
                One(BALANCE_OUTCOME, id_),
                One(PORTFOLIO_OUTCOME, id_),
            )
            assert is_known(order, money, assets)


def test_a_batch_goes_from_the_checkpoint_to_behind_its_last_record() -> None:
    (batch,) = folded(record(5), record(9))
    assert (batch.start, batch.end, batch.time) == (3, 10, NOW + 9)
    assert batch.accounts == {ACCOUNT}
    assert batch.waited_for().keys() == {funds.deposit(5).id}


def test_only_the_rows_touched_last_are_remembered() -> None:
    owners = [f"01900000-0000-7000-8000-00000000000{n}" for n in range(3)]
    deposits = [funds.deposit(5, account_id=owner) for owner in owners]
    values = [BALANCE_EVENTS.encode(stamped(funds.deposited(d, available=5))) for d in deposits]
    folding = Folding(SOURCE, BALANCE_EVENTS, HISTORY, Mark(3, NOW), ages=False)
    older = [Key(BALANCE, f"owner-{n}", "USD") for n in range(ROOM)]
    folding.rows.update(dict.fromkeys(older))
    (plan,) = folding.plans([record(5 + n, value) for n, value in enumerate(values)], 500)
    folding.fold(plan, {})
    assert len(folding.rows) == ROOM
    remembered = list(folding.rows)
    assert remembered[:-3] == older[3:]
    assert [key.owner for key in remembered[-3:]] == owners


@pytest.mark.parametrize(("later", "position"), [(AGE, 0), (AGE + 1, 2)])
def test_the_first_answer_holds_until_the_view_has_dropped_it(later: int, position: int) -> None:
    answers = [stamped(orders.refused(orders.cancel(), "order_closed"), command_id=numbered(2))] * 3
    answers[1] = stamp(answers[1], command_id=numbered(3))
    times = (NOW, NOW + later, NOW + later)
    told = [
        Record(ORDER_EVENTS.name, 0, n, time, ACCOUNT.encode(), ORDER_EVENTS.encode(event))
        for n, (time, event) in enumerate(zip(times, answers, strict=True))
    ]
    source = SOURCE._replace(topic=ORDER_EVENTS.name)
    folding = Folding(source, ORDER_EVENTS, LIVE, Mark(0, NOW), ages=True)
    (plan,) = folding.plans(told, 500)
    rows = {row.key.id: row.value for row in folding.fold(plan, {}).rows}
    assert (rows[numbered(2)].position, rows[numbered(2)].fills) == (position, 0)


def test_the_newest_time_never_falls() -> None:
    (batch,) = folded(record(5)._replace(timestamp=1))
    assert batch.time == NOW


def test_a_control_record_only_moves_the_checkpoint() -> None:
    (batch,) = folded(record(5, b"{}", CONTROL), record(6, None))
    assert (batch.rows, batch.end) == ([], 7)


def test_a_batch_has_no_more_rows_than_the_view_takes() -> None:
    batches = folded(*(record(n) for n in range(5, 25)), limit=6)
    assert all(len(batch.rows) <= 6 for batch in batches)
    assert [(a.end, b.start) for a, b in pairwise(batches) if a.end != b.start] == []
    assert batches[-1].end == 25


async def test_an_unreadable_event_marks_its_account_and_the_rest_goes_on() -> None:
    store = MemoryStore((SOURCE,), PARTITIONS)
    generation = await store.open(1)
    log = {SOURCE: [record(5, b"{"), record(6), record(7, b'{"type":"new","version":1}')]}
    store = await fold(LIVE, log, one_by_one)
    generation = await store.open(1)
    assert (await generation.marks())[SOURCE].position == 8
    _, balance, mark = await View(store).read(
        ACCOUNT, One(BALANCE, "USD"), One(QUARANTINES[1].kind, FIRST)
    )
    assert balance
    assert mark
    assert (mark.position, mark.reason) == (5, "malformed")


def test_what_belongs_to_nobody_is_passed_over() -> None:
    folding = Folding(SOURCE, BALANCE_EVENTS, LIVE, Mark(0, 0), ages=True)
    (plan,) = folding.plans([record(5, b"{")._replace(key=b"?")], 500)
    assert [tuple(passed) for passed in plan.passed] == [(5, "malformed")]
    assert folding.fold(plan, {}).rows == []
