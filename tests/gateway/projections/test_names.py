"""A name that was answered under is taken for ever; of another it is told only by chance."""

from uuid import UUID, uuid5

import pytest

from events.order import OrderAccepted, OrderRejected
from gateway.projections.names import Taken, may_be_taken, row_of
from gateway.projections.projection import Place
from gateway.views import ORDER_NAMES
from tests.messages import orders
from tests.messages.envelope import ACCOUNT, NOW, stamped

FIRST, SECOND = (str(uuid5(UUID(ACCOUNT), f"c:{n}")) for n in "ab")
SAME_ROW = FIRST[:4] + SECOND[4:]
UNNAMED = "01a210dc-ea5a-7328-ab99-4d7d43ed5b59"
PLACE = Place(7, NOW)


def fold(row: Taken | None, *command_ids: str) -> Taken | None:
    for command_id in command_ids:
        row = ORDER_NAMES.apply(row, accepted(command_id), PLACE)
    return row


def accepted(command_id: str) -> OrderAccepted:
    return stamped(orders.accepted(orders.place("sell", quantity=1), 1), command_id=command_id)


def test_a_row_keeps_the_prints_of_all_its_names() -> None:
    row = fold(None, FIRST, SAME_ROW)
    assert may_be_taken(row, FIRST)
    assert may_be_taken(row, SAME_ROW)
    assert not may_be_taken(fold(None, FIRST), SAME_ROW)
    assert not may_be_taken(None, FIRST)


def test_a_print_is_eight_digits_behind_the_four_that_choose_the_row() -> None:
    digits = FIRST.replace("-", "")
    assert row_of(FIRST) == digits[:4]
    assert fold(None, FIRST) == Taken(prints=f",{digits[4:12]}")


def test_a_second_answer_changes_nothing() -> None:
    row = fold(None, FIRST)
    assert fold(row, FIRST) is row


@pytest.mark.parametrize(("command_id", "row"), [(FIRST, row_of(FIRST)), (UNNAMED, None)])
def test_only_a_name_touches_a_row(command_id: str, row: str | None) -> None:
    assert ORDER_NAMES.id(accepted(command_id), PLACE) == row


def test_a_refusal_is_an_answer_too() -> None:
    assert {OrderAccepted, OrderRejected} <= set(ORDER_NAMES.on)
