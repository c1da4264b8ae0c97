"""One process of a stack, kept alive: started after what it needs, started again when it dies or is to."""

import asyncio
import os
import random
import signal
from asyncio.subprocess import DEVNULL, STDOUT
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from time import monotonic

import structlog

from ops.stack.folder import ProcessStatus
from ops.stack.process import Process, Stack

FIRST_DELAY, LONGEST_DELAY = 0.2, 5.0  # s between a death and the next life
ALIVE = 30.0  # s of life after which a death counts as the first
STARTING_PAUSE, RUNNING_PAUSE = 0.05, 1.0  # s between two looks at whether it is ready
LOG_LIMIT = 32 * 2**20  # bytes: a longer log is set aside when its process starts

log = structlog.get_logger()


class Child:
    """Keeps one process running until it is told to stop; says when its state changed."""

    def __init__(self, process: Process, stack: Stack, changed: Callable[[], None]) -> None:
        self.process = process
        self.ready = asyncio.Event()  # has been, once
        self.over = asyncio.Event()
        self._stack = stack
        self._changed = changed
        self._status = ProcessStatus(process.name, None, "starting", 0)
        self._running: asyncio.subprocess.Process | None = None
        self._ending: asyncio.Task[None] | None = None
        self._asked = asyncio.Event()  # to start again

    @property
    def status(self) -> ProcessStatus:
        return self._status

    @property
    def is_done(self) -> bool:
        """Returns whether it is a process that does one thing, and has done it."""
        return self.process.ready is None and self.ready.is_set()

    async def keep(self, needs: Iterable["Child"], dependents: Iterable["Child"]) -> None:
        """Runs the process life after life. When cancelled, ends it after all its dependents."""
        deaths = 0
        try:
            for need in needs:
                await need.ready.wait()
            while True:
                began = monotonic()
                code = await self.live()
                if self.process.ready is None and code == 0:
                    self.ready.set()
                    return
                if self._asked.is_set():
                    await self.end()
                    deaths = 0
                    continue
                deaths = 1 if monotonic() - began > ALIVE else deaths + 1
                await self.back_off(code, deaths)
        except asyncio.CancelledError:
            for dependent in dependents:
                await dependent.over.wait()
            raise
        finally:
            await self.end()
            self.show(state="stopped", pid=None)
            self.over.set()

    async def restart(self) -> None:
        """Returns once the process has ended as it would at a stop; it then starts again without a pause."""
        self._asked.set()
        await self.end()

    async def live(self) -> int:
        """Starts the process, watches it to its end and returns its exit code."""
        self.show(state="starting", pid=None)
        file = self.log_file()
        try:
            self._running = await self.spawn(file)
        except Exception as error:
            log.exception("process_not_started", child=self.process.name)
            with file.open("a") as opened:
                opened.write(f"{error}\n")
            return 1
        self._asked.clear()  # what was changed before a process began is what it runs
        self.show(pid=self._running.pid)
        return await self.watch(self._running)

    async def spawn(self, file: Path) -> asyncio.subprocess.Process:
        """Returns the process, started in a group of its own that is killed with it."""
        command = await self.process.command(self._stack)
        own = {"ORDERSTREAM_PROCESS": self.process.name, **self.process.environ(self._stack)}
        with file.open("ab") as opened:
            return await asyncio.create_subprocess_exec(
                *command,
                env={**self._stack.environ, **own},
                stdin=DEVNULL,
                stdout=opened,
                stderr=STDOUT,
                process_group=0,
            )

    def log_file(self) -> Path:
        """Returns the process's log, begun anew if it had grown too long."""
        file = self._stack.folder.log(self.process.name)
        if file.exists() and file.stat().st_size > LOG_LIMIT:
            file.replace(file.with_suffix(".log.1"))
        return file

    async def watch(self, running: asyncio.subprocess.Process) -> int:
        """Returns the exit code; until then looks, again and again, whether it is ready."""
        ended = asyncio.ensure_future(running.wait())
        while not ended.done():
            is_ready = self.process.ready is not None and await self.process.ready(self._stack)
            if is_ready:
                self.ready.set()
            if not ended.done():
                self.show(state="running" if is_ready else "starting")
            await asyncio.wait({ended}, timeout=RUNNING_PAUSE if is_ready else STARTING_PAUSE)
        self._running = None
        return ended.result()

    async def back_off(self, code: int, deaths: int) -> None:
        """Waits before the next life, after so many deaths in a row; not if it is asked to start again."""
        delay = pause(deaths)
        log.warning("process_died", child=self.process.name, code=code, restart_in=round(delay, 2))
        self.show(state="restarting", pid=None, restarts=self._status.restarts + 1)
        with suppress(TimeoutError):
            async with asyncio.timeout(delay):
                await self._asked.wait()

    async def end(self) -> None:
        """Returns once the process has ended, however many asked for it, and whoever of them was cancelled."""
        running, self._running = self._running, None
        if running is not None and running.returncode is None:
            self._ending = asyncio.create_task(self.drain(running))
        if self._ending is not None:
            await asyncio.shield(self._ending)

    async def drain(self, running: asyncio.subprocess.Process) -> None:
        """Asks the process to end, kills its whole group if it has not within its drain limit."""
        running.terminate()
        try:
            async with asyncio.timeout(self.process.drain):
                await running.wait()
            self.process.ended(self._stack)
        except TimeoutError:
            log.warning("process_killed", child=self.process.name, after=self.process.drain)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(running.pid, signal.SIGKILL)
            await running.wait()

    def show(self, **change: str | int | None) -> None:
        """Changes the status, and says so if that made a difference."""
        status = self._status._replace(**change)  # type: ignore[arg-type]
        if status != self._status:
            self._status = status
            self._changed()


def pause(deaths: int) -> float:
    """Returns for how long to wait after so many deaths in a row: longer and longer, up to 5 s.

    A random half of it keeps processes that died together from coming back together, in s.
    """
    longest = min(LONGEST_DELAY, FIRST_DELAY * (1 << min(deaths - 1, 10)))
    return longest * random.uniform(0.5, 1)
