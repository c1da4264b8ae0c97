"""What a service must remember: the auditor's folds of rows against the service's own."""

from typing import Any

import msgspec
import pytest

from events.balance import FundsDeposited
from events.codec import encode
from events.control import RecordQuarantined
from events.order import OrderFilled
from events.topics import DAY
from ops.audit.rows import accepted as opened
from ops.audit.rows import account, day, held
from ops.audit.rows import filled as fill_in
from ops.audit.rows import frozen as money_frozen
from services.balance.domain import FROZEN, Frozen, day_after
from services.order.domain import ACCOUNTS, order_after
from tests.messages import orders
from tests.messages.balances import TODAY, deposit, deposited, frozen, withdraw, withdrawn
from tests.messages.envelope import ACCOUNT
from tests.messages.orders import accepted, filled, place

BUY = place("buy", quantity=100)
ACCEPTED = accepted(BUY, hold=700)
HALF = filled(BUY, 60, cost=36, fee=1, leaves=40)
MORE = filled(BUY, 39, cost=24, fee=0, leaves=1, fill=2)
LAST = filled(BUY, 1, cost=1, fee=0, fill=3)


@pytest.mark.parametrize("fills", [(), (HALF,), (HALF, MORE), (HALF, MORE, LAST)])
def test_an_order_s_fills_are_remembered_alike(fills: tuple[OrderFilled, ...]) -> None:
    row, mine = order_after(None, ACCEPTED), opened(None, ACCEPTED)
    for fill in fills:
        row, mine = order_after(row, fill), fill_in(mine, fill)
    assert mine == (msgspec.json.decode(encode(row)) if row else None)


def note(offset: int, account_id: str | None) -> RecordQuarantined:
    return RecordQuarantined(
        topic="x", partition=0, offset=offset, reason="malformed", account_id=account_id
    )


def test_what_is_held_of_an_account_goes_from_the_first_to_the_last() -> None:
    first = held(None, note(5, ACCOUNT))
    assert first == {"topic": "x", "first": 5, "last": 5}
    assert held(first, note(9, ACCOUNT)) == {"topic": "x", "first": 5, "last": 9}
    assert held(first, note(9, None)) is first


NEXT = TODAY + DAY
GIVEN = deposited(deposit(60, limit=100), available=60, used=60)
TAKEN = withdrawn(withdraw(10, limit=100), available=50, used=10)
LATER = withdrawn(withdraw(5, limit=100), available=45, used=5, resets_at=NEXT)
FREE = deposited(deposit(7), available=52)


@pytest.mark.parametrize(
    "events", [(FREE,), (GIVEN, FREE), (GIVEN, TAKEN), (GIVEN, TAKEN, LATER), (TAKEN, LATER, FREE)]
)
def test_a_day_s_sums_are_remembered_alike(events: tuple[Any, ...]) -> None:
    row, mine = None, None
    for event in events:
        row = day_after(row, event)
        mine = day("deposited" if isinstance(event, FundsDeposited) else "withdrawn")(mine, event)
    assert mine == (msgspec.json.decode(encode(row)) if row else None)


def test_who_is_frozen_is_remembered_alike() -> None:
    told = orders.frozen(orders.freeze())
    yes, no = frozen(available=5), frozen(available=5, yes=False)
    assert account(None, told) == msgspec.json.decode(encode(ACCOUNTS.apply(None, told)))
    assert money_frozen(None, yes) == msgspec.json.decode(encode(FROZEN.apply(None, yes)))
    assert FROZEN.apply(Frozen(frozen=True), no) is None
    assert money_frozen({"frozen": True}, no) is None
