"""What the workflows say: their jobs, the commands that they run, the actions that they use."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

ROOT = Path(__file__).parents[2]
GITHUB = ROOT / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))
CI = GITHUB / "workflows" / "ci.yml"
USES = re.compile(r"uses: ([\w./-]+)@(\S+)(?: # (\S+))?$", re.MULTILINE)
SCRIPTS = (".ci/run",)
"""What a job may run beside targets of the Makefile."""


class Run(NamedTuple):
    """A `run:` of a step."""

    workflow: str
    job: str
    script: str

    def __str__(self) -> str:
        return f"{self.workflow}: {self.job}: {self.script}"


class Use(NamedTuple):
    """A `uses:` of a step. version: what its comment says, empty if it has none."""

    action: str
    ref: str
    version: str


def jobs(workflow: Path) -> dict[str, dict[str, Any]]:
    """Returns the workflow's jobs by name, in order."""
    found: dict[str, dict[str, Any]] = yaml.safe_load(workflow.read_text())["jobs"]
    return found


def runs(workflow: Path) -> Iterator[Run]:
    """Yields every command of the workflow."""
    for name, job in jobs(workflow).items():
        scripts = [step["run"] for step in job["steps"] if "run" in step]
        yield from (Run(workflow.name, name, script.strip()) for script in scripts)


def uses(workflow: Path) -> list[Use]:
    """Returns every action that the workflow uses."""
    return [Use(*found) for found in USES.findall(workflow.read_text())]


def targets() -> set[str]:
    """Returns the targets of the Makefile."""
    return set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def foreign(script: str) -> list[str]:
    """Returns what the command does that no developer does by `make` or a script of the repository."""
    first, *rest = script.split()
    if first == "make":
        return [word for word in rest if word not in targets()] if rest else ["no target"]
    return [] if script.split("\n") == [script] and first in SCRIPTS else [script]
