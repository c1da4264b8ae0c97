"""The table of faults: each test of a fault gives its row, the end of a test run shows all that were given."""

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from statistics import median

import pytest

RUNS = int(os.environ.get("FAULT_RUNS", "1"))
"""How often a fault is tried where one run is dear."""
HEADER = "| row | fault | runs | violations | back again: median | max |"
FIRST = "| "


def row(
    number: int, fault: str, runs: int, violations: int, recoveries: Sequence[float] = ()
) -> None:
    """Prints a row, and appends it to the file named by FAULT_TABLE.

    recoveries: s from each injection, or from its end, to the first output of what was hit.
    """
    times = (median(recoveries), max(recoveries)) if recoveries else ()
    cells = (f"{number}", fault, f"{runs}", f"{violations}", *(f"{s:.2f} s" for s in times))
    line = FIRST + " | ".join((*cells, *("-",) * (6 - len(cells)))) + " |"
    print(line)
    if path := os.environ.get("FAULT_TABLE"):
        with Path(path).open("a") as table:
            table.write(line + "\n")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Shows the rows that the tests of this run printed, in the order of their numbers."""
    reports = [report for reports in terminalreporter.stats.values() for report in reports]
    if lines := sorted(set(printed(reports)), key=lambda line: int(line.split()[1])):
        terminalreporter.section("faults")
        terminalreporter.write_line("\n".join((HEADER, *lines)))


def printed(reports: Iterable[object]) -> Iterable[str]:
    """Yields the rows in what the tests printed."""
    for report in reports:
        if isinstance(report, pytest.TestReport) and report.when == "call":
            for line in report.capstdout.splitlines():
                cells = line.split(" | ")
                if line.startswith(FIRST) and len(cells) == 6 and cells[0][2:].isdigit():
                    yield line
