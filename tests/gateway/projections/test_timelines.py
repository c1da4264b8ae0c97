"""What a topic tells of an order, step by step."""

from typing import Any

import pytest

from events.codec import encode, stamp
from events.order import OrderOpened
from gateway.projections.outcomes import ORDER_OUTCOME, order
from gateway.projections.projection import Place
from gateway.projections.timelines import (
    FIRST,
    NEWEST,
    ORDER_TIMELINE,
    TimelineRow,
    apply,
    is_first,
)
from infra.views.port import Batch, Input, Key, Row
from tests.messages import balances as funds
from tests.messages import orders
from tests.messages import positions as assets
from tests.messages.envelope import ACCOUNT, NOW, OTHER_ACCOUNT, stamped

BUY, SELL = (orders.place(side, quantity=100, n=1) for side in ("buy", "sell"))
ACCEPTED = orders.accepted(BUY, hold=62)
OPENED = OrderOpened(account_id=ACCOUNT, order_id=BUY.id, revision=1)
HALF, FILLED = (orders.filled(BUY, 50, cost=30, fee=1, leaves=leaves) for leaves in (50, 0))
SOLD = orders.filled(SELL, 100, cost=60, fee=1)
RESERVED = funds.reserved(BUY, 62, available=0, held=62)
PAID = funds.settled(stamped(FILLED), available=0, held=1, hold_left=1)
RELEASED = funds.released(BUY, 1, available=1)
TOOK = assets.changed(stamped(FILLED), available=100, cost_basis=61)
EARNED = funds.settled(stamped(SOLD), available=59, held=0)
REFUSED = orders.refused(orders.cancel(), "order_closed", order_id=BUY.id)


def told(*events: Any) -> TimelineRow | None:
    """Returns the row, each event a millisecond after the one before."""
    row = None
    for n, event in enumerate(events):
        place = Place(n, NOW + n, (("cause", b"order.commands.v1:0:17"),))
        row = apply(row, stamped(event), place)
        assert row is None or ORDER_TIMELINE.decode(encode(row)) == row
    return row


def names(row: TimelineRow | None) -> list[str]:
    return [step.name for step in row.steps] if row else []


def test_every_event_is_a_step_with_its_place_and_time() -> None:
    row = told(ACCEPTED, OPENED, HALF)
    assert row
    assert [(step.name, step.offset, step.time) for step in row.steps] == [
        ("order_accepted", 0, NOW),
        ("order_opened", 1, NOW + 1),
        ("order_filled", 2, NOW + 2),
    ]
    assert (row.account_id, row.left_out, row.over_at) == (ACCOUNT, 0, None)


def test_the_first_event_says_where_and_when_the_order_was_asked_for() -> None:
    for first in (ACCEPTED, orders.rejected(BUY, "price_stale")):
        row = told(first, OPENED)
        assert row
        assert (row.asked_at, row.asked_offset) == (NOW, 17)
    bare = apply(None, stamped(ACCEPTED), Place(0, NOW))
    assert bare
    assert bare.asked_offset is None
    other = told(RESERVED)
    assert other
    assert (other.asked_at, other.asked_offset) == (None, None)


@pytest.mark.parametrize(
    ("events", "over"),
    [
        ((ACCEPTED, HALF), None),
        ((ACCEPTED, FILLED), NOW + 1),
        ((ACCEPTED, orders.rejected(BUY, "insufficient_funds")), NOW + 1),
        ((ACCEPTED, orders.canceled(BUY, "price_stale")), NOW + 1),
        ((RESERVED, PAID), None),
        ((RESERVED, PAID, RELEASED), NOW + 2),
        ((RESERVED, funds.funds_refused(BUY, 90, revision=2)), None),
        ((funds.funds_refused(BUY, 62),), NOW),
        ((EARNED,), NOW),
        ((TOOK,), NOW),
    ],
)
def test_a_timeline_is_over_when_its_topic_has_no_more_to_tell(
    events: tuple[Any, ...], over: int | None
) -> None:
    row = told(*events)
    assert row
    assert row.over_at == over
    assert len(row.steps) == len(events)


def test_what_is_asked_of_an_order_that_is_over_does_not_prolong_it() -> None:
    row = told(ACCEPTED, FILLED, REFUSED)
    assert row
    assert (names(row)[-1], row.over_at) == ("order_command_refused", NOW + 1)


def test_a_timeline_without_its_beginning_is_none() -> None:
    second = stamp(TOOK, fill=2)
    larger = funds.reserved(BUY, 90, available=0, held=90, revision=2)
    for event in (FILLED, OPENED, REFUSED, RELEASED, second, larger):
        assert told(event) is None


def test_another_account_adds_nothing_to_it() -> None:
    row = told(ACCEPTED)
    stranger = stamped(stamp(REFUSED, account_id=OTHER_ACCOUNT))
    assert apply(row, stranger, Place(9, NOW + 9)) is row


def test_of_very_many_steps_the_first_and_the_newest_are_kept() -> None:
    row = told(ACCEPTED, *[HALF] * 100)
    assert row
    assert row.left_out == 101 - FIRST - NEWEST
    kept = [step.offset for step in row.steps]
    assert kept == [*range(FIRST), *range(101 - NEWEST, 101)]
    longest = stamp(row, steps=tuple(stamp(s, name="x" * 64, offset=2**53 - 1) for s in row.steps))
    assert len(encode(longest)) < 65_536


def test_only_a_topic_s_very_first_event_needs_no_look_at_what_was_before() -> None:
    refused = funds.funds_refused(BUY, 62)
    assert all(map(is_first, (ACCEPTED, RESERVED, refused, EARNED, TOOK)))
    given = assets.changed(stamped(SOLD), available=0, cost_basis=0)
    rejected = orders.rejected(BUY, "price_stale")
    assert not any(map(is_first, (rejected, PAID, given, RELEASED, FILLED, REFUSED)))


def test_nobody_waits_for_a_timeline_and_it_hides_no_outcome_of_its_name() -> None:
    outcome = Row(Key(ORDER_OUTCOME, "", BUY.id), order(None, stamped(ACCEPTED), Place(0, NOW)))
    timeline = Row(Key(ORDER_TIMELINE, "", BUY.id), told(ACCEPTED))
    batch = Batch(Input("0", ORDER_TIMELINE.topic.name, 0), 0, 1, NOW, [outcome, timeline])
    assert batch.waited_for() == {BUY.id: encode(outcome.value)}
