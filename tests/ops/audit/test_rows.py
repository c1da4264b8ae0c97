"""What a service must remember: the auditor's folds of rows against the service's own."""

import msgspec
import pytest

from events.codec import encode
from events.control import RecordQuarantined
from events.order import OrderFilled
from ops.audit.rows import accepted as opened
from ops.audit.rows import filled as fill_in
from ops.audit.rows import held
from services.order.domain import order_after
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
