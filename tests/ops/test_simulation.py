"""`orderstream simulate` as a command: what it says and how it ends."""

import pytest
from typer.testing import CliRunner

from ops.cli import app
from ops.simulation import keep, replay_of
from tests.simulation.campaign import REGRESSIONS, Found
from tests.simulation.exhaustive import singles
from tests.simulation.run import Failure

FAILURE = Failure("I1 at the end", "a cent too many", ())


def simulate(*words: str) -> str:
    """Returns what the command prints; it must end well."""
    ran = CliRunner().invoke(app, ["simulate", *words])
    assert ran.exit_code == 0, ran.output
    return ran.stdout


@pytest.mark.slow
def test_seeds_are_run_by_several_processes_and_counted() -> None:
    assert "2 runs, 0 violations" in simulate("--seeds", "2", "--jobs", "1", "--shrink")


def test_one_seed_says_what_it_was_like() -> None:
    said = simulate("--seed", "3")
    assert "sent, lives {" in said
    assert "trace " in said


def test_a_file_is_run_as_the_seed_it_came_from() -> None:
    file = min(REGRESSIONS.glob("*.json"))
    assert "sent, lives {" in simulate("--case", str(file))


def test_seeds_that_run_the_same_twice_are_told_so() -> None:
    assert simulate("--from", "3", "--seeds", "1", "--twice") == "1 seeds, the same twice\n"


def test_a_failure_is_told_with_how_to_see_it_again() -> None:
    assert replay_of(Found(7, FAILURE)).endswith("orderstream simulate --seed 7")
    crashed = next(case for case in singles() if case.crashes)
    assert replay_of(Found(crashed.as_json(), FAILURE)).startswith("crashes: [(")


def test_where_nothing_fails_nothing_is_kept(capsys: pytest.CaptureFixture[str]) -> None:
    keep([])
    assert capsys.readouterr().out == ""
