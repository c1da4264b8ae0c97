"""What oasdiff says two documents of the API differ in. `python -m tests.api.oasdiff OLD NEW` prints it."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from tests.tools import go

MODULE = Path(__file__).parents[2] / "requirements" / "go" / "api"
NOTED, WARNED = 1, 2
QUOTED = re.compile(r"`([^`]*)`")
OPEN = {"code"}
"""Enumerations that may grow: docs/api.md tells clients what a word of theirs means that they do not know."""


class Change(NamedTuple):
    """Level: 1 for what old clients can ignore, 2 for what may break one, 3 for what does.

    The operation is method and path, empty for what belongs to none.
    """

    level: int
    id: str
    operation: str
    text: str

    @property
    def quoted(self) -> list[str]:
        """Returns what the text names, in its order."""
        return QUOTED.findall(self.text)

    @property
    def breaking(self) -> bool:
        return self.level >= WARNED and not self.grown

    @property
    def grown(self) -> bool:
        """Returns whether it is a new value of an open enumeration."""
        grows = self.id == "response-property-enum-value-added"
        return grows and self.quoted[1].rpartition("/")[2] in OPEN


def changes(old: Path, new: Path) -> list[Change]:
    """Returns what differs, sorted. Raises: CalledProcessError if one of them can't be read."""
    options = ("--format=json", "--case-insensitive-headers=false", "--allow-external-refs=false")
    command = (go(MODULE, "oasdiff"), "changelog", *options, old, new)
    ran = subprocess.run(command, cwd=MODULE, check=True, capture_output=True, text=True)
    return sorted(
        Change(
            level=said["level"],
            id=said["id"],
            operation=f"{said.get('operation', '')} {said.get('path', '')}".strip(),
            text=said["text"],
        )
        for said in json.loads(ran.stdout)
    )


if __name__ == "__main__":
    for change in changes(*(Path(given).resolve() for given in sys.argv[1:3])):
        print("breaks" if change.breaking else "      ", change.operation, change.text, change.id)
