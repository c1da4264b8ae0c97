"""python -m bench.peers.profile_shell [COUNT]: where the shell's CPU time goes in the race's drain."""

import asyncio
import sys
from time import process_time

from bench.apart import apart
from bench.drain import POLL_S
from bench.peers.job import Course, service
from bench.peers.race import COMMANDS, backlog
from bench.peers.running import lay
from bench.profile import profiling
from bench.report import MICROSECONDS
from bench.servers import stack
from infra.log.clock import SystemClock
from infra.log.kafka import KafkaLog
from infra.shell.shell import Shell

COUNT = 400_000
COURSE = Course(COMMANDS, "race.profiled")


async def profiled(bootstrap: str, count: int) -> str:
    log, stop = KafkaLog(bootstrap), asyncio.Event()
    job, clock = service(COURSE), SystemClock()
    shell = Shell(job, log, clock, owned=(0,), partitions=1, write_versions={})
    cpu = process_time()
    with profiling() as samples:
        running = asyncio.create_task(shell.run(stop))
        while not (0 in shell.partitions and shell.partitions[0].figures.events >= count):
            if (await asyncio.wait([running], timeout=POLL_S))[0]:
                await running
    cpu = process_time() - cpu
    stop.set()
    await running
    await log.stop()
    return f"{cpu / count * MICROSECONDS:.1f} µs an event, start-up too\n{samples.shown()}"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    with stack("kafka", partitions=1) as folder:
        backlog(folder, COMMANDS, count)
        asyncio.run(lay(COURSE, folder))
        print(apart(profiled, folder.endpoints()["kafka"], count))


if __name__ == "__main__":
    main()
