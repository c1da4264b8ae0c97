"""What actionlint says of the workflows: nothing as they are, enough with a fault. Our own Go builds it."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.ci.test_linted import BIN, ISSUE
from tests.ci.workflows import CI, WORKFLOWS
from tests.tools import go

pytestmark = pytest.mark.slow  # 15 s for the first build

MODULE = Path(__file__).parent / "actionlint"
PLANTED = [
    ("make check", ISSUE, "expression"),
    ("make check", "make $TARGET", "shellcheck"),
    ("make check", "make ${{ matrix.pyhton }}", "expression"),
    ("needs: check", "needs: chek", "job-needs"),
    ("timeout-minutes", "timeout-minute", "syntax-check"),
    ("permissions: {}", "permissions: write-everything", "permissions"),
    ("ubuntu-24.04", "ubuntu-20.04", "runner-label"),
]
"""What is replaced by what in ci.yml, and the kind of fault that it then has."""


def actionlint(*files: Path) -> list[str]:
    """Returns the kinds of what it finds in the files. Raises: CalledProcessError if it can't be built or run."""
    options = ("-format", "{{json .}}", "-shellcheck", f"{BIN}/shellcheck", "-pyflakes", "")
    command = [str(go(MODULE, "actionlint")), *options, *map(str, files)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if not ran.stdout:
        raise subprocess.CalledProcessError(ran.returncode, command, stderr=ran.stderr)
    return [found["kind"] for found in json.loads(ran.stdout)]


def test_it_finds_nothing() -> None:
    assert not actionlint(*WORKFLOWS)


@pytest.mark.parametrize(("old", "new", "kind"), PLANTED)
def test_it_finds_what_is_wrong(old: str, new: str, kind: str, tmp_path: Path) -> None:
    planted = tmp_path / ".github" / "workflows" / "ci.yml"
    planted.parent.mkdir(parents=True)
    text, count = re.subn(old, new, CI.read_text(), count=1)
    assert count == 1
    planted.write_text(text)
    assert kind in actionlint(planted)
