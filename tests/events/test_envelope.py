"""What every message has, in the order in which the wire has it."""

import pytest
from pydantic_core import from_json

from events.codec import stamped
from events.envelope import SAFE_INTEGER, Command, Control, Event, MarketEvent, Message, UserEvent
from events.order import OrderOpened
from events.schema import VERSIONS, json_schema
from tests.messages.contract import bounds, golden

ENVELOPES: dict[type[Message], tuple[str, ...]] = {
    Command: ("id", "account_id", "occurred_at", "created_at", "correlation_id", "fingerprint"),
    Event: (
        *("id", "account_id", "occurred_at", "sequence"),
        *("causation_id", "command_id", "correlation_id"),
    ),
    MarketEvent: ("id", "occurred_at"),
    UserEvent: ("id", "account_id", "occurred_at", "correlation_id"),
    Control: ("occurred_at",),
}
every_version = pytest.mark.parametrize("name", VERSIONS)


def kind_of(name: str) -> type[Message]:
    [kind] = [kind for kind in ENVELOPES if issubclass(VERSIONS[name], kind)]
    return kind


@every_version
def test_it_is_of_one_kind_and_starts_with_type_version_and_that_kinds_envelope(name: str) -> None:
    envelope = ("type", "version", *ENVELOPES[kind_of(name)])
    assert tuple(VERSIONS[name].model_fields)[: len(envelope)] == envelope
    assert set(envelope) <= set(json_schema(VERSIONS[name])["required"])
    assert tuple(from_json(golden(name)))[: len(envelope)] == envelope


@every_version
def test_only_what_the_shell_knows_is_stamped(name: str) -> None:
    known = {*ENVELOPES[kind_of(name)]} - {"account_id"}
    assert set(stamped(VERSIONS[name])) == (known if kind_of(name) in (Event, Control) else set())


@every_version
def test_every_integer_is_one_that_javascript_can_tell_from_the_next(name: str) -> None:
    for field in VERSIONS[name].model_fields.values():
        if field.annotation is int:
            limits = bounds(field)
            assert -SAFE_INTEGER < limits["ge"] < limits["lt"] <= SAFE_INTEGER


@every_version
def test_there_is_no_number_but_integers(name: str) -> None:
    assert "'number'" not in str(json_schema(VERSIONS[name]))


def test_a_decider_leaves_blank_what_the_shell_stamps() -> None:
    opened = OrderOpened(account_id="a" * 36, order_id="o" * 36, revision=1)
    assert (opened.id, opened.sequence, opened.command_id) == ("", 0, "")
