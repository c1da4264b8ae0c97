"""Contestants run apart: each in a fresh process, with the event loop and the collector of the product's own."""

import logging
import signal
import sys
from collections.abc import Callable, Coroutine
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import active_children, get_context
from typing import Any, ParamSpec, TypeVar

import structlog
import uvloop

from infra.process.run import calm_collector

P = ParamSpec("P")
T = TypeVar("T")


def apart(work: Callable[P, Coroutine[Any, Any, T]], *arguments: P.args, **options: P.kwargs) -> T:
    """Returns what the work does, done in a process of its own. Raises: what it raises."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(run, work, arguments, options).result()


def end_on_sigterm() -> None:
    """Has SIGTERM end the contestants and stop what was started, as Ctrl-C does."""

    def end(number: int, _: object) -> None:
        for contestant in active_children():
            contestant.terminate()
        sys.exit(128 + number)

    signal.signal(signal.SIGTERM, end)


def run(
    work: Callable[..., Coroutine[Any, Any, T]], arguments: tuple[Any, ...], options: dict[str, Any]
) -> T:
    calm_collector()
    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    return uvloop.run(work(*arguments, **options))
