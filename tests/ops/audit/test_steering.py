"""Frozen accounts and limited days as an audit follows them, one event at a time."""

from typing import Any

import pytest

from events.codec import stamp
from events.control import RecordQuarantined
from events.topics import BALANCE_EVENTS, DAY, ORDER_EVENTS
from infra.log.port import Record
from ops.audit.steering import Steered
from tests.messages.balances import TODAY, deposit, deposited, frozen, withdraw, withdrawn
from tests.messages.envelope import ACCOUNT, NOW, OTHER_ACCOUNT, stamped
from tests.messages.orders import accepted, freeze, place, unfreeze, unfrozen
from tests.messages.orders import frozen as account_frozen

RECORD = Record(BALANCE_EVENTS.name, 0, 3, NOW, ACCOUNT.encode(), b"")
FROZEN, THAWED = account_frozen(freeze()), unfrozen(unfreeze())
HELD_BACK, FREE = frozen(available=100), frozen(available=100, yes=False)
ORDERED = accepted(place("buy", quantity=100), hold=1)
OTHERS = accepted(place("buy", quantity=100, account_id=OTHER_ACCOUNT), hold=1)
OUT = withdrawn(withdraw(1), available=99)
GIVEN, MORE = deposit(60, limit=100), deposit(40, limit=100)
FIRST = deposited(GIVEN, available=60, used=60)
SECOND = deposited(MORE, available=100, used=100)
TOMORROW = deposited(MORE, available=100, used=40, resets_at=TODAY + DAY)


def told(*events: Any, settled: bool = False) -> list[str]:
    """Returns what is told of these events."""
    check = Steered()
    handlers = check.handlers()
    for event in events:
        whole = event if isinstance(event, RecordQuarantined) else stamped(event)
        handlers[type(event)](RECORD, whole)
    if settled:
        check.settle()
    return [violation.what.rpartition(": ")[2] for violation in check.told]


def test_what_is_right_is_no_violation() -> None:
    assert told(ORDERED, FROZEN, OTHERS, FROZEN, THAWED, ORDERED) == []
    assert told(OUT, HELD_BACK, FIRST, FREE, OUT) == []
    assert told(FIRST, SECOND, withdrawn(withdraw(9, limit=9), available=91, used=9)) == []
    assert told(FIRST, OUT, TOMORROW) == []
    assert told(FROZEN, HELD_BACK, settled=True) == []
    assert told(deposited(deposit(7), available=7)) == []


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((FROZEN, ORDERED), f"{ACCOUNT} is frozen, and orders"),
        ((HELD_BACK, OUT), f"{ACCOUNT} is frozen, and withdraws"),
        ((HELD_BACK, HELD_BACK), "frozen is True once more"),
        ((FREE,), "frozen is False once more"),
        ((FIRST, stamp(SECOND, limit=99)), "100 on that day, 99 is its limit"),
        ((FIRST, stamp(SECOND, used=40)), "40 on that day, the sum is 100"),
        ((FIRST, stamp(SECOND, resets_at=TODAY + 1)), f"{TODAY + 1} is no end of its day"),
        ((stamp(FIRST, resets_at=TODAY - DAY),), f"{TODAY - DAY} is no end of its day"),
        ((TOMORROW, FIRST), f"the day that ends at {TODAY + DAY} had begun"),
    ],
)
def test_what_is_wrong_is_told(events: tuple[Any, ...], said: str) -> None:
    assert told(*events) == [said]


def test_at_rest_orders_and_money_are_frozen_together() -> None:
    behind = RecordQuarantined(
        topic=ORDER_EVENTS.name, partition=0, offset=3, reason="x", account_id=ACCOUNT
    )
    for events in ((FROZEN,), (HELD_BACK,)):
        assert told(*events) == []
        assert told(*events, settled=True) == [ACCOUNT]
        assert told(*events, behind, settled=True) == []
