"""A sampling profiler for a contestant in its own process: where its CPU time goes, line of code by line of code."""

import signal
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

INTERVAL_S = 0.002  # of CPU time
DEEPEST = 60


class Samples:
    """own: by function, how often it ran itself; under: how often it or what it called did."""

    def __init__(self) -> None:
        self.taken = 0
        self.own: Counter[str] = Counter()
        self.under: Counter[str] = Counter()
        self.lines: Counter[str] = Counter()

    def take(self, _: int, frame: FrameType | None) -> None:
        self.taken += 1
        seen: set[str] = set()
        if frame:
            self.own[name(frame)] += 1
            self.lines[f"{name(frame)}:{frame.f_lineno}"] += 1
        while frame and len(seen) < DEEPEST:
            seen.add(name(frame))
            frame = frame.f_back
        self.under.update(seen)

    def shown(self, most: int = 25) -> str:
        """Returns the functions and lines that most CPU time went to, in percent."""
        parts = []
        for title, counts in (("own", self.own), ("under", self.under), ("lines", self.lines)):
            parts.append(f"{title}, % of {self.taken} samples")
            parts += [f"{n * 100 / self.taken:6.1f}  {at}" for at, n in counts.most_common(most)]
        return "\n".join(parts)


def name(frame: FrameType) -> str:
    code = frame.f_code
    return f"{'/'.join(code.co_filename.split('/')[-2:])} {code.co_qualname}"


@contextmanager
def profiling() -> Iterator[Samples]:
    """Samples the main thread while the block runs. What C code takes counts for the line that called it."""
    samples = Samples()
    before = signal.signal(signal.SIGPROF, samples.take)
    signal.setitimer(signal.ITIMER_PROF, INTERVAL_S, INTERVAL_S)
    try:
        yield samples
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        signal.signal(signal.SIGPROF, before)
