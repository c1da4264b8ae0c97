"""Holds as an audit counts them, and amounts as it bounds them."""

from typing import Any

from events.balance import FundsDeposited
from events.codec import stamp
from events.envelope import SAFE_INTEGER
from events.topics import BALANCE_EVENTS, PORTFOLIO_EVENTS
from infra.log.port import Record
from ops.audit.batches import Foreign
from ops.audit.conserved import Bounds, Holds
from tests.messages import balances, positions
from tests.messages.envelope import ACCOUNT, NOW, stamped
from tests.messages.orders import accepted, canceled, filled, place

RECORD = Record(BALANCE_EVENTS.name, 0, 3, NOW, ACCOUNT.encode(), b"")
SELL = place("sell", quantity=100)
HALF = filled(SELL, 50, cost=30, fee=1, leaves=50)
HELD = positions.reserved(SELL, 100, available=0, held=100)
SOLD = positions.changed(stamped(HALF), available=0, held=50, hold_left=50, cost_basis=0)


def held(*assets: Any) -> Holds:
    holds = Holds()
    for event in assets:
        holds.position(RECORD._replace(topic=PORTFOLIO_EVENTS.name), stamped(event))
    return holds


def test_a_part_that_was_sold_and_a_rest_that_was_released_explain_a_hold() -> None:
    holds = held(HELD, SOLD, positions.released(SELL, 50, available=50))
    assert holds.told == []
    assert not holds.left


def test_more_released_than_was_held_is_told() -> None:
    holds = held(HELD, positions.released(SELL, 101, available=101))
    assert "used 1 more than it held" in holds.told[0].what


def test_a_hold_of_an_order_that_is_over_is_told_of_one_half_filled_not() -> None:
    holds = held(HELD)
    holds.opened(RECORD, accepted(SELL, hold=100))
    holds.closed(RECORD, stamped(HALF))
    holds.settle()
    assert holds.told == []
    holds.closed(RECORD, stamped(canceled(SELL, "canceled_by_client")))
    holds.settle()
    assert holds.told[0].what == f"holds of orders that are over: {SELL.id}"


def test_an_amount_beyond_the_safe_integers_is_told() -> None:
    bounds = Bounds(Foreign(frozenset()))
    fits: FundsDeposited = stamped(balances.deposited(balances.deposit(5), available=5))
    bounds.amounts(RECORD, stamp(fits, available=SAFE_INTEGER - 1))
    assert bounds.told == []
    for available in (SAFE_INTEGER, -1, True):
        bounds.amounts(RECORD, stamp(fits, available=available))
    assert bounds.violated == 3
