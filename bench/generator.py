"""Generators of load. The open-loop one keeps its rate whatever the answers do: a stall shows in every latency."""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Sequence
from time import perf_counter
from typing import Any


class Latencies:
    """So many seconds each."""

    def __init__(self, seconds: Iterable[float] = ()) -> None:
        self.seconds = list(seconds)

    def quantile(self, percent: int) -> float:
        """Returns the latency, ms, that so many percent did not exceed. There must be one at least."""
        ordered = sorted(self.seconds)
        return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)] * 1_000


async def at_rate(
    rate: int, numbers: Sequence[int], act: Callable[[int, float], Coroutine[Any, Any, None]]
) -> None:
    """Returns when all acts are done: one a number, begun so many a second, each told when it was due.

    The event loop's timers count ms: an act may begin 1 ms late. Raises: what an act raises.
    """
    begun = perf_counter()
    async with asyncio.TaskGroup() as acts:
        for place, n in enumerate(numbers):
            due = begun + place / rate
            await asyncio.sleep(max(0.0, due - perf_counter()))
            acts.create_task(act(n, due))


async def at_most(
    connections: int, seconds: float, act: Callable[[int], Coroutine[Any, Any, None]]
) -> tuple[int, float]:
    """Returns how many acts were done, each connection one after another, and the seconds until the last was."""
    begun, done = perf_counter(), 0

    async def keep_acting(connection: int) -> None:
        nonlocal done
        while perf_counter() - begun < seconds:
            await act(connection)
            done += 1

    async with asyncio.TaskGroup() as acts:
        for connection in range(connections):
            acts.create_task(keep_acting(connection))
    return done, perf_counter() - begun
