"""The AsyncAPI document says what the table of topics says, and every reference in it leads somewhere."""

import re
from collections.abc import Iterator
from functools import reduce
from typing import Any

import pytest
from faststream.specification.asyncapi.v3_0_0.schema import ApplicationSchema
from pydantic_core import to_json

from events.asyncapi import asyncapi
from events.codec import Body, contract, name_of
from events.envelope import Control, Event
from events.schema import VERSIONS, json_schema
from events.topics import DAY, TOPICS, Topic

DOCUMENT = asyncapi()
CHANNELS, COMPONENTS = DOCUMENT["channels"], DOCUMENT["components"]
CONTROLS = {name for name, model in VERSIONS.items() if issubclass(model, Control)}
every_topic = pytest.mark.parametrize("topic", TOPICS, ids=lambda topic: topic.name)
every_version = pytest.mark.parametrize("name", VERSIONS)


def references(node: Any) -> Iterator[str]:
    match node:
        case {"$ref": str(target)}:
            yield target
        case dict():
            for part in node.values():
                yield from references(part)
        case list():
            for part in node:
                yield from references(part)


def at(reference: str) -> Body:
    steps = reference.removeprefix("#/").split("/")
    return reduce(lambda node, step: node[step], steps, DOCUMENT)


def test_it_has_the_form_of_an_asyncapi_3_document() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    ApplicationSchema.model_validate_json(to_json(DOCUMENT))
    keys = (*COMPONENTS["messages"], *COMPONENTS["schemas"])
    assert all(re.fullmatch(r"[\w.-]+", key) for key in keys)


def test_every_reference_leads_somewhere_and_everything_is_referred_to() -> None:
    targets = set(references(DOCUMENT))
    assert all(at(target) for target in targets)
    components = {f"#/components/{kind}/{key}" for kind, keys in COMPONENTS.items() for key in keys}
    assert targets == components | {f"#/channels/{name}" for name in CHANNELS}


def test_it_has_the_topics_of_the_table_and_one_writer_for_each() -> None:
    assert list(CHANNELS) == [topic.name for topic in TOPICS]
    writers = {op["channel"]["$ref"]: op["tags"] for op in DOCUMENT["operations"].values()}
    assert writers == {f"#/channels/{t.name}": [{"name": t.writer}] for t in TOPICS}
    assert {op["action"] for op in DOCUMENT["operations"].values()} == {"send"}


@every_topic
def test_a_channel_is_its_topic(topic: Topic[Any]) -> None:
    channel = CHANNELS[topic.name]
    kafka = channel["bindings"]["kafka"]
    assert channel["address"] == kafka["topic"] == topic.name
    assert kafka.get("partitions") == topic.partitions
    assert kafka["topicConfiguration"] == {
        "cleanup.policy": ["compact" if topic.compacted else "delete"],
        "retention.ms": topic.retention_days * DAY if topic.retention_days else -1,
        "max.message.bytes": topic.max_message_bytes,
    }


@every_topic
def test_a_channel_carries_every_version_and_in_those_of_events_control_records(
    topic: Topic[Any],
) -> None:
    kinds = {name_of(contract(kind)) for kind in (*topic.types, *topic.old)}
    events = issubclass(contract(topic.types[0]), Event)
    assert set(CHANNELS[topic.name]["messages"]) == kinds | (CONTROLS if events else set())


@every_topic
def test_a_message_has_its_topics_key(topic: Topic[Any]) -> None:
    for kind in (*topic.types, *topic.old):
        name = name_of(contract(kind))
        key = COMPONENTS["messages"][name]["bindings"]["kafka"].get("key")
        assert key == (topic.key and json_schema(VERSIONS[name])["properties"][topic.key])


@every_version
def test_a_message_has_its_committed_schema(name: str) -> None:
    message = COMPONENTS["messages"][name]
    assert at(message["payload"]["$ref"]) == json_schema(VERSIONS[name])
    assert message["name"] == name


@every_version
def test_only_a_control_record_says_so_in_a_header(name: str) -> None:
    headers = COMPONENTS["messages"][name]["headers"]
    assert (
        ("kind" in headers["properties"])
        == ("kind" in headers.get("required", []))
        == (name in CONTROLS)
    )
