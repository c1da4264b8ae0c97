"""The workflows run what a developer runs, in the order in which a change is judged, and nothing else."""

import re
import stat
from pathlib import Path

import pytest

from tests.ci.workflows import (
    CI,
    ROOT,
    SCRIPTS,
    WORKFLOWS,
    Run,
    Use,
    foreign,
    jobs,
    runs,
    uses,
)

CHAIN = ["check", "test", "faults", "image", "chart"]
RUNS = [run for workflow in WORKFLOWS for run in runs(workflow)]
USED = sorted({use for workflow in WORKFLOWS for use in uses(workflow)})
LONGEST = 360  # minutes: GitHub ends a job then


def named(path: Path) -> str:
    return path.name


def test_a_change_passes_each_job_after_the_one_before() -> None:
    found = jobs(CI)
    assert list(found) == CHAIN
    assert [found[name].get("needs") for name in CHAIN] == [None, *CHAIN[:-1]]


@pytest.mark.parametrize("run", RUNS, ids=str)
def test_a_job_runs_what_a_developer_runs(run: Run) -> None:
    assert not foreign(run.script)


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("make", ["no target"]),
        ("make chek", ["chek"]),
        ("make check && rm -rf .venv", ["&&", "rm", "-rf", ".venv"]),
        ("make check\nmake oops", ["make", "oops"]),
        ("pip install orderstream", ["pip install orderstream"]),
        (".ci/run\ncurl example.org", [".ci/run\ncurl example.org"]),
    ],
)
def test_any_other_command_is_seen(script: str, said: list[str]) -> None:
    assert foreign(script) == said


def test_a_script_that_a_job_runs_can_be_run() -> None:
    for script in {run.script.split()[0] for run in RUNS} & set(SCRIPTS):
        assert (ROOT / script).stat().st_mode & stat.S_IXUSR, script


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=named)
def test_no_job_hangs_for_ever(workflow: Path) -> None:
    for name, job in jobs(workflow).items():
        assert 0 < job["timeout-minutes"] < LONGEST, name


@pytest.mark.parametrize("use", USED, ids=lambda use: use.action)
def test_an_action_is_named_by_its_commit_and_its_version(use: Use) -> None:
    assert re.fullmatch(r"[0-9a-f]{40}", use.ref)
    assert re.fullmatch(r"v\d+\.\d+\.\d+", use.version)


def test_an_action_has_one_version_everywhere() -> None:
    assert len({use.action for use in USED}) == len(USED)
