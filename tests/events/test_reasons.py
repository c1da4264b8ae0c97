"""Refusals: a closed list for us, an open string on the wire."""

import re

import pytest
from pydantic_core import from_json, to_json

from events.order import OrderRejected
from events.reasons import Reason, Unreadable
from events.schema import VERSIONS, json_schema
from events.topics import ORDER_EVENTS
from tests.messages.contract import golden


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_a_name_and_one_sentence(reason: Reason) -> None:
    assert reason == reason.name.lower()
    assert re.fullmatch(r"[A-Z].*[^.]\.", reason.sentence)
    assert re.fullmatch(r"[a-z_]{1,64}", reason)


def test_no_two_reasons_say_the_same() -> None:
    assert len({reason.sentence for reason in Reason}) == len(Reason)
    assert not set(Reason) & set(Unreadable)


@pytest.mark.parametrize(
    "name", [n for n, model in VERSIONS.items() if "reason" in model.model_fields]
)
def test_on_the_wire_a_reason_is_an_open_string(name: str) -> None:
    field = json_schema(VERSIONS[name])["properties"]["reason"]
    assert field == {"type": "string", "minLength": 1, "maxLength": 64}


def test_a_reason_that_this_reader_does_not_know_is_a_refusal_all_the_same() -> None:
    body = from_json(golden("order_rejected.v1")) | {"reason": "made_up_later"}
    rejected = ORDER_EVENTS.decode(to_json(body))
    assert isinstance(rejected, OrderRejected)
    assert rejected.reason == "made_up_later"
