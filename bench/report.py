"""What the benches print: one table, each figure beside its yardstick of the same run."""

import json
import os
import platform
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from rich.console import Console
from rich.table import Table

MICROSECONDS = 1_000_000


class Figure(NamedTuple):
    """beside: the name of the yardstick, and what the same comes to there."""

    what: str
    value: float
    unit: str
    beside: str = ""
    yardstick: float | None = None

    @property
    def ratio(self) -> float | None:
        return self.value / self.yardstick if self.yardstick else None


def machine() -> dict[str, object]:
    """Returns where and when the figures were taken, and how busy the machine is now."""
    return {
        "date": datetime.now(UTC).isoformat(timespec="minutes"),
        "cores": os.cpu_count(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def as_json(figures: Sequence[Figure]) -> str:
    lines = [figure._asdict() | {"ratio": figure.ratio} for figure in figures]
    return json.dumps({"machine": machine(), "figures": lines}, indent=1)


def show(console: Console, figures: Sequence[Figure]) -> None:
    """Prints the table."""
    table = Table("what", "measured", "", "beside", "ratio", box=None)
    for column in (1, 4):
        table.columns[column].justify = "right"
    for figure in figures:
        beside = ""
        if figure.yardstick is not None:
            beside = f"{figure.beside} {number(figure.yardstick)}"
        ratio = "" if figure.ratio is None else number(figure.ratio)
        table.add_row(figure.what, number(figure.value), figure.unit, beside, ratio)
    console.print(table)
    console.print(", ".join(f"{name} {value}" for name, value in machine().items()))


def number(value: float) -> str:
    """Returns the number with three digits that say something."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"
