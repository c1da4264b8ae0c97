"""How bad a seed's run is: each fault is there or not, and how often is drawn too, so that some runs know one alone."""

from random import Random
from typing import NamedTuple

from infra.log.life import Faults


class Weather(NamedTuple):
    """one_in: 0 is never. transit_ms, late_ms: as Faults says; split: each partition has a process of its own;
    steps: a service that decides in steps runs, too; old_writers: some lives write old versions; shuffled: which
    task runs next is chance.
    """

    crash_one_in: int = 0
    lose_one_in: int = 0
    resend_one_in: int = 0
    hold_one_in: int = 0
    stale_one_in: int = 0
    transit_ms: int = 0
    late_ms: int = 0
    split: bool = False
    steps: bool = False
    old_writers: bool = False
    shuffled: bool = False

    def faults(self, rng: Random, *, crash_at: int | None = None) -> Faults:
        """Returns a life's. crash_at: where it must crash, 0 nowhere, None: where chance will have it."""
        return Faults(
            rng=rng,
            crash_at=crash_at or 0,
            crash_one_in=self.crash_one_in if crash_at is None else 0,
            lose_one_in=self.lose_one_in,
            resend_one_in=self.resend_one_in,
            hold_one_in=self.hold_one_in,
            stale_one_in=self.stale_one_in,
            transit_ms=self.transit_ms,
            late_ms=self.late_ms,
        )


CALM = Weather()


def weather(rng: Random) -> Weather:
    return Weather(
        crash_one_in=sometimes(rng, 250, 3_000),
        lose_one_in=sometimes(rng, 50, 500),
        resend_one_in=sometimes(rng, 3, 60),
        hold_one_in=sometimes(rng, 2, 30),
        stale_one_in=sometimes(rng, 2, 10),
        transit_ms=sometimes(rng, 1, 80),
        late_ms=rng.choice((10, 1_000, 8_000)),
        split=rng.random() < 0.3,
        steps=rng.random() < 0.25,
        old_writers=rng.random() < 0.25,
        shuffled=rng.random() < 0.5,
    )


def sometimes(rng: Random, low: int, high: int) -> int:
    """Returns 0 in every other run, else a number between, low ones more often."""
    return rng.choice((0, rng.randint(low, rng.randint(low, high))))
