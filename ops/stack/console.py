"""What the commands show: a bar while something is fetched, a line as each process gets ready."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from time import monotonic

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn
from rich.table import Table

from ops.stack.folder import Status

COLOURS = {"running": "green", "starting": "yellow", "restarting": "red", "stopped": "red"}


class Starting:
    """Shows how a stack comes up."""

    def __init__(self, console: Console, bars: Progress) -> None:
        self._console = console
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}
        self._states: dict[str, str] = {}
        self._began = monotonic()
        self._reload: str | None = None

    def progress(self, name: str, done: int, total: int) -> None:
        """Shows how many of the files are here."""
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(f"fetching {name}", total=total)
        self._bars.update(self._tasks[name], completed=done)

    def seen(self, status: Status) -> None:
        """Shows what came of a change of the source, and each process that changed since the last look."""
        if status.reload and status.reload != self._reload:
            self._console.print(
                f"{self.after()}  {status.reload}", highlight=False, markup=False, soft_wrap=True
            )
            self._reload = status.reload
        for process in status.processes:
            if self._states.get(process.name, "starting") != process.state:
                colour = COLOURS[process.state]
                self._console.print(f"{self.after()}  {process.name:18} [{colour}]{process.state}")
            self._states[process.name] = process.state

    def after(self) -> str:
        """Returns for how long it has been shown."""
        return f"{monotonic() - self._began:5.1f} s"


@contextmanager
def starting(console: Console) -> Iterator[Starting]:
    """Yields what shows a start for as long as the block runs."""
    columns = (TextColumn("{task.description:20}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=console, transient=True) as bars:
        yield Starting(console, bars)


def show_endpoints(console: Console, endpoints: Mapping[str, str]) -> None:
    for name, address in endpoints.items():
        console.print(f"{name:10} {address}", highlight=False)


def show_status(console: Console, status: Status) -> None:
    """Shows every process and where the stack listens."""
    table = Table("process", "pid", "state", "restarts", box=None, pad_edge=False)
    for process in status.processes:
        state = f"[{COLOURS[process.state]}]{process.state}"
        table.add_row(process.name, str(process.pid or "-"), state, str(process.restarts))
    console.print(table)
    console.print(status.reload or "", highlight=False, markup=False, soft_wrap=True)
    show_endpoints(console, status.endpoints)
