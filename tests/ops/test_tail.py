"""What a tail shows: on the in-memory log, and the command on a real one."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from events.codec import encode
from events.control import PartitionClaimed
from events.ids import partition_of
from events.topics import BALANCE_COMMANDS, ORDER_EVENTS, dead_letter_topic
from infra.log.kafka import KafkaLog
from infra.log.life import Life
from infra.log.listing import Found
from infra.log.memory import MemoryLog
from infra.log.port import Draft, Record, TopicSpec
from infra.shell.emission import CONTROL
from ops.cli import app
from ops.tail import FIRST_LOOK, Wanted, decode, partitions, tail
from tests.messages.balances import deposit
from tests.messages.contract import golden
from tests.messages.envelope import ACCOUNT, NOW, OTHER_ACCOUNT
from tests.stack import serve

TP = (BALANCE_COMMANDS.name, 0)
ALL = Wanted()
CLAIM = Draft(
    b"control:partition_claimed",
    encode(PartitionClaimed(occurred_at=NOW, owner="me-0")),
    (CONTROL,),
)


def asked(amount: int, account_id: str = ACCOUNT) -> Draft:
    message = deposit(amount, n=amount, account_id=account_id)
    return Draft(account_id.encode(), BALANCE_COMMANDS.encode(message))


def brokers(*drafts: Draft) -> MemoryLog:
    log = MemoryLog([TopicSpec(BALANCE_COMMANDS.name)])
    for draft in drafts:
        log.put(TP, [draft])
    return log


async def amounts(log: MemoryLog, wanted: Wanted = ALL, last: int | None = None) -> list[int]:
    shown = [r async for r in tail(Life(log), [TP], wanted, last=last, follow=False)]
    return [decode(record).body["amount"] for record in shown]


def record(draft: Draft, topic: str = BALANCE_COMMANDS.name) -> Record:
    return Record(topic, 1, 7, 1_800_000_000_042, *draft)


async def test_the_last_ones_are_shown_in_their_order() -> None:
    assert await amounts(brokers(*map(asked, range(1, 6))), last=2) == [4, 5]


async def test_all_are_shown_from_the_beginning() -> None:
    assert await amounts(brokers(*map(asked, range(1, 6)))) == [1, 2, 3, 4, 5]


async def test_none_is_shown_of_an_empty_topic() -> None:
    assert await amounts(brokers()) == await amounts(brokers(), last=5) == []


async def test_an_account_is_found_however_far_back_it_stands() -> None:
    log = brokers(asked(1, OTHER_ACCOUNT), *[asked(2)] * (2 * FIRST_LOOK), CLAIM)
    assert await amounts(log, Wanted(OTHER_ACCOUNT), last=5) == [1]


async def test_control_records_are_shown_only_to_who_asks() -> None:
    log = brokers(asked(1), CLAIM)
    assert await amounts(log) == [1]
    asked_for = tail(Life(log), [TP], Wanted(control=True), last=1, follow=False)
    assert [decode(each).kind async for each in asked_for] == ["control"]


async def test_what_comes_later_is_followed_without_gap_or_double() -> None:
    log, shown = brokers(asked(1), asked(2)), []
    async with asyncio.timeout(5):
        async for each in tail(Life(log), [TP], ALL, last=1, follow=True):
            shown.append(decode(each).body["amount"])
            if shown[-1] == 5:
                break
            log.put(TP, [asked(shown[-1] + 1)])
    assert shown == [2, 3, 4, 5]


def test_an_account_lives_in_one_partition() -> None:
    found = Found("order.events.v1", 12, compacted=False, retention_ms=None)
    assert len(partitions(found, None)) == 12
    assert partitions(found, ACCOUNT) == [("order.events.v1", partition_of(ACCOUNT, 12))]


def test_a_line_says_when_where_whose_and_what() -> None:
    line = decode(record(asked(1_234))).as_text().plain
    assert line == "08:00:00.042 1:7       00000000000a deposit amount=1234"


def test_an_old_version_reads_as_the_newest() -> None:
    draft = Draft(b"", golden("order_accepted.v1"))
    shown = decode(record(draft, ORDER_EVENTS.name))
    assert (shown.name, shown.body["version"]) == ("order_accepted", 2)


@pytest.mark.parametrize(
    ("draft", "reason"),
    [
        (Draft(b"", b"not JSON"), "malformed"),
        (Draft(b"", b'{"type":"deposit","version":99}'), "newer_version"),
        (Draft(b"", None), "malformed"),
        (CLAIM._replace(value=b"{}"), "malformed"),
    ],
)
def test_poison_is_shown_as_such(draft: Draft, reason: str) -> None:
    shown = decode(record(draft))
    assert (shown.kind, shown.name) == ("poison", reason)
    assert json.loads(shown.as_json())["kind"] == "poison"


def test_a_dead_letter_says_where_it_comes_from_and_why() -> None:
    headers = (("origin", b"balance.commands.v1:1:7"), ("reason", b"malformed"))
    topic = dead_letter_topic(BALANCE_COMMANDS.name, "balance")
    shown = decode(record(Draft(b"", b"not JSON", headers), topic))
    assert shown.as_text().plain.endswith("malformed origin=balance.commands.v1:1:7 value=not JSON")


def test_no_record_moves_the_cursor() -> None:
    shown = decode(record(Draft(b"\x1b[2J", b'\x1b[31m"\n\r')))
    assert not {"\x1b", "\n", "\r"} & set(shown.as_text().plain)


@pytest.mark.stack
async def test_the_command_on_a_real_log(monkeypatch: pytest.MonkeyPatch) -> None:
    kafka = serve("topics", "provision").endpoints()["kafka"]
    log = KafkaLog(kafka)
    writer = await log.take_over("tail", [(BALANCE_COMMANDS.name, 1)], CLAIM)
    batch = writer.batch((BALANCE_COMMANDS.name, 1))
    batch.add(asked(7))
    stands = await writer.append(batch)
    await writer.stop()
    await log.stop()
    monkeypatch.setenv("ORDERSTREAM_KAFKA", kafka)

    def said(*words: str) -> list[str]:
        result = CliRunner().invoke(app, ["tail", *words])
        assert result.exit_code == 0, result.output
        return result.output.splitlines()

    lines = await asyncio.to_thread(said, BALANCE_COMMANDS.name, "--to-end", "--json")
    assert [json.loads(line)["offset"] for line in lines] == [stands.offset]
    everything = await asyncio.to_thread(said, BALANCE_COMMANDS.name, "--to-end", "--control")
    assert [line.split()[-2:] for line in everything] == [
        ["partition_claimed", "owner=me-0"],
        ["deposit", "amount=7"],
    ]
    unknown = await asyncio.to_thread(CliRunner().invoke, app, ["tail", "no.such"])
    assert unknown.exit_code == 1
