"""What `orderstream topics` says of a log."""

import json
from io import StringIO

import pytest
from rich.console import Console
from typer.testing import CliRunner

from events.codec import encode
from events.control import PartitionClaimed
from events.topics import BALANCE_COMMANDS, TOPICS, TRADE_EVENTS, dead_letter_topic
from infra.log.life import Life
from infra.log.listing import Found
from infra.log.memory import MemoryLog
from infra.log.port import Draft
from infra.shell.emission import CONTROL
from ops.cli import app
from ops.provision import topic_specs
from ops.topics import COUNTED, Described, describe, show
from tests.stack import serve

CLAIM = Draft(
    b"control:partition_claimed", encode(PartitionClaimed(occurred_at=1, owner="me-0")), (CONTROL,)
)
DEAD = dead_letter_topic(BALANCE_COMMANDS.name, "balance")
SPECS = topic_specs(2)


async def described(log: MemoryLog, counted: int = COUNTED) -> dict[str, Described]:
    cluster = {
        spec.name: Found(spec.name, spec.partitions, spec.compacted, spec.retention_ms)
        for spec in SPECS
    }
    return {topic.name: topic for topic in await describe(Life(log), cluster, counted)}


def shown(found: dict[str, Described], *, every: bool = False) -> str:
    text = StringIO()
    show(Console(file=text, width=300), [*found.values()], every=every)
    return text.getvalue()


async def test_the_contract_comes_first_and_all_that_is_provisioned_is_known() -> None:
    found = await described(MemoryLog(SPECS))
    assert list(found)[: len(TOPICS)] == [topic.name for topic in TOPICS]
    assert {spec.name for spec in SPECS} == set(found)
    assert "unknown" not in {topic.known.role for topic in found.values()}


async def test_control_records_do_not_count() -> None:
    log = MemoryLog(SPECS)
    log.put((TRADE_EVENTS.name, 1), [CLAIM])
    log.put((TRADE_EVENTS.name, 1), [Draft(b"", b"1"), Draft(b"", b"2")])
    tape = (await described(log))[TRADE_EVENTS.name]
    assert (tape.records, tape.spanned) == (2, 3)
    assert tape.as_json()["offsets"] == [{"start": 0, "end": 0}, {"start": 0, "end": 3}]


async def test_a_long_topic_is_not_read_only_to_count_it() -> None:
    log = MemoryLog(SPECS)
    log.put((TRADE_EVENTS.name, 0), [Draft(b"", b"1"), Draft(b"", b"2")])
    found = await described(log, counted=1)
    assert found[TRADE_EVENTS.name].records is None
    assert "≤ 2" in shown(found)


async def test_inner_topics_are_shown_if_asked_for_or_poisoned() -> None:
    log = MemoryLog(SPECS)
    log.put((DEAD, 0), [CLAIM])
    assert DEAD not in shown(await described(log))
    assert DEAD in shown(await described(log), every=True)
    log.put((DEAD, 0), [Draft(b"", b"poison")])
    assert DEAD in shown(await described(log))


@pytest.mark.stack
def test_the_command_on_a_real_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERSTREAM_KAFKA", serve("topics", "provision").endpoints()["kafka"])
    result = CliRunner().invoke(app, ["topics", "--json"])
    assert result.exit_code == 0, result.output
    found = json.loads(result.output)
    assert {topic["name"]: topic["partitions"] for topic in found} == {
        spec.name: spec.partitions for spec in SPECS
    }
    assert {topic["name"]: topic["kept"] for topic in found if topic["role"] == "contract"} == {
        topic.name: "newest of each key"
        if topic.compacted
        else f"{topic.retention_days} days"
        if topic.retention_days
        else "for ever"
        for topic in TOPICS
    }
