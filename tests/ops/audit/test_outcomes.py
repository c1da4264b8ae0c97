"""What an audit counts as a command's outcome, an event's cause and a client's journal."""

from typing import Any

from events.control import RecordQuarantined
from events.topics import ORDER_COMMANDS, ORDER_EVENTS
from infra.log.port import Record
from ops.audit.outcomes import Asked, Caused, OneOutcome, place, read_journal
from tests.messages.envelope import ACCOUNT, NOW, numbered, stamped
from tests.messages.orders import accepted, cancel, canceled, filled, refused
from tests.messages.orders import place as placed

RECORD = Record(ORDER_EVENTS.name, 0, 3, NOW, ACCOUNT.encode(), b"")
BUY, CANCEL = placed("buy", quantity=100), cancel()
NOTE: dict[str, Any] = {"topic": ORDER_EVENTS.name, "partition": 0, "offset": 3, "reason": "x"}


def counted(*commands: Any) -> OneOutcome:
    check = OneOutcome()
    for command in commands:
        check.command(RECORD, command)
    return check


def test_a_cancellation_answers_the_order_and_the_cancel() -> None:
    check = counted(BUY, CANCEL)
    half = filled(BUY, 50, cost=30, fee=1, leaves=50)
    check.over(RECORD, stamped(half, command_id=BUY.id))
    check.over(RECORD, stamped(canceled(BUY, "canceled_by_client"), command_id=CANCEL.id))
    check.settle()
    assert (check.told, check.checked) == ([], 2)


def test_a_command_without_an_outcome_is_told_unless_its_account_is_held() -> None:
    check = counted(BUY)
    check.quarantined(RECORD, RecordQuarantined(**NOTE))
    check.settle()
    assert [each.what for each in check.told] == [f"command {BUY.id} has 0 outcomes"]
    check = counted(BUY)
    check.quarantined(RECORD, RecordQuarantined(**NOTE, account_id=ACCOUNT))
    check.settle()
    assert check.told == []


def test_a_sending_that_came_too_late_is_an_outcome_if_there_is_no_other() -> None:
    late = stamped(refused(CANCEL, "command_expired"), command_id=CANCEL.id)
    check = counted(CANCEL)
    check.answer(RECORD, late)
    check.answer(RECORD, late)
    check.settle()
    assert check.told == []


def test_an_event_names_its_cause() -> None:
    check = Caused()
    check.event(RECORD, stamped(accepted(BUY, hold=1)))
    [told] = check.told
    assert told.what.endswith("names no cause")


def test_a_cause_that_the_log_has_forgotten_is_not_asked_for() -> None:
    check = Caused()
    check.message(RECORD._replace(topic=ORDER_COMMANDS.name, offset=9), BUY)
    check.begin()
    for offset, cause in enumerate((4, 10)):
        caused = (("type", b""), ("cause", f"{ORDER_COMMANDS.name}:0:{cause}".encode()))
        event = stamped(accepted(BUY, hold=1), cause_id=BUY.id)
        check.event(RECORD._replace(offset=offset, headers=caused), event)
    check.settle()
    [told] = check.told
    assert told.what.endswith(f"None is {ORDER_COMMANDS.name}-0 at 10")


def test_only_a_topic_a_partition_and_an_offset_are_a_place() -> None:
    assert str(place(b"order.events.v1:1:7")) == "order.events.v1-1 at 7"
    assert place(b"order.events.v1") is None
    assert place(b"order.events.v1:one:7") is None


def test_a_later_line_of_a_journal_takes_an_earlier_one_s_place() -> None:
    first, second = numbered(1), numbered(2)
    lines = (
        f'{{"command_id":"{first}"}}',
        f'{{"command_id":"{second}"}}',
        "",
        f'{{"command_id":"{first}","accepted":true}}',
    )
    assert read_journal("\n".join(lines)) == [Asked(first, accepted=True), Asked(second)]
