"""A child is started after what it needs, kept alive, ended before what it needs, killed at last."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import psutil
from hypothesis import given
from hypothesis import strategies as st

from ops.stack.child import LOG_LIMIT, Child, pause
from ops.stack.folder import RunFolder
from ops.stack.process import Process, Stack

SLEEPER = "import time; time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('deaf'); time.sleep(60)"

Seen = list[tuple[str, str]]  # a child and the state that it came into


def row(name: str, code: str, *, ends: bool = False, drain: float = 10.0) -> Process:
    async def command(_: Stack) -> Sequence[str]:
        return [sys.executable, "-uc", code]

    async def ready(stack: Stack) -> bool:
        return name != "deaf" or stack.folder.log(name).stat().st_size > 0

    return Process(name=name, command=command, ready=None if ends else ready, drain=drain)


class Family:
    """Children of one stack, each needing the one before it; what they showed."""

    def __init__(self, folder: Path, *rows: Process) -> None:
        self.changed = asyncio.Event()
        self.seen: Seen = []
        stack = Stack(folder=RunFolder(folder), ports={}, environ={})
        self.children = [Child(row, stack, self.note) for row in rows]

    def note(self) -> None:
        states = [(child.process.name, child.status.state) for child in self.children]
        self.seen += [state for state in states if state not in self.seen[-len(states) :]]
        self.changed.set()

    async def until(self, child: Child, state: str, restarts: int = 0) -> None:
        """Returns once the child is in that state, having been restarted so often."""
        while (child.status.state, child.status.restarts) != (state, restarts):
            self.changed.clear()
            await self.changed.wait()

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Keeps all children for as long as the block runs."""
        async with asyncio.timeout(30), asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(
                    child.keep(self.children[:place][-1:], self.children[place + 1 :])
                )
                for place, child in enumerate(self.children)
            ]
            yield
            for task in tasks:
                task.cancel()


async def test_a_dead_process_is_started_again_and_counted(tmp_path: Path) -> None:
    family = Family(tmp_path, row("sleeper", SLEEPER))
    (sleeper,) = family.children
    async with family.kept():
        await family.until(sleeper, "running")
        first = sleeper.status.pid
        assert first is not None
        psutil.Process(first).kill()
        await family.until(sleeper, "restarting", restarts=1)
        await family.until(sleeper, "running", restarts=1)
        assert sleeper.status.pid != first


async def test_a_process_that_cannot_be_started_says_why_in_its_log(tmp_path: Path) -> None:
    async def command(_: Stack) -> Sequence[str]:
        raise ChildProcessError("the disk is not formatted")

    family = Family(tmp_path, Process(name="broken", command=command, ready=None))
    async with family.kept():
        await family.until(family.children[0], "restarting", restarts=1)
    assert "the disk is not formatted" in RunFolder(tmp_path).log("broken").read_text()


async def test_what_ends_is_run_once_and_then_its_dependents_start(tmp_path: Path) -> None:
    once, after = row("once", "print('done')", ends=True), row("after", SLEEPER)
    family = Family(tmp_path, once, after)
    async with family.kept():
        await family.until(family.children[1], "running")
        assert family.children[0].is_done
        assert RunFolder(tmp_path).log("once").read_text() == "done\n"


async def test_dependents_start_later_and_end_earlier(tmp_path: Path) -> None:
    family = Family(tmp_path, row("server", SLEEPER), row("client", SLEEPER))
    async with family.kept():
        await family.until(family.children[1], "running")
    order = [who for who, state in family.seen if state in {"running", "stopped"}]
    assert order == ["server", "client", "client", "server"]


async def test_one_that_does_not_drain_is_killed(tmp_path: Path) -> None:
    family = Family(tmp_path, row("deaf", STUBBORN, drain=0.2))
    (deaf,) = family.children
    async with family.kept():
        await family.until(deaf, "running")
        pid = deaf.status.pid
    assert pid is not None
    assert not psutil.pid_exists(pid)


@given(st.integers(min_value=1))
def test_the_pause_before_a_next_life_has_bounds(deaths: int) -> None:
    assert 0.1 <= pause(deaths) <= 5
    assert deaths < 6 or pause(deaths) >= 2.5


def test_a_log_that_has_grown_too_long_is_set_aside(tmp_path: Path) -> None:
    (writer,) = Family(tmp_path, row("writer", "")).children
    file = writer.log_file()
    file.touch()
    os.truncate(file, LOG_LIMIT)  # a hole, not bytes
    assert (writer.log_file(), file.exists()) == (file, True)
    os.truncate(file, LOG_LIMIT + 1)
    assert (writer.log_file(), file.exists()) == (file, False)
    assert file.with_suffix(".log.1").stat().st_size == LOG_LIMIT + 1
