"""The race's hop: from a command that can be read to its event that can be read, at a fixed rate, one after another.

Whoever writes in transactions is read as such: an event counts as readable once its transaction has ended.
"""

from collections.abc import Callable
from typing import Any

from aiokafka import AIOKafkaProducer

from bench.apart import apart
from bench.fill import JSON
from bench.generator import Latencies, at_rate
from bench.hop import RATE, Sightings, watching
from bench.orders import order_number
from bench.peers.contestants import Contestant
from bench.peers.job import Course, credit, service
from bench.peers.running import fill, lay, running
from bench.peers.verified import COMMITTED, verified
from events.codec import encode
from infra.shell.emission import CONTROL
from ops.stack.folder import RunFolder

WARM = 20_000
"""Commands of a backlog that a contestant takes first, so that its code is compiled."""
SETTLING_S = 2
"""Of the measured rate, before what counts."""


def hop(contestant: Contestant, course: Course, folder: RunFolder, seconds: int) -> Latencies:
    """Returns the hops of so many seconds. Raises: AssertionError unless it did the job."""
    count = WARM + (SETTLING_S + seconds) * RATE
    latencies = apart(measure, contestant, course, folder, count)
    apart(verified, folder.endpoints()["kafka"], course, count)
    return latencies


async def measure(
    contestant: Contestant, course: Course, folder: RunFolder, count: int
) -> Latencies:
    bootstrap, job = folder.endpoints()["kafka"], service(course)
    await lay(course, folder)
    await fill(bootstrap, course.commands, WARM)
    commands, events = job.reads[0].decode, job.writes.decode
    async with running(contestant, course, folder) as runner:
        await runner.settled(WARM)
        async with (
            watching(bootstrap, course.commands, number(lambda raw: commands(raw).id)) as given,
            watching(
                bootstrap,
                course.events,
                number(lambda raw: events(raw).command_id),
                **COMMITTED,
            ) as answered,
        ):
            await send(bootstrap, course.commands, range(WARM, count), answered)
    counted = range(WARM + SETTLING_S * RATE, count)
    return Latencies(answered.times[n] - given.times[n] for n in counted)


def number(command_id: Callable[[bytes], str]) -> Callable[[Any], int | None]:
    """Returns what tells a record's command, and None of the warm-up's and of bookkeeping."""

    def tell(record: Any) -> int | None:
        if CONTROL in record.headers:
            return None
        n = order_number(command_id(record.value))
        return n if n >= WARM else None

    return tell


async def send(bootstrap: str, topic: str, numbers: range, awaited: Sightings) -> None:
    """Returns once every command was sent at its time and its event seen."""
    async with AIOKafkaProducer(bootstrap_servers=bootstrap, enable_idempotence=True) as producer:

        async def act(n: int, _: float) -> None:
            command = credit(n)
            raw, key = encode(command), command.account_id.encode()
            await producer.send_and_wait(topic, raw, key=key, partition=0, headers=list(JSON))

        await at_rate(RATE, numbers, act)
        await awaited.all_of(numbers)
