"""python -m bench.profile_drain [COUNT]: where the shell's CPU time goes while it takes a backlog of orders."""

import asyncio
import sys

from bench.apart import apart
from bench.drain import make_topics, shell_drain
from bench.fill import fill
from bench.profile import profiling
from bench.servers import stack

COUNT = 200_000


async def profiled(bootstrap: str, count: int) -> str:
    with profiling() as samples:
        drained = await shell_drain(bootstrap, 0, 1, count)
    return f"{drained}\n{samples.shown()}"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else COUNT
    with stack("kafka", partitions=1) as folder:
        bootstrap = folder.endpoints()["kafka"]
        asyncio.run(make_topics(bootstrap, 1))
        apart(fill, bootstrap, 0, 1, count)
        print(apart(profiled, bootstrap, count))


if __name__ == "__main__":
    main()
