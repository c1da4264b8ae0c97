"""The report for people: one line an invariant, then what was violated."""

from rich.console import Console
from rich.table import Table
from rich.text import Text

from .report import Line, Report


def show(console: Console, report: Report) -> None:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("", no_wrap=True)
    table.add_column("invariant")
    table.add_column("checked", justify="right", no_wrap=True)
    table.add_column("violations", justify="right", no_wrap=True)
    for line in report.lines:
        table.add_row(*cells(line), style=style(line))
    console.print(table)
    for violation in report.violations:
        console.print(Text(f"{violation.invariant:4} {violation.what}", style="red"))
    state = "at rest" if report.at_rest else "at work: only what holds at any time was asked"
    rate = report.events / max(report.cpu_seconds, 0.001)
    console.print(
        f"{report.events:,} records in {report.seconds:.1f} s, {rate:,.0f} a second of one core;"
        f" read by {' and '.join(report.readers)}; the services were {state}",
        soft_wrap=True,
    )


def cells(line: Line) -> tuple[str, ...]:
    if line.skipped is not None:
        return line.code, line.says, f"not asked: {line.skipped}", ""
    return line.code, line.says, f"{line.checked:,}", f"{line.violated:,}"


def style(line: Line) -> str:
    if line.skipped is not None:
        return "dim"
    return "red" if line.violated or not line.checked else ""
