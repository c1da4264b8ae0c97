"""How bad a seed's run is: drawn once, so that some runs know one fault only."""

from random import Random
from typing import NamedTuple

from infra.log.life import Faults

HOUR_MS = 3_600_000


class Weather(NamedTuple):
    """0: never. skews: leaders whose clocks step back for a while; retentions: how often old records go;
    suspended_ms: for how long the whole machine sleeps, once; split: each partition has a process of its own;
    steps: a service that decides in steps runs, too; old_writers: some lives write old versions.
    """

    crash_one_in: int
    lose_one_in: int
    hold_one_in: int
    stale_one_in: int
    transit_ms: int
    late_ms: int
    kills: int
    usurpers: int
    outage: bool
    market_gap: bool
    compactions: int
    poisons: int
    retentions: int
    skews: int
    suspended_ms: int
    split: bool
    steps: bool
    old_writers: bool

    def faults(self, rng: Random) -> Faults:
        return Faults(
            rng=rng,
            crash_one_in=self.crash_one_in,
            lose_one_in=self.lose_one_in,
            hold_one_in=self.hold_one_in,
            stale_one_in=self.stale_one_in,
            transit_ms=self.transit_ms,
            late_ms=self.late_ms,
        )


def weather(rng: Random) -> Weather:
    return Weather(
        crash_one_in=rng.choice((0, 0, 150, 600)),
        lose_one_in=rng.choice((0, 0, 40, 200)),
        hold_one_in=rng.choice((0, 3, 20)),
        stale_one_in=rng.choice((0, 0, 3)),
        transit_ms=rng.choice((0, 2, 40)),
        late_ms=rng.choice((10, 2_000, 30_000)),
        kills=rng.choice((0, 1, 6)),
        usurpers=rng.choice((0, 0, 1, 3)),
        outage=rng.random() < 0.08,
        market_gap=rng.random() < 0.2,
        compactions=rng.choice((0, 1, 4)),
        poisons=rng.choice((0, 0, 2, 8)),
        retentions=rng.choice((0, 0, 1, 4)),
        skews=rng.choice((0, 0, 0, 3)),
        suspended_ms=rng.choice((0,) * 14 + (HOUR_MS, 25 * HOUR_MS)),
        split=rng.random() < 0.25,
        steps=rng.random() < 0.25,
        old_writers=rng.random() < 0.25,
    )
