"""The life of a process: set up, run, drain when asked to end, die loudly of what it can't handle."""

import asyncio
import gc
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, NoReturn, TypeVar

import structlog
import uvloop

from infra import crash
from infra.process import logs
from infra.process.settings import Settings, load

DRAIN_LIMIT = 8.0  # s
YOUNG = 50_000
"""Objects made since the last search for cycles from which on there is another one: a turn's batch makes
some 20,000, nearly all free of cycles and gone by reference count, and each search walks all that live.
"""

S = TypeVar("S", bound=Settings)
Main = Callable[[S, asyncio.Event], Awaitable[None]]

log = structlog.get_logger()


@dataclass(frozen=True)
class Program(Generic[S]):
    """What `orderstream run NAME` runs, and the settings that it is told. Called, it runs as run_process says."""

    main: Main[S]
    settings: type[S]

    def __call__(self) -> None:
        run_process(self.main, self.settings)


def run_process(main: Main[S], settings: type[S]) -> None:
    """Runs main with its settings and an event that is set when it shall end; then returns.

    Ends the process with 1 if main raises or has not ended 8 s after the event, with 78 if the
    settings are wrong: whoever started it starts it anew, and it recovers in its one way.
    """
    loaded = load(settings)
    crash.arm(loaded.crash and loaded.crash.dies())
    calm_collector()
    logs.configure(loaded.process, loaded.log_level)
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(until_drained(main, loaded))
    except BaseException:
        log.exception("process_failed")
        die()


def calm_collector() -> None:
    """Has the collector of cycles leave alone what was imported, and search the rest seldom."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG, 10, 10)


async def until_drained(main: Main[S], settings: S) -> None:
    """Runs main to its end, which may come DRAIN_LIMIT after SIGTERM or SIGINT at the latest."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    work = asyncio.ensure_future(main(settings, stop))
    asked = asyncio.ensure_future(stop.wait())
    await asyncio.wait({work, asked}, return_when=asyncio.FIRST_COMPLETED)
    asked.cancel()
    _, late = await asyncio.wait({work}, timeout=DRAIN_LIMIT)
    if late:
        log.error("process_not_drained", limit=DRAIN_LIMIT)
        die()
    try:
        work.result()
    except BaseException:  # before the loop closes: that would wait for every thread of it
        log.exception("process_failed")
        die()
    log.info("process_drained")


def die() -> NoReturn:
    """Ends the process with 1, now: nothing more of it is written or sent."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)
