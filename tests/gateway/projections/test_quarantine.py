"""An account of which a record could not be read is marked so, once for each topic."""

from typing import Any

import pytest

from events.codec import encode
from events.topics import BALANCE_EVENTS, ORDER_EVENTS, PORTFOLIO_EVENTS, Topic
from gateway.projections.projection import Place
from gateway.projections.quarantine import FIRST, QUARANTINES, QuarantineRow, Unread, of
from infra.views.port import Key
from tests.messages.envelope import ACCOUNT, NOW

AT = Place(offset=5, time=NOW)
UNREAD = Unread(ACCOUNT, "malformed")


@pytest.mark.parametrize("topic", [ORDER_EVENTS, BALANCE_EVENTS, PORTFOLIO_EVENTS])
def test_each_topic_marks_the_account_for_itself(topic: Topic[Any]) -> None:
    made = of(topic)
    [wired] = [each for each in QUARANTINES if each.kind.topic is topic]
    assert made.kind.name == wired.kind.name == f"quarantine.{topic.name[0]}"
    assert made.kind.topic is topic
    assert made.on == (Unread,)
    assert made.key(UNREAD, AT) == Key(made.kind, ACCOUNT, FIRST)
    row = made.apply(None, UNREAD, AT)
    assert row == QuarantineRow(position=5, reason="malformed", since=NOW)
    assert made.kind.decode(encode(row)) == row


def test_the_first_that_was_passed_over_stays() -> None:
    made = of(ORDER_EVENTS)
    first = made.apply(None, UNREAD, AT)
    assert made.apply(first, Unread(ACCOUNT, "version_unknown"), Place(9, NOW + 1)) is first
