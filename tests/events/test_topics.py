"""The table of topics: what broker set-up, access lists and documents may lean on."""

import re
from collections import Counter
from typing import Any, get_args

import pytest

from events.codec import contract, name_of
from events.control import ControlRecord
from events.envelope import Command, Event
from events.topics import TOPICS, Topic, dead_letter_topic, state_topic, topic
from ops.stack.processes import SHELL_SERVICES

every_topic = pytest.mark.parametrize("entry", TOPICS, ids=lambda entry: entry.name)


def models(entry: Topic[Any]) -> list[Any]:
    return [contract(kind) for kind in entry.types]


def test_a_type_occurs_in_exactly_one_topic() -> None:
    owners = Counter(
        kind for entry in TOPICS for kind in {m.model_fields["type"].default for m in models(entry)}
    )
    assert set(owners.values()) == {1}
    controls = {contract(kind).model_fields["type"].default for kind in get_args(ControlRecord)}
    assert not controls & set(owners)


def test_a_shell_service_writes_one_contract_topic_and_nobody_else_writes_events() -> None:
    writers = Counter(entry.writer for entry in TOPICS if issubclass(models(entry)[0], Event))
    assert writers == dict.fromkeys(SHELL_SERVICES, 1)
    assert {entry.writer for entry in TOPICS} - set(SHELL_SERVICES) == {"gateway", "market"}


@every_topic
def test_a_name_has_its_first_version_and_finds_its_topic(entry: Topic[Any]) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z]+\.v1", entry.name)
    assert topic(entry.name) is entry


def test_names_differ_and_so_do_those_made_of_them() -> None:
    names = [entry.name for entry in TOPICS]
    names += [state_topic(service) for service in SHELL_SERVICES]
    names += [dead_letter_topic(e.name, service) for e in TOPICS for service in SHELL_SERVICES]
    assert len(set(names)) == len(names)
    assert all(re.fullmatch(r"[a-zA-Z0-9._-]{1,249}", name) for name in names)


@every_topic
def test_an_account_topic_has_the_clusters_partitions_and_no_number_of_its_own(
    entry: Topic[Any],
) -> None:
    assert entry.partitions == (None if entry.key == "account_id" else 1)


@every_topic
def test_the_key_is_a_field_that_every_message_must_have(entry: Topic[Any]) -> None:
    for model in models(entry):
        assert entry.key is None or model.model_fields[entry.key].is_required()


@every_topic
def test_commands_and_prices_go_after_a_week_and_events_never(entry: Topic[Any]) -> None:
    short = entry.name == "market.prices.v1" or issubclass(models(entry)[0], Command)
    assert entry.retention_days == (7 if short else None)
    assert entry.compacted == (entry.name == "market.assets.v1")
    assert entry.max_message_bytes == 2**20


@every_topic
def test_a_topic_carries_commands_or_facts_and_says_what_they_are_about(entry: Topic[Any]) -> None:
    assert len({issubclass(model, Command) for model in models(entry)}) == 1
    assert entry.about.endswith(".")


@every_topic
def test_a_type_is_its_class_in_snake_case_and_starts_on_the_wire(entry: Topic[Any]) -> None:
    for model in models(entry):
        snake = re.sub(r"(?<!^)(?=[A-Z])", "_", model.__name__).lower()
        assert name_of(model).startswith(f"{snake}.v")
        assert list(model.model_fields)[:2] == ["type", "version"]
