"""Seeded runs: SIMULATION_SEEDS of them (1,000), in chunks so that several processes share them."""

import os
from collections import Counter
from itertools import count

import pytest

from events.reasons import Reason
from tests.simulation.run import simulate
from tests.simulation.troubles import TROUBLES
from tests.simulation.world import KINDS

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "1000"))
CHUNKS = 10
LONGEST_SEARCH = 300
NOT_GIVEN_YET = {
    Reason.ACCOUNT_FROZEN,
    Reason.DEPOSITS_DISABLED,
    Reason.ORDER_UNKNOWN,
    Reason.ORDER_CLOSED,
    Reason.REPLACE_PENDING,
    Reason.CANCELED_BY_CLIENT,
}
SOMETIMES = {
    *(set(Reason) - NOT_GIVEN_YET),
    *KINDS,
    *TROUBLES,
    "a repeat dropped",
    "a snapshot restored",
    "a step across a restart",
    "an old version written",
    "an owner fenced",
    "commands deleted",
    "prices gone past the checkpoint",
}


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_seeded_runs_violate_nothing(chunk: int) -> None:
    for seed in range(chunk, SEEDS, CHUNKS):
        simulate(seed)


@pytest.mark.parametrize("seed", [3, 15, 26, 96])
def test_a_seed_runs_the_same_twice(seed: int) -> None:
    assert simulate(seed).trace() == simulate(seed).trace()


def test_everything_happens_sometimes() -> None:
    """In the seeds that follow on those above: a fault that never strikes proves nothing."""
    seen: Counter[str] = Counter()
    for seed in count(SEEDS):
        seen.update(simulate(seed).seen)
        if not (missing := {kind for kind in SOMETIMES if not seen[kind]}):
            return
        assert seed - SEEDS < LONGEST_SEARCH, f"never seen: {sorted(missing)}"
