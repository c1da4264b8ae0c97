"""Many cases on several cores, each found failing told at once."""

import gc
import multiprocessing
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from tests.simulation.case import Case, case_of, drawn
from tests.simulation.run import Failure, failure_of, simulate
from tests.simulation.shrink import Shrinker

REGRESSIONS = Path(__file__).parent / "regressions"
CHUNK = 25


Run = int | bytes
"""A seed, or a case as JSON: what goes from process to process."""


class Found(NamedTuple):
    run: Run
    failure: Failure

    @property
    def case(self) -> Case:
        return told(self.run)


class Progress(NamedTuple):
    """done: cases run so far; found: those of the newest chunk that failed."""

    done: int
    found: Sequence[Found]


def campaign(runs: Iterable[Run], *, jobs: int, seconds: float | None = None) -> Iterator[Progress]:
    """Yields after every chunk how far it is, until all have run, or so many seconds are over."""
    end = time.monotonic() + seconds if seconds else None
    rest, done = iter(runs), 0
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(jobs, mp_context=spawn) as pool:
        running: set[Future[Progress]] = set()
        while True:
            over = end is not None and time.monotonic() > end
            while not over and len(running) < 2 * jobs and (chunk := list(islice(rest, CHUNK))):
                running.add(pool.submit(ran, chunk))
            if not running:
                return
            finished, running = wait(running, return_when=FIRST_COMPLETED)
            for future in finished:
                count, found = future.result()
                done += count
                yield Progress(done, found)


def ran(runs: Sequence[Run]) -> Progress:
    """Returns what came of them."""
    gc.disable()  # a run leaves little, and all of it at its end
    found = [Found(run, failure) for run in runs if (failure := failure_of(told(run)))]
    gc.collect()
    return Progress(len(runs), found)


def told(run: Run) -> Case:
    """Returns the case of a seed or of its JSON."""
    return drawn(run) if isinstance(run, int) else case_of(run)


def trace_of(seed: int) -> str:
    """Returns the hash of all that the seed's run did."""
    return simulate(seed).trace()


def differs(seed: int) -> bool:
    """Returns whether a second run of the seed is another than the first."""
    return trace_of(seed) != trace_of(seed)


def kept(case: Case, name: str, folder: Path = REGRESSIONS) -> Path:
    """Returns the file that runs as a test from now on: the least that fails as the case does."""
    file = folder / f"{name}.json"
    folder.mkdir(exist_ok=True)
    file.write_bytes(Shrinker(case).run().as_json() + b"\n")
    return file
