"""From a run that fails to the least that fails in the same way."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import TypeVar

from tests.simulation.case import Case
from tests.simulation.run import Failure, failure_of
from tests.simulation.weather import CALM

TRIES = 200
SECONDS = 300
LENGTHS_MS = (100, 500, 2_000, 6_000)
T = TypeVar("T")


class Shrinker:
    """Tries smaller cases, so many and for so long, and keeps each that fails in the same way."""

    def __init__(
        self,
        case: Case,
        *,
        failing: Callable[[Case], Failure | None] = failure_of,
        tries: int = TRIES,
        seconds: int = SECONDS,
    ) -> None:
        failure = failing(case)
        assert failure, "it does not fail"
        self.case, self.failure, self._failing = case, failure, failing
        self.left, self._end = tries, time.monotonic() + seconds

    def run(self) -> Case:
        """Returns the smallest case found: its operations are cut first, then what goes wrong, then the parameters;
        over again until nothing more can go.
        """
        before = None
        while before != self.case and self.left:
            before = self.case
            self.cut(self.case.sendings, lambda some: self.case._replace(sendings=some))
            self.cut(self.case.troubles, lambda some: self.case._replace(troubles=some))
            self.pin_crashes()
            self.cut(self.case.crashes or (), lambda some: self.case._replace(crashes=some))
            for smaller in self.simpler():
                self.keep(smaller)
        return self.case

    def keep(self, smaller: Case) -> bool:
        """Returns whether the case fails in the same way: then it takes the other's place."""
        if smaller == self.case or not self.left or time.monotonic() > self._end:
            return False
        self.left -= 1
        failure = self._failing(smaller)
        if failure is None or failure.kind != self.failure.kind:
            return False
        self.case, self.failure = smaller, failure
        return True

    def cut(self, items: Sequence[T], case_of: Callable[[tuple[T, ...]], Case]) -> None:
        """Leaves out what is not needed: halves first, then ever smaller pieces (ddmin)."""
        items, size = tuple(items), len(items)
        while items and size:
            for start in range(0, len(items), size):
                rest = items[:start] + items[start + size :]
                if self.keep(case_of(rest)):
                    items, size = rest, min(size, len(rest))
                    break
            else:
                size //= 2

    def pin_crashes(self) -> None:
        """Has the crashes that there were happen where they were, and none by chance."""
        if self.case.crashes is None:
            self.keep(self.case._replace(crashes=self.failure.crashes))

    def simpler(self) -> Iterator[Case]:
        """Yields the case with one parameter less, each time of what it is then."""
        for name, calm in CALM._asdict().items():
            yield self.case._replace(weather=self.case.weather._replace(**{name: calm}))
        for length_ms in LENGTHS_MS:
            if length_ms < self.case.length_ms:
                yield self.case._replace(length_ms=length_ms)
        for n, sending in enumerate(self.case.sendings):
            if sending.at:
                sooner = sending._replace(at=0)
                rest = (*self.case.sendings[:n], *self.case.sendings[n + 1 :])
                yield self.case._replace(sendings=(sooner, *rest))
