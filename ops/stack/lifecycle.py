"""Up, down, reset: what the commands do, callable from tests and benches too."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Collection, Sequence
from time import monotonic, sleep

from ops.stack import artefacts, dynamodb, leftovers
from ops.stack.artefacts import Progress
from ops.stack.endpoints import MARK, given
from ops.stack.folder import RunFolder, Status
from ops.stack.log_file import last_lines, readable
from ops.stack.processes import planned

UP_LIMIT, DOWN_LIMIT = 120.0, 90.0  # s; the first stop of Kafka records its classes
LIVES = 5  # a process that has died so often without being ready does not come up
PAUSE = 0.03  # s between two looks at the status
STAY_PAUSE = 0.1  # s
LAST_LINES = 30

Seen = Callable[[Status], None]


class NotUp(Exception):
    """The stack did not come up; the message says which process, with its last log lines."""


def nothing_fetched(_: str, __: int, ___: int) -> None:
    """Shows no progress."""


def unseen(_: Status) -> None:
    """Shows no status."""


def up(
    folder: RunFolder,
    *,
    only: Collection[str] = (),
    any_ports: bool = False,
    owner: int | None = None,
    reload: bool = False,
    progress: Progress = nothing_fetched,
    seen: Seen = unseen,
) -> Status:
    """Returns the status of the stack once every process is ready; starts it if it is not up.

    only: these and what they need, else all. any_ports: leave the well-known ones to others.
    owner: the stack ends with that process. reload: a change of the source restarts what loads it.
    Raises: NotUp (nothing is left running), Unavailable.
    """
    with folder.changing():
        if folder.is_up and reload:
            raise NotUp(
                f"the stack in {folder.path} is up without watching the source: stop it first"
            )
        if folder.is_up:
            return joined(folder, only, seen)
        plan = [row.name for row in planned(only, given(os.environ))]
        install(plan, progress)
        leftovers.sweep(folder)
        options = ["--any-ports"] if any_ports else []
        options += ["--owner", str(owner)] if owner else []
        options += ["--reload"] if reload else []
        supervisor = launch(folder, plan, options)
        try:
            return wait_until_ready(folder, supervisor, seen)
        except BaseException:  # Ctrl-C too leaves nothing behind
            stop(folder)
            raise


def joined(folder: RunFolder, only: Collection[str], seen: Seen) -> Status:
    """Returns the status of a stack that is up already. Raises: NotUp if it runs other processes."""
    status = wait_until_ready(folder, None, seen)
    running = {process.name for process in status.processes}
    missing = {row.name for row in planned(only, given(os.environ)) if row.ready} - running
    if missing:
        names = ", ".join(sorted(missing))
        raise NotUp(f"the stack in {folder.path} is up without {names}: stop it first")
    return status


def install(plan: Collection[str], progress: Progress) -> None:
    """Makes what the planned servers need be there. Raises: Unavailable."""
    if "kafka" in plan:
        artefacts.ensure("kafka", progress)
    if "dynamodb" in plan:
        dynamodb.install(progress)


def stay(folder: RunFolder, seen: Seen) -> None:
    """Shows the stack until it is gone. Stops it when interrupted."""
    try:
        while (status := folder.status()).is_up:
            seen(status)
            sleep(STAY_PAUSE)
    finally:
        down(folder)


def launch(
    folder: RunFolder, plan: Sequence[str], options: Sequence[str]
) -> subprocess.Popen[bytes]:
    """Returns the supervisor, started in a session of its own: no terminal's Ctrl-C reaches it."""
    (folder.path / "status.json").unlink(missing_ok=True)
    module = [sys.executable, "-P", "-m", "ops.stack.supervisor", str(folder.path)]
    with folder.log("supervisor").open("ab") as log:
        supervisor = subprocess.Popen(  # noqa: S603
            [*module, *options, "--only", *plan],
            env={**os.environ, MARK: str(folder.path), "ORDERSTREAM_PROCESS": "supervisor"},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    (folder.path / "supervisor.pid").write_text(f"{supervisor.pid}\n")
    return supervisor


def wait_until_ready(
    folder: RunFolder, supervisor: subprocess.Popen[bytes] | None, seen: Seen
) -> Status:
    """Returns the status once all is ready. Raises: NotUp when it can't be expected any more."""
    deadline = monotonic() + UP_LIMIT
    while True:
        status = folder.status()
        seen(status)
        if status.is_up and status.is_ready:
            return status
        if supervisor is not None and supervisor.poll() is not None:
            raise NotUp(f"the supervisor ended with {supervisor.returncode}\n{tail(folder, None)}")
        late = next((process for process in status.processes if process.state != "running"), None)
        dying = [process for process in status.processes if process.restarts >= LIVES]
        failed = next((process for process in dying if process.state != "running"), None)
        if failed or monotonic() > deadline:
            name = getattr(failed or late, "name", None)
            raise NotUp(f"{name or 'the supervisor'} did not come up\n{tail(folder, name)}")
        sleep(PAUSE)


def tail(folder: RunFolder, process: str | None) -> str:
    """Returns the last lines of the process's log, of the supervisor's if it is None."""
    lines = readable(last_lines(folder.log(process or "supervisor"), LAST_LINES))
    return "\n".join(lines[-LAST_LINES:])


def down(folder: RunFolder, *, seen: Seen = unseen) -> bool:
    """Stops the stack, and what a killed supervisor left of it. Returns whether anything ran."""
    with folder.changing():
        return stop(folder, seen)


def reset(folder: RunFolder) -> None:
    """Stops the stack and wipes its data."""
    with folder.changing():
        stop(folder)
        folder.wipe()


def stop(folder: RunFolder, seen: Seen = unseen) -> bool:
    """Returns whether anything ran that runs no more."""
    supervisors = [found for found, name in leftovers.marked(folder) if name == "supervisor"]
    any_ran = bool(supervisors)
    leftovers.send(supervisors, signal.SIGTERM)
    deadline = monotonic() + DOWN_LIMIT
    while supervisors and monotonic() < deadline:
        seen(folder.status())
        supervisors = leftovers.wait(supervisors, PAUSE)
    any_ran |= leftovers.sweep(folder) > 0
    folder.forget()
    return any_ran
