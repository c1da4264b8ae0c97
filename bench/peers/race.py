"""The race: every contestant on the same broker and the same commands, in an order that changes each round."""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain
from statistics import median

from bench.apart import apart
from bench.generator import Latencies
from bench.hop import RATE
from bench.peers.contestants import Contestant
from bench.peers.drain import Drained, drained, killed
from bench.peers.hop import hop
from bench.peers.job import Course
from bench.peers.running import fill, lay
from bench.report import Figure
from bench.servers import stack
from ops.stack.folder import RunFolder

COMMANDS = "race.commands"


def drains(contestants: Sequence[Contestant], rounds: int, count: int) -> list[Figure]:
    """Returns the figures of the first contestant beside each other one's. Raises: AssertionError."""
    done: dict[str, list[Drained]] = {contestant.name: [] for contestant in contestants}
    with stack("kafka", partitions=1) as folder:
        backlog(folder, COMMANDS, count)
        for n in range(rounds):
            for contestant in turned(contestants, n):
                course = Course(COMMANDS, f"race.{contestant.word}.{n}")
                done[contestant.name].append(drained(contestant, course, folder, count))
        back = {
            contestant.name: killed(
                contestant, Course(COMMANDS, f"race.{contestant.word}.killed"), folder, count
            )
            for contestant in contestants
        }
    return [
        *drain_figures(done, count),
        *beside("killed once, restart → further events", "s", back),
    ]


def hops(contestants: Sequence[Contestant], seconds: int) -> list[Figure]:
    """Returns the figures of the first contestant beside each other one's. Raises: AssertionError."""
    done: dict[str, Latencies] = {}
    with stack("kafka", partitions=1) as folder:
        for n, contestant in enumerate(contestants):
            course = Course(f"{COMMANDS}.{n}", f"race.{contestant.word}.{n}")
            done[contestant.name] = hop(contestant, course, folder, seconds)
    quantiles = {
        f"hop at {RATE}/s: command → its event, p{q}": {
            name: latencies.quantile(q) for name, latencies in done.items()
        }
        for q in (50, 99)
    }
    return list(chain.from_iterable(beside(what, "ms", by) for what, by in quantiles.items()))


def backlog(folder: RunFolder, commands: str, count: int) -> None:
    """Puts the commands there that all contestants read."""
    asyncio.run(lay(Course(commands, "race"), folder))
    apart(fill, folder.endpoints()["kafka"], commands, count)


def turned(contestants: Sequence[Contestant], n: int) -> Sequence[Contestant]:
    """Returns them in the n-th round's order: in as many rounds as there are contestants each is first once."""
    first = n % len(contestants)
    return (*contestants[first:], *contestants[:first])


def drain_figures(done: Mapping[str, Sequence[Drained]], count: int) -> Iterator[Figure]:
    """Yields the medians of the rounds."""
    told: tuple[tuple[str, str, Callable[[Drained], float]], ...] = (
        (f"drain of {count:,} commands", "events/s", lambda round_: round_.whole),
        ("  its second half", "events/s", lambda round_: round_.warm),
        ("  CPU of the process", "µs/event", lambda round_: round_.client),
        ("  CPU of the broker", "µs/event", lambda round_: round_.broker),
        ("  start → first events", "s", lambda round_: round_.start),
    )
    for what, unit, of in told:
        yield from beside(
            what, unit, {name: median(map(of, rounds)) for name, rounds in done.items()}
        )


def beside(what: str, unit: str, values: Mapping[str, float]) -> Iterator[Figure]:
    """Yields the first one's value beside each other's, or alone."""
    (_, ours), *others = values.items()
    if not others:
        yield Figure(what, ours, unit)
    for name, value in others:
        yield Figure(what, ours, unit, name, value)
