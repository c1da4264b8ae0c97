"""Runs of schemathesis, each a process of its own: its hooks are the process's."""

import json
import os
import re
import secrets
import subprocess
from pathlib import Path
from typing import NamedTuple

from ops.stack.folder import RunFolder
from tests.tools import BIN

GATEWAY, DYNAMODB, CALLER, TALLY = "FUZZ_GATEWAY", "FUZZ_DYNAMODB", "FUZZ_CALLER", "FUZZ_TALLY"
"""What a run tells its hooks."""
CONFIG = Path(__file__).with_name("schemathesis.toml")
SEED = int(os.environ.get("FUZZ_SEED") or secrets.randbelow(2**32))
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES") or 3)
"""Of each operation, beside those that its schema calls for."""
SECONDS = int(os.environ.get("FUZZ_SECONDS") or 0)
"""How long a run goes on drawing examples, 0: until it has drawn those."""
LONGEST_S = SECONDS + 600
DOOR = frozenset({400, 401, 403, 405, 413, 415, 422})
FOUND = re.compile(r"^=+ FAILURES =+$.*|^=+ ERRORS =+$.*", re.MULTILINE | re.DOTALL)


class Run(NamedTuple):
    """said: all that schemathesis printed; answers: how many by operation and status."""

    caller: str
    passed: bool
    said: str
    answers: dict[str, dict[int, int]]

    def __str__(self) -> str:
        cases = sum(sum(by.values()) for by in self.answers.values())
        last = self.said.rstrip().rpartition("\n")[2].strip("= ")
        return f"{self.caller}: {len(self.answers)} operations, {cases} cases, seed {SEED}: {last}"

    @property
    def found(self) -> str:
        """Returns what is wrong, each with a curl line that repeats it."""
        failures = FOUND.search(self.said)
        return f"{self}\n{failures[0] if failures else self.said}"

    def kept_out(self) -> set[str]:
        """Returns the operations that never were more to the caller than a refusal of him or of what he sent."""
        return {each for each, by in self.answers.items() if by.keys() <= DOOR}


class Running:
    """A run that has begun. options: schemathesis' own, besides what all runs have."""

    def __init__(
        self, stack: RunFolder, caller: str, folder: Path, document: str, *options: str
    ) -> None:
        self.caller, self.said = caller, folder / f"{caller}.txt"
        self.tally = folder / f"{caller}.json"
        at = stack.endpoints()
        own = {
            "SCHEMATHESIS_HOOKS": f"{__package__}.callers",
            "PYTHONPATH": str(CONFIG.parents[2]),
            CALLER: caller,
            TALLY: str(self.tally),
            GATEWAY: at["gateway"],
            DYNAMODB: at["dynamodb"],
        }
        program = (BIN / "schemathesis", "--config-file", CONFIG)
        more = ("--no-color", f"--url={at['gateway']}", f"--seed={SEED}")
        with self.said.open("w") as said:
            self.process = subprocess.Popen(
                [*program, "run", document, *more, *options],
                stdout=said,
                stderr=said,
                cwd=folder,
                env=os.environ | own,
            )

    def end(self) -> Run:
        """Returns what came out. Raises: TimeoutExpired if it is stuck."""
        try:
            passed = self.process.wait(LONGEST_S) == 0
        finally:
            self.process.kill()
        answers: dict[str, dict[int, int]] = {}
        for asked, count in json.loads(self.tally.read_text()).items():
            operation, status = asked.split()
            answers.setdefault(operation, {})[int(status)] = count
        return Run(self.caller, passed, self.said.read_text(), answers)
