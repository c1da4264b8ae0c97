"""What a request has this program do: each line of ours that it runs, in its order, the stores' twins too."""

import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import FrameType
from typing import Any

ROOT = Path(__file__).parents[2]
OURS = tuple(f"{ROOT / package}/" for package in ("events", "gateway", "infra"))
Work = list[tuple[str, int]]
"""File and line."""
work_of: ContextVar[Work | None] = ContextVar("work_of", default=None)


async def done(ask: Callable[[], Awaitable[Any]]) -> Work:
    """Returns what it does, not what goes on beside it."""
    work: Work = []
    token = work_of.set(work)
    try:
        with traced():
            await ask()
    finally:
        work_of.reset(token)
    return work


@contextmanager
def traced() -> Iterator[None]:
    before = sys.gettrace()
    sys.settrace(trace)
    try:
        yield
    finally:
        sys.settrace(before)


def trace(frame: FrameType, event: str, _: object) -> Any:
    """Follows the frames of our own code, each line, and no others."""
    if not frame.f_code.co_filename.startswith(OURS):
        return None
    work = work_of.get()
    if work is not None and event == "line":
        work.append((frame.f_code.co_filename, frame.f_lineno))
    return trace
