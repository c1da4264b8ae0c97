"""An event loop without a world: what runs next is the seed's choice, and time passes when nothing can run."""

import asyncio
import sys
from asyncio.events import _set_running_loop
from collections import deque
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import suppress
from contextvars import Context
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")


class Deadlock(Exception):
    """Nothing can run, and nothing waits for a moment to come."""


class SeededLoop(asyncio.BaseEventLoop):
    """Runs one coroutine and its tasks to the end. idle: lets time pass, and returns whether anybody waits for it;
    rng: picks what runs next, without one it is who was ready first.
    """

    def __init__(self, idle: Callable[[], bool], rng: Random | None = None) -> None:
        super().__init__()
        self._idle, self._rng = idle, rng
        self._ready: deque[asyncio.Handle] = deque()
        self.steps = 0

    def run(self, main: Coroutine[Any, Any, T]) -> T:
        """Returns what the coroutine does. Raises: that, or Deadlock."""
        hooks = sys.get_asyncgen_hooks()
        _set_running_loop(self)
        sys.set_asyncgen_hooks(finalizer=finish)
        try:
            return self._run(self.create_task(main)).result()
        finally:
            self._end()
            self.close()
            sys.set_asyncgen_hooks(*hooks)
            _set_running_loop(None)

    def _run(self, task: "asyncio.Task[T]") -> "asyncio.Task[T]":
        ready, rng = self._ready, self._rng
        while not task.done():
            if not ready:
                if not self._idle():
                    raise Deadlock(f"after {self.steps} steps")
                continue
            at = int(rng.random() * len(ready)) if rng and len(ready) > 1 else 0
            handle = ready[at]
            del ready[at]
            self.steps += 1
            if not handle.cancelled():
                handle._run()
        return task

    def _end(self) -> None:
        """Cancels what is left, as at the end of any loop."""
        for task in asyncio.all_tasks(self):
            task.cancel()
        while self._ready:
            self._ready.popleft()._run()

    def call_soon(  # type: ignore[override]  # typeshed spells the arguments' types
        self, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.Handle:
        handle = asyncio.Handle(callback, args, self, context)
        self._ready.append(handle)
        return handle


def finish(generator: AsyncGenerator[Any, Any]) -> None:
    """Ends what nobody reads on, whenever that is noticed: without a step of the loop, so that runs stay alike."""
    with suppress(StopIteration):
        generator.aclose().send(None)
