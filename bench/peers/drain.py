"""The race's drain: how fast each contestant takes the same backlog of commands, and what a kill costs it."""

from typing import NamedTuple

from bench.apart import apart
from bench.peers.contestants import Contestant
from bench.peers.job import Course
from bench.peers.running import FEW, lay, running
from bench.peers.verified import verified
from bench.report import MICROSECONDS
from ops.stack.folder import RunFolder


class Drained(NamedTuple):
    """whole, warm: events a second from the first to the last, and of the second half; client, broker: µs of CPU
    an event meanwhile; start: seconds from the process's start to its first events.
    """

    whole: float
    warm: float
    client: float
    broker: float
    start: float


def drained(contestant: Contestant, course: Course, folder: RunFolder, count: int) -> Drained:
    """Returns how it took the first so many commands. Raises: AssertionError unless it did the job."""
    measured = apart(drain, contestant, course, folder, count)
    times = apart(verified, folder.endpoints()["kafka"], course, count)
    return measured._replace(
        whole=count * 1_000 / max(1, times.last - times.first),
        warm=(count - count // 2) * 1_000 / max(1, times.last - times.half),
    )


async def drain(contestant: Contestant, course: Course, folder: RunFolder, count: int) -> Drained:
    await lay(course, folder)
    async with running(contestant, course, folder) as runner:
        first = await runner.until(FEW)
        last = await runner.settled(count)
    done = (last.end - first.end) / MICROSECONDS
    return Drained(
        whole=0,
        warm=0,
        client=(last.client - first.client) / done,
        broker=(last.broker - first.broker) / done,
        start=first.time - runner.begun,
    )


def killed(contestant: Contestant, course: Course, folder: RunFolder, count: int) -> float:
    """Returns the seconds from its restart to further events. Raises: AssertionError unless it did the job all the
    same, exactly once.
    """
    back = apart(kill, contestant, course, folder, count)
    apart(verified, folder.endpoints()["kafka"], course, count)
    return back


async def kill(contestant: Contestant, course: Course, folder: RunFolder, count: int) -> float:
    await lay(course, folder)
    async with running(contestant, course, folder) as runner:
        await runner.until(count // 3)
        stood = await runner.kill()
    assert stood < count, f"{contestant.name} was killed too late"
    async with running(contestant, course, folder) as runner:
        back = await runner.until(stood + FEW)
        await runner.settled(count)
    return back.time - runner.begun
