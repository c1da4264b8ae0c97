"""`orderstream up --reload` on real servers, from a copy of the source that the test changes."""

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from pathlib import Path

import pytest

from ops.stack.folder import RunFolder
from ops.stack.imports import PACKAGES
from ops.stack.lifecycle import down, up
from ops.stack.processes import PROJECTORS, SERVICES
from ops.stack.reload import SOURCE
from tests.ops.test_stack import LIMIT, orderstream, pids, until

pytestmark = pytest.mark.stack
SERVERS = ("kafka", "dynamodb", "redis")
EDGE = (*PROJECTORS, "gateway")


class Developed:
    """A stack that is kept up by a command in the foreground, and the source that it runs."""

    def __init__(self, root: Path) -> None:
        self.source, self.folder = root / "source", RunFolder(root / "run")
        for package in PACKAGES:
            shutil.copytree(SOURCE / package, self.source / package)
        self.environ = {**os.environ, "PYTHONPATH": str(self.source)}
        self.output = (root / "output").open("w+")
        self.command = self.start("up", "--reload", "--any-ports")
        self.pids: dict[str, int] = {}
        self.ended: Counter[str] = Counter()

    def start(self, name: str, *options: str) -> subprocess.Popen[str]:
        """Returns a command that was started."""
        command = [sys.executable, "-P", "-m", "ops.cli", name, "--run-dir", str(self.folder.path)]
        return subprocess.Popen(
            [*command, *options],
            env=self.environ,
            stdout=self.output,
            stderr=self.output,
            text=True,
        )

    def is_ready(self) -> bool:
        """Returns whether all is up. Raises: AssertionError if it can't be any more."""
        self.output.seek(0)
        assert self.command.poll() is None, self.output.read()
        return self.folder.status().is_up and self.folder.status().is_ready

    def said(self, what: str) -> bool:
        return (self.folder.status().reload or "").endswith(what)

    def replaced(self, names: Collection[str]) -> None:
        """Returns once those have new lives and all is ready. Raises: AssertionError if others have, too."""
        before = self.pids

        def are_back() -> bool:
            now = pids(self.folder)
            anew = all(now.get(name) not in (None, before[name]) for name in names)
            return anew and self.is_ready()

        until(are_back)
        now = pids(self.folder)
        assert {name for name in before if now[name] != before[name]} == set(names)
        assert not [process for process in self.folder.status().processes if process.restarts]
        self.pids = now
        self.ended.update(names)

    def drained(self, *names: str) -> list[list[str]]:
        """Returns when each process ended, drained, life after life."""
        logs = [self.folder.log(name).read_text().splitlines() for name in names]
        lines = [[json.loads(line) for line in log if "process_drained" in line] for log in logs]
        return [[line["timestamp"] for line in log] for log in lines]

    def walk(self) -> set[str]:
        """Returns the types of the records that a customer's whole walk left in the log."""
        ran = subprocess.run(
            [
                sys.executable,
                "-P",
                "-m",
                "ops.cli",
                "demo",
                "--json",
                "--run-dir",
                str(self.folder.path),
            ],
            env=self.environ,
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        assert ran.returncode == 0, ran.stderr
        steps = json.loads(ran.stdout)["steps"]
        return {record["type"] for step in steps for record in step["records"]}


@pytest.fixture
def developed(tmp_path: Path) -> Iterator[Developed]:
    """Yields a stack that is ready."""
    made = Developed(tmp_path)
    try:
        until(made.is_ready)
        made.pids = pids(made.folder)
        yield made
    finally:
        made.command.kill()
        made.command.wait()
        down(made.folder)
        made.output.close()


def test_a_save_restarts_what_loads_it_and_trade_goes_on(developed: Developed) -> None:
    source, folder = developed.source, developed.folder
    (source / "services/order/app.py").touch()
    developed.replaced(["order"])
    (source / "services/order/domain.py").touch()
    developed.replaced(["order", "gateway"])  # whose previews are the decider's
    (source / "gateway/projections/balances.py").touch()
    developed.replaced(EDGE)
    (source / "events/money.py").touch()
    developed.replaced([*SERVICES, *EDGE])
    *projectors, gateway = [ends[-1] for ends in developed.drained(*EDGE)]
    assert gateway < min(ends[-1] for ends in developed.drained(*SERVICES))
    assert max(projectors) < min(ends[-1] for ends in developed.drained(*SERVICES))

    tape = source / "services/tape/domain.py"
    text = tape.read_text()
    tape.write_text(f"{text}\ndef broken(:\n")
    until(lambda: developed.said("invalid syntax: nothing is restarted"))
    assert pids(folder) == developed.pids
    tape.write_text(text)
    developed.replaced(["tape"])

    for name, times in developed.ended.items():
        assert len(developed.drained(name)[0]) == times, name
    assert {"order_filled", "funds_settled", "position_changed"} <= developed.walk()
    assert developed.pids == pids(folder)

    developed.command.send_signal(signal.SIGINT)
    assert developed.command.wait(LIMIT) == 130
    assert not pids(folder)


def test_a_stack_that_is_up_does_not_begin_to_watch(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "run")
    try:
        up(folder, only=["redis"], any_ports=True)
        refused = orderstream(folder, "up", "--reload")
        assert (refused.returncode, folder.is_up) == (1, True)
        assert "stop it first" in refused.stderr
    finally:
        down(folder)
