"""Commands that have nothing to work on say so, and end as scripts expect."""

import asyncio
import io
from importlib.metadata import version
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner

from infra.log.port import Bounds
from infra.raw.batches import Ends
from ops.audit.asking import hashes, lags
from ops.audit.check import Violation
from ops.audit.report import Line, Report
from ops.audit.screen import show
from ops.cli import app
from ops.stack.console import starting
from ops.where import NOT_UP
from tests.stand import free_ports

TP = ("order.events.v1", 0)
READ = ("aiokafka", "librdkafka")


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("status",), NOT_UP, "not up"),
        (("address", "kafka"), NOT_UP, "no kafka is up"),
        (("topics",), NOT_UP, "no kafka is up"),
        (("replay", "yesterday"), 1, "no view is named yesterday: live, history"),
        (("logs", "order"), 1, "order has no log"),
        (("create-admin", "root", "root@example.org"), NOT_UP, "no dynamodb is up"),
    ],
)
def test_a_command_without_a_stack_says_what_is_missing(
    words: tuple[str, ...], code: int, said: str, tmp_path: Path
) -> None:
    ran = CliRunner().invoke(app, [*words, "--run-dir", str(tmp_path)])
    assert ran.exit_code == code
    assert said in ran.output


def test_only_a_process_of_ours_is_run() -> None:
    ran = CliRunner().invoke(app, ["run", "oracle"])
    assert ran.exit_code == 1
    assert "no process is named oracle: provision, market" in ran.output


def test_a_fetch_shows_how_far_it_is() -> None:
    with starting(Console(file=io.StringIO(), force_terminal=True)) as shown:
        for done in range(3):
            shown.progress("kafka", done, 2)
        [task] = shown._bars.tasks
        assert (task.description, task.completed, task.finished) == ("fetching kafka", 2, True)


def test_what_was_violated_stands_below_the_table() -> None:
    lines = [Line("I1", "money", 3, 1, None), Line("I7", "journal", 0, 0, "no journal was given")]
    found = [Violation("I1", "a cent too many")]
    file = io.StringIO()
    report = Report(lines, found, {TP: Bounds(0, 3)}, {}, False, 3, 1.0, 0.5, READ)  # noqa: FBT003
    show(Console(file=file, width=120), report)
    said = file.getvalue()
    assert "I1   a cent too many" in said
    assert "not asked: no journal was given" in said
    assert "read by aiokafka and librdkafka" in said
    assert "at work: only what holds at any time was asked" in said


def test_a_process_that_is_gone_has_no_rows() -> None:
    [port] = free_ports(1)
    assert asyncio.run(hashes(port)) == {}


def test_a_view_lags_until_it_stands_at_the_end() -> None:
    ends = {TP: Ends(0, 10, 10)}
    place = ("0", TP[0])
    assert lags({place: 9}, ends)
    assert not lags({place: 9}, ends, slack=1)
    assert not lags({place: 10}, ends)
    assert not lags({}, ends)


def test_the_version_is_told() -> None:
    ran = CliRunner().invoke(app, ["--version"])
    assert (ran.exit_code, ran.output) == (0, f"{version('orderstream')}\n")


def test_a_demo_elsewhere_starts_nothing(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    ran = CliRunner().invoke(
        app,
        ["demo", "--at", f"http://127.0.0.1:{port}", "--run-dir", str(tmp_path)],
        env={"ORDERSTREAM_KAFKA": f"127.0.0.1:{port}"},
    )
    assert ran.exit_code == 1
    assert "Kafka does not answer: ORDERSTREAM_KAFKA" in ran.output
    assert not list(tmp_path.iterdir())
