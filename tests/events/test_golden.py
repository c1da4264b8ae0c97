"""A sample of every version ever written decodes for ever. Samples are added, never edited."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from events import order
from events.asyncapi import names
from events.codec import contract, encode, name_of
from events.envelope import Control
from events.order import OrderAccepted
from events.schema import VERSIONS
from events.topics import CONTROL, ORDER_EVENTS, TOPICS, Topic
from tests.messages.contract import GOLDEN, golden, messages


def placed() -> Iterator[tuple[Topic[Any], str]]:
    for topic in TOPICS:
        for name in names(topic):
            if not issubclass(VERSIONS[name], Control):
                yield topic, name


def test_every_version_has_a_sample_and_every_sample_a_version() -> None:
    assert {path.stem for path in GOLDEN.glob("*.v*.json")} == set(VERSIONS)


@pytest.mark.parametrize("name", VERSIONS)
def test_a_sample_is_what_a_writer_of_its_version_writes(name: str) -> None:
    raw = golden(name)
    written = VERSIONS[name].model_validate_json(raw).model_dump_json(exclude_unset=True)
    assert written.encode() == to_json(from_json(raw))


@pytest.mark.parametrize(("topic", "name"), [*placed()])
def test_a_sample_decodes_at_its_newest_version(topic: Topic[Any], name: str) -> None:
    message = topic.decode(golden(name))
    assert type(message) in topic.types
    assert message.type == name.partition(".")[0]


@pytest.mark.parametrize("name", [n for n, model in VERSIONS.items() if issubclass(model, Control)])
def test_a_control_record_decodes(name: str) -> None:
    assert name_of(contract(type(CONTROL(golden(name))))) == name


def test_before_version_2_every_order_was_good_till_canceled() -> None:
    accepted = ORDER_EVENTS.decode(golden("order_accepted.v1"))
    assert isinstance(accepted, OrderAccepted)
    assert (accepted.version, accepted.time_in_force, accepted.expires_at) == (2, "gtc", None)


@pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
def test_each_old_version_leads_up_to_the_newest_and_down_again(topic: Topic[Any]) -> None:
    newest = {kind.type: name_of(contract(kind)) for kind in topic.types}
    old = {name_of(model) for model in topic.old}
    later = {f"{name[:-1]}{int(name[-1]) + 1}" for name in old}
    assert later <= old | set(newest.values())
    assert set(topic.upcasters) == old
    assert set(topic.downcasters) == later


@given(messages(OrderAccepted))
def test_version_1_is_written_while_readers_need_it_and_decodes_again(accepted: Any) -> None:
    message = ORDER_EVENTS.decode(to_json(accepted))
    raw = ORDER_EVENTS.encode(message, {"order_accepted": 1})
    old = order.OrderAccepted1.model_validate_json(raw)
    assert raw == to_json(old)
    assert ORDER_EVENTS.decode(raw) == ORDER_EVENTS.decode(
        to_json(accepted.model_copy(update={"time_in_force": "gtc", "expires_at": None}))
    )


@pytest.mark.parametrize(
    ("topic", "name"), [(t, name_of(model)) for t in TOPICS for model in t.old]
)
@given(data=st.data())
def test_what_was_written_as_an_old_version_is_written_the_same_again(
    topic: Topic[Any], name: str, data: st.DataObject
) -> None:
    raw = to_json(data.draw(messages(VERSIONS[name])))
    kind, _, version = name.partition(".v")
    assert topic.encode(topic.decode(raw), {kind: int(version)}) == raw


@pytest.mark.parametrize("allowed", [{}, {"order_accepted": 2}, {"other": 1}])
def test_the_version_that_this_release_writes_is_written(allowed: dict[str, int]) -> None:
    message = ORDER_EVENTS.decode(golden("order_accepted.v2"))
    held_back = ORDER_EVENTS.held_back(allowed)
    assert ORDER_EVENTS.encode(message, held_back) == ORDER_EVENTS.encode(message)
    assert ORDER_EVENTS.encode(message) == encode(message)


def test_a_new_version_is_not_written_before_it_is_allowed() -> None:
    younger = replace(ORDER_EVENTS, writes={})
    message = younger.decode(golden("order_accepted.v2"))
    assert younger.held_back() == {"order_accepted": 1}
    assert b'"version":1' in younger.encode(message)
    allowed = younger.held_back({"order_accepted": 2})
    assert younger.encode(message, allowed) == encode(message)


@pytest.mark.parametrize("version", [0, 3])
def test_a_version_that_nobody_can_write_is_refused(version: int) -> None:
    with pytest.raises(ValueError, match=f"version {version} can't be written, 1 to 2 can"):
        ORDER_EVENTS.held_back({"order_accepted": version})
