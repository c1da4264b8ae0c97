"""The table of what works while a part is away: each test of a part checks its line, or writes it."""

import os
import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from tests.faults.routes import CLASSES, Answered

DOCUMENT = Path(__file__).parents[2] / "docs/degraded.md"
BEGIN, END = "<!-- measured -->\n", "<!-- end -->\n"
WRITING = "DEGRADED_WRITE"
"""The variable with which a run writes what it saw, in place of comparing it."""
HEAD = ("away", *CLASSES, "ready", "50 at once", "back after")
TIME = re.compile(r" ?[0-9.]+ s$")


class Line(NamedTuple):
    """answers: by class, by operation; down: what readiness names; at_once, back: the longest, s."""

    part: str
    answers: Mapping[str, Mapping[str, Answered]]
    down: Sequence[str]
    at_once: float
    back: float

    def cells(self) -> list[str]:
        told = [
            f"{said(found)} {max(answer.seconds for answer in found.values()):.2f} s"
            for found in self.answers.values()
        ]
        ready = f"503 {', '.join(self.down)}" if self.down else "ok"
        return [self.part, *told, ready, f"{self.at_once:.2f} s", f"{self.back:.1f} s"]


def said(found: Mapping[str, Answered]) -> str:
    """Returns how most of a class are answered, then each other way, with those that are."""
    ways: dict[str, list[str]] = defaultdict(list)
    for name, answer in found.items():
        ways[way(answer.status)].append(name.partition(":")[0])
    [(most, _), *others] = Counter({told: len(names) for told, names in ways.items()}).most_common()
    return "; ".join([most, *(f"{told} {', '.join(ways[told])}" for told, _ in sorted(others))])


def way(status: int) -> str:
    return "ok" if status in (200, 201, 204) else str(status)


def written() -> dict[str, list[str]]:
    """Returns the cells of the document's lines, by part."""
    _, _, rest = DOCUMENT.read_text().partition(BEGIN)
    lines = [line[2:-2].split(" | ") for line in rest.partition(END)[0].splitlines()]
    return {cells[0]: cells for cells in lines[2:]}


def timeless(cells: Sequence[str]) -> list[str]:
    return [TIME.sub("", cell) for cell in cells]


def judge(line: Line, parts: Sequence[str]) -> None:
    """Compares the line with the document's, or writes it there. parts: all, in their order."""
    cells, lines = line.cells(), written()
    print(f"| {' | '.join(cells)} |")
    if os.environ.get(WRITING):
        lines[line.part] = cells
        ordered = [lines[part] for part in parts if part in lines]
        table = (f"| {' | '.join(row)} |\n" for row in (HEAD, ("---",) * len(HEAD), *ordered))
        before, _, rest = DOCUMENT.read_text().partition(BEGIN)
        DOCUMENT.write_text(f"{before}{BEGIN}{''.join(table)}{END}{rest.partition(END)[2]}")
    else:
        assert timeless(cells) == timeless(lines[line.part])
