"""The demo: what it finds and adds up, and the whole of it on a real stack."""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from events.codec import stamp
from events.topics import BALANCE_COMMANDS, topic
from infra.log.kafka import KafkaLog
from infra.log.life import Life
from infra.log.memory import MemoryLog
from infra.log.port import Bounds, Draft, TopicSpec
from ops.demo.books import Books
from ops.demo.run import Failed, demo, walk
from ops.demo.screen import Screen
from ops.demo.traces import Missing, Traces
from ops.demo.walk import steps
from ops.reading import between
from ops.stack import leftovers
from ops.stack.folder import RunFolder
from ops.stack.lifecycle import down
from services.tape.domain import trade
from tests.messages import balances, positions
from tests.messages.envelope import ACCOUNT, OTHER_ACCOUNT, stamped
from tests.messages.orders import filled, place

NAMES = ["register", "log in", "deposit", "buy", "sell", "portfolio", "withdraw"]
LIMIT = 60  # s
BUY = place("buy", quantity=1_000_000)
FILLED = stamped(filled(BUY, 1_000_000, cost=60_000, fee=60))
EVENTS = (
    balances.deposited(balances.deposit(100_000), available=100_000),
    balances.reserved(BUY, 61_262, available=38_738, held=61_262),
    FILLED,
    balances.settled(FILLED, available=38_738, held=1_202, hold_left=1_202),
    balances.released(BUY, 1_202, available=39_940),
    positions.changed(FILLED, available=1_000_000, cost_basis=60_060),
    trade(FILLED),
    balances.withdrawn(balances.withdraw(9_940), available=30_000),
)
"""Everything that a deposit, a buy and a withdrawal lead to."""


def books(events: Any) -> Books:
    made = Books(ACCOUNT)
    for event in events:
        made.enter(event)
    return made


def test_the_books_of_a_walk_are_exact() -> None:
    made = books(EVENTS)
    assert made.are_exact
    assert (made.money, made.bought, made.fees) == (30_000, 60_000, 60)
    assert made.assets == {"BTC": 1_000_000}


@pytest.mark.parametrize("n", [0, 2, 3, 5, 6], ids=lambda n: EVENTS[n].type)
def test_an_event_lost_or_told_twice_shows(n: int) -> None:
    assert not books(EVENTS[:n] + EVENTS[n + 1 :]).are_exact
    assert not books((*EVENTS, EVENTS[n])).are_exact


def test_a_fill_under_way_elsewhere_is_no_fault() -> None:
    assert books((*EVENTS, stamp(FILLED, account_id=OTHER_ACCOUNT))).are_exact


def test_no_password_is_shown() -> None:
    for step in steps():
        secret = (step.body or {}).get("password")
        assert secret is None or secret not in str(step.shown_body)


async def followed(log: MemoryLog) -> Traces:
    reader = await Life(log).reader({(BALANCE_COMMANDS.name, 0): 0})
    return Traces(reader, patience_s=1)


async def test_a_request_is_found_by_what_its_messages_carry() -> None:
    log = MemoryLog([TopicSpec(BALANCE_COMMANDS.name)])
    for n in (1, 2, 3):
        raw = BALANCE_COMMANDS.encode(balances.deposit(n, n=n))
        log.put((BALANCE_COMMANDS.name, 0), [Draft(ACCOUNT.encode(), raw)])
    found = await (await followed(log)).of("request-2", {"deposit"})
    assert [(trace.offset, trace.type) for trace in found] == [(1, "deposit")]


async def test_what_never_comes_is_missed() -> None:
    traces = await followed(MemoryLog([TopicSpec(BALANCE_COMMANDS.name)]))
    with pytest.raises(Missing, match="funds_deposited"):
        await traces.of("request-1", {"funds_deposited"})


class Interrupting(StringIO):
    """A terminal at which somebody presses Ctrl-C as soon as the first step is shown."""

    def write(self, text: str) -> int:
        if "register" in text:
            raise KeyboardInterrupt
        return super().write(text)


@pytest.mark.stack
def test_each_step_is_answered_and_lies_where_it_is_said_to(stack: RunFolder) -> None:
    process = orderstream("demo", "--json", "--run-dir", str(stack.path))
    said, shown = process.communicate(timeout=LIMIT)
    assert process.returncode == 0, shown
    walked = json.loads(said)
    assert [step["step"] for step in walked["steps"]] == NAMES
    assert all(name in shown for name in [*NAMES, "exact", stack.endpoints()["gateway"]])
    assert walked["books"]["exact"]
    assert not walked["started"]
    asyncio.run(are_there(walked["steps"], stack.endpoints()["kafka"]))
    assert stack.is_up


async def are_there(walked: list[dict[str, Any]], kafka: str) -> None:
    log = KafkaLog(kafka)
    try:
        for step in walked:
            assert (step["step"] == "portfolio") == (not step["records"])
            for record in step["records"]:
                place = (record["topic"], record["partition"])
                at = between(log, {place: Bounds(record["offset"], record["offset"] + 1)})
                [raw] = [each.value or b"" async for each in at]
                assert topic(record["topic"]).decode(raw).type == record["type"]
    finally:
        await log.stop()


@pytest.mark.stack
async def test_a_step_that_fails_is_named(stack: RunFolder) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    endpoints = {**stack.endpoints(), "gateway": f"http://127.0.0.1:{port}"}
    with pytest.raises(Failed, match=r"register failed: .*refused"):
        await walk(endpoints, Screen(Console(file=StringIO())))


@pytest.mark.stack
def test_ctrl_c_leaves_a_running_stack_up(stack: RunFolder) -> None:
    with pytest.raises(KeyboardInterrupt):
        demo(stack, Console(file=Interrupting()))
    assert stack.status().is_ready


@pytest.mark.stack
def test_ctrl_c_takes_down_what_the_demo_started(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    try:
        with pytest.raises(KeyboardInterrupt):
            demo(folder, Console(file=Interrupting()), any_ports=True)
        assert not [*leftovers.marked(folder)]
    finally:
        down(folder)


@pytest.mark.stack
def test_ctrl_c_while_the_stack_starts_leaves_nothing(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    process = orderstream("demo", "--any-ports", "--run-dir", str(folder.path))
    try:
        assert process.stdout
        for line in process.stdout:
            if "running" in line:  # the first server of many
                break
        process.send_signal(signal.SIGINT)
        assert process.wait(LIMIT) == 130
        assert not [*leftovers.marked(folder)]
    finally:
        process.kill()
        down(folder)


def orderstream(*words: str) -> subprocess.Popen[str]:
    """Returns the command, started."""
    return subprocess.Popen(
        [sys.executable, "-m", "ops.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
