"""What zizmor and shellcheck say: nothing of workflows and scripts as they are, enough of those with a fault."""

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.ci.workflows import GITHUB, ROOT, WORKFLOWS, runs

BIN = Path(sys.executable).parent
STRICT = ("--persona=auditor", "--strict-collection", "--collect=all", "--no-config")
FOLDERS = (".ci", ".github", "containers", "helm", "requirements")
SHELL = re.compile(rb"#!.*\b(bash|sh)\b")
RUNS = sorted({run.script for workflow in WORKFLOWS for run in runs(workflow)})

CHECKOUT = r"actions/checkout@\w+ # \S+"
ISSUE = "echo ${{ github.event.issue.title }}"
PLANTED = [
    ("workflows/ci.yml", CHECKOUT, "actions/checkout@v7", "unpinned-uses"),
    ("workflows/ci.yml", CHECKOUT, "example/unheard-of@main", "unpinned-uses"),
    ("workflows/ci.yml", "make check", ISSUE, "template-injection"),
    ("workflows/ci.yml", "permissions: {}", "permissions: write-all", "excessive-permissions"),
    ("workflows/ci.yml", "read # to check out", "write", "undocumented-permissions"),
    ("workflows/ci.yml", "persist-credentials: false", "fetch-depth: 0", "artipacked"),
    ("workflows/ci.yml", "pull_request:", "pull_request_target:", "dangerous-triggers"),
    ("workflows/nightly.yml", r"concurrency:\n.*\n.*\n", "", "concurrency-limits"),
    ("dependabot.yml", "default-days: 7", "default-days: 1", "dependabot-cooldown"),
]
"""In which file what is replaced by what, and the kind of fault that it then has."""


def said(tool: str, *options: str | Path, given: str = "") -> list[dict[str, Any]]:
    """Returns the findings of a tool that tells them as JSON."""
    command = [BIN / tool, "--format=json", *options]
    ran = subprocess.run(command, input=given, capture_output=True, text=True, check=False)
    found: list[dict[str, Any]] = json.loads(ran.stdout)
    return found


def zizmor(folder: Path) -> set[str]:
    """Returns the kinds of what zizmor, at its strictest, finds in the folder's workflows and dependabot.yml."""
    return {found["ident"] for found in said("zizmor", "--offline", "--quiet", *STRICT, folder)}


def shellcheck(script: str, shell: str) -> set[str]:
    """Returns the codes of what shellcheck finds in the script."""
    found = said("shellcheck", f"--shell={shell}", "-", given=script)
    return {f"SC{each['code']}" for each in found}


def scripts() -> Iterator[tuple[str, str]]:
    """Yields the path of each script of a shell, and which shell."""
    for path in sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*")):
        if path.is_file() and (first := SHELL.match(path.read_bytes())):
            yield path.relative_to(ROOT).as_posix(), first[1].decode()


def test_zizmor_finds_nothing() -> None:
    assert not zizmor(GITHUB)


@pytest.mark.parametrize(("file", "old", "new", "kind"), PLANTED)
def test_zizmor_finds_what_is_wrong(
    file: str, old: str, new: str, kind: str, tmp_path: Path
) -> None:
    shutil.copytree(GITHUB, tmp_path / ".github")
    planted = tmp_path / ".github" / file
    text, count = re.subn(old, new, planted.read_text(), count=1)
    assert count == 1
    planted.write_text(text)
    assert kind in zizmor(tmp_path)


@pytest.mark.parametrize("script", RUNS)
def test_shellcheck_finds_nothing_in_a_job(script: str) -> None:
    assert not shellcheck(script, "bash")


def test_scripts_are_found() -> None:
    assert {(".ci/run", "bash"), ("requirements/check", "sh")} <= set(scripts())


@pytest.mark.parametrize(("path", "shell"), list(scripts()))
def test_shellcheck_finds_nothing_in_a_script(path: str, shell: str) -> None:
    assert not shellcheck((ROOT / path).read_text(), shell)


@pytest.mark.parametrize(
    ("script", "code"), [("make $TARGET", "SC2086"), ("if [ $(make check) ]; then", "SC1073")]
)
def test_shellcheck_finds_what_is_wrong(script: str, code: str) -> None:
    assert code in shellcheck(script, "bash")
