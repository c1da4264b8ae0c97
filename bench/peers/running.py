"""A contestant at work: started, watched from outside by the end of its topic, killed or asked to end."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import perf_counter
from typing import NamedTuple

import psutil
from aiokafka import AIOKafkaProducer

from bench.fill import BATCH_BYTES, IN_FLIGHT, put
from bench.peers.contestants import Contestant
from bench.peers.job import Course, credit, topic_specs
from bench.servers import cpu_seconds
from infra.log.admin import ensure
from infra.log.kafka import KafkaLog
from ops.stack.folder import RunFolder

POLL_S = 0.05
QUIET_S = 2
"""A topic whose end does not move for so long has got all that there is."""
STALLED_S = 180  # a group gives up a member that was killed after 45 s
ENDING_S = 40
FEW = 10
"""Records that stand in a topic and are none of the job's: markers, a claim."""


class Sample(NamedTuple):
    """end: of the topic of events; client, broker: CPU seconds so far."""

    time: float
    end: int
    client: float
    broker: float


class Runner:
    """A contestant's process on a course."""

    def __init__(self, process: psutil.Popen, course: Course, folder: RunFolder, log: KafkaLog):
        self.process, self.course, self.folder = process, course, folder
        self._log, self._to = log, (course.events, 0)
        self.begun = perf_counter()

    async def sample(self) -> Sample:
        """Raises: RuntimeError if the process has ended by itself."""
        if self.process.poll() is not None:
            raise RuntimeError(f"it ended:\n{self.folder.log(self.course.owner).read_text()}")
        times = self.process.cpu_times()
        end = await end_of(self._log, self._to)
        broker = cpu_seconds(self.folder, "kafka")
        return Sample(perf_counter(), end, times.user + times.system, broker)

    async def until(self, end: int) -> Sample:
        """Returns the first sample with that end. Raises: TimeoutError if nothing moves for STALLED_S."""
        last = await self.sample()
        while last.end < end:
            await asyncio.sleep(POLL_S)
            now = await self.sample()
            if now.end > last.end:
                last = now
            elif now.time - last.time > STALLED_S:
                raise TimeoutError(f"{self.course.owner} stands at {now.end} of {end}")
        return last

    async def settled(self, end: int) -> Sample:
        """Returns the sample at which the end, that one at least, came to rest."""
        last = now = await self.until(end)
        while now.time - last.time < QUIET_S:
            await asyncio.sleep(POLL_S)
            now = await self.sample()
            if now.end > last.end:
                last = now
        return last

    async def kill(self) -> int:
        """Returns where the topic ends, once nothing of the killed process arrives any more."""
        self.process.kill()
        self.process.wait()
        last, quiet = -1, perf_counter()
        while perf_counter() - quiet < QUIET_S:
            if (end := await end_of(self._log, self._to)) > last:
                last, quiet = end, perf_counter()
            await asyncio.sleep(POLL_S)
        return last


async def end_of(log: KafkaLog, tp: tuple[str, int]) -> int:
    return (await log.bounds([tp]))[tp].end


@asynccontextmanager
async def running(
    contestant: Contestant, course: Course, folder: RunFolder
) -> AsyncIterator[Runner]:
    """Starts the contestant, and asks it to end after the block, if it still runs."""
    bootstrap, command = folder.endpoints()["kafka"], contestant.command(course, folder)
    environ, log = os.environ | {"ORDERSTREAM_KAFKA": bootstrap}, KafkaLog(bootstrap)
    with folder.log(course.owner).open("ab") as output:
        process = psutil.Popen(command, env=environ, stdout=output, stderr=output)
    try:
        yield Runner(process, course, folder, log)
    finally:
        await asyncio.to_thread(end, process)
        await log.stop()


def end(process: psutil.Popen) -> None:
    """Returns once it has ended, by itself if it does so in time."""
    if process.poll() is None:
        process.terminate()
    try:
        process.wait(ENDING_S)
    except psutil.TimeoutExpired:
        process.kill()
        process.wait()


async def lay(course: Course, folder: RunFolder) -> None:
    """Makes the course's topics."""
    await ensure(tuple(topic_specs(course)), folder.endpoints()["kafka"])


async def fill(bootstrap: str, topic: str, count: int) -> None:
    """Appends the first so many commands."""
    options = {"max_batch_size": BATCH_BYTES, "enable_idempotence": True}
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, **options) as producer:
        sent: list[asyncio.Future[object]] = []
        batch = producer.create_batch()
        for n in range(count):
            command = credit(n)
            if not put(batch, command):
                sent.append(await producer.send_batch(batch, topic, partition=0))
                batch = producer.create_batch()
                assert put(batch, command)
                if len(sent) >= IN_FLIGHT:
                    await sent.pop(0)
        sent.append(await producer.send_batch(batch, topic, partition=0))
        await asyncio.gather(*sent)
