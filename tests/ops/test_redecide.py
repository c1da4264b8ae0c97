"""Deciding again at midnight: what led to no event may have begun the next day."""

from typing import Any

import pytest

from events.topics import BALANCE_COMMANDS, BALANCE_EVENTS, DAY
from infra.log.port import Record
from ops.redecide import Moment, Redecided, Told
from services.balance.app import SERVICE
from tests.messages.balances import TODAY, deposit, deposited
from tests.messages.envelope import ACCOUNT, stamped

AT = TODAY - 1
GIVEN = deposit(60, n=1, limit=100)


@pytest.mark.parametrize(("resets_at", "agrees"), [(0, True), (DAY, True), (2 * DAY, False)])
def test_a_day_may_be_over_before_an_input_of_it_is_taken(resets_at: int, agrees: bool) -> None:
    event: Any = stamped(
        deposited(GIVEN, available=60, used=60, resets_at=TODAY + resets_at),
        at=AT,
    )
    given = Told(Record(BALANCE_COMMANDS.name, 0, 0, AT, ACCOUNT.encode(), b""), GIVEN)
    written = Told(Record(BALANCE_EVENTS.name, 0, 0, AT, ACCOUNT.encode(), b""), event)
    assert Redecided.again(SERVICE, {}, given, [written], Moment((), ())) is agrees
