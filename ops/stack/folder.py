"""The run folder: everything that one stack keeps on disk, and the truth about where it listens."""

import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from ops.stack import flock


class ProcessStatus(NamedTuple):
    """A process of the stack. state: starting, running, restarting or stopped; pid: if it lives."""

    name: str
    pid: int | None
    state: str
    restarts: int


class Status(NamedTuple):
    """What a supervisor says of its stack: where it listens, how its processes are, what the last change came to."""

    endpoints: Mapping[str, str]
    processes: tuple[ProcessStatus, ...]
    reload: str | None = None

    @property
    def is_up(self) -> bool:
        return self is not DOWN

    @property
    def is_ready(self) -> bool:
        return all(process.state == "running" for process in self.processes)

    def as_json(self) -> dict[str, Any]:
        processes = [process._asdict() for process in self.processes]
        reload = {"reload": self.reload} if self.reload is not None else {}
        return {"endpoints": dict(self.endpoints), "processes": processes, **reload}


DOWN = Status(endpoints={}, processes=())


class RunFolder:
    """One stack's folder. A stack is up while its supervisor lives, however that ends."""

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()

    @property
    def supervisor_lock(self) -> Path:
        return self.path / "supervisor.lock"

    @property
    def is_up(self) -> bool:
        """Returns whether a supervisor holds this folder."""
        return flock.is_held(self.supervisor_lock)

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Waits until no other command changes the stack, and keeps others out inside the block."""
        self.path.mkdir(parents=True, exist_ok=True)
        with flock.holding(self.path / "command.lock"):
            yield

    def data(self, process: str) -> Path:
        """Returns the process's own folder, made if need be."""
        folder = self.path / "data" / process
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def log(self, process: str) -> Path:
        """Returns the path of the process's log, its folder made if need be."""
        folder = self.path / "logs"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{process}.log"

    def status(self) -> Status:
        """Returns what the living supervisor last said, DOWN if there is none."""
        said = self.read("status.json") if self.is_up else None
        if said is None:
            return DOWN
        processes = tuple(ProcessStatus(**process) for process in said["processes"])
        return Status(said["endpoints"], processes, said.get("reload"))

    def endpoints(self) -> Mapping[str, str]:
        """Returns where the stack listens or last listened, by gateway, kafka, dynamodb, redis."""
        return self.read("endpoints.json") or {}

    def read(self, name: str) -> dict[str, Any] | None:
        """Returns the JSON object in the file, None if there is no such file."""
        try:
            found: dict[str, Any] = json.loads((self.path / name).read_text())
        except FileNotFoundError:
            return None
        return found

    def write(self, name: str, content: Mapping[str, Any]) -> None:
        """Replaces the file in one step: no reader sees half of it."""
        arriving = self.path / f".{name}.new"
        arriving.write_text(json.dumps(content, indent=1))
        arriving.replace(self.path / name)

    def forget(self) -> None:
        """Removes what a supervisor said of its processes: it is gone."""
        for name in ("status.json", "supervisor.pid"):
            (self.path / name).unlink(missing_ok=True)

    def wipe(self) -> None:
        """Removes data, logs and state: only what a stack itself put there."""
        for name in ("data", "logs"):
            shutil.rmtree(self.path / name, ignore_errors=True)
        self.forget()
        for name in ("endpoints.json", "ports.json"):
            (self.path / name).unlink(missing_ok=True)
