"""The race: our shell does its job, killed or not, and whoever does it wrong is found out."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.peers.contestants import shell
from bench.peers.job import Books, Credited, credit, decide
from bench.peers.race import drains, hops
from events.codec import stamp
from events.decider import Context
from events.market import Market

CONTEXT = Context(now=1, market=Market())


def answers(count: int) -> list[Credited]:
    """Returns the events of the first so many commands, which are of an account each."""
    commands = [credit(n) for n in range(count)]
    return [
        stamp(event, sequence=1, command_id=command.id)
        for command in commands
        for event in decide({}, command, CONTEXT)
    ]


def test_the_books_take_what_the_job_answers() -> None:
    books = Books()
    for n, event in enumerate(answers(3)):
        books.enter(n, event)
    assert books.answered == 3


@pytest.mark.parametrize(
    "wrong", [{"sequence": 2}, {"balance": 5}, {"amount": 5}, {"account_id": credit(1).account_id}]
)
def test_the_books_find_a_wrong_event(wrong: dict[str, object]) -> None:
    (event,) = answers(1)
    with pytest.raises(AssertionError):
        Books().enter(0, stamp(event, **wrong))


def test_the_books_find_a_command_that_is_answered_twice() -> None:
    books, (event,) = Books(), answers(1)
    books.enter(0, event)
    with pytest.raises(AssertionError):
        books.enter(0, stamp(event, sequence=2))


@pytest.mark.stack
def test_the_shell_does_the_job_exactly_once_killed_or_not() -> None:
    figures = drains([shell()], rounds=1, count=150_000)  # enough to be caught in the middle
    assert "killed once, restart → further events" in {figure.what for figure in figures}
    assert all(figure.value > 0 for figure in figures)


@pytest.mark.stack
def test_the_shells_hop_is_measured() -> None:
    assert [figure.unit for figure in hops([shell()], seconds=1)] == ["ms", "ms"]


def test_without_a_jdk_one_line_says_that_nothing_ran(tmp_path: Path) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "bench.peers"],
        env=os.environ | {"PATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout == (
        "the race did not run: Kafka Streams needs a JDK and Maven, no javac is here\n"
    )
