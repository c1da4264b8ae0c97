"""Seeded runs: SIMULATION_SEEDS of them (1,000), in chunks so that several processes share them."""

import os
import subprocess
import sys
from collections import Counter
from itertools import count, islice
from pathlib import Path

import pytest

from events.reasons import Reason
from tests.simulation.exhaustive import pairs, singles
from tests.simulation.run import simulate
from tests.simulation.troubles import TROUBLES
from tests.simulation.world import KINDS

ROOT = Path(__file__).parents[2]
SEEDS = int(os.environ.get("SIMULATION_SEEDS", "1000"))
CHUNKS = 10
LONGEST_SEARCH = 300
NOT_GIVEN_YET = {
    Reason.ORDER_UNKNOWN,
    Reason.ORDER_CLOSED,
    Reason.REPLACE_PENDING,
    Reason.CANCELED_BY_CLIENT,
}
SOMETIMES = {
    *(set(Reason) - NOT_GIVEN_YET),
    *KINDS,
    *TROUBLES,
    "a limit of the day",
    "a repeat dropped",
    "a thawed account",
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


def test_a_seed_runs_the_same_whatever_the_order_of_hashes() -> None:
    told = {
        subprocess.run(
            [sys.executable, "-m", "tests.simulation", "--seed", "12"],
            cwd=ROOT,
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        ).stdout
        for seed in ("0", "1", "2")
    }
    assert len(told) == 1, told


def test_a_crash_at_every_seventh_point_changes_nothing() -> None:
    for case in islice(singles(), 0, None, 7):
        simulate(case)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_a_crash_at_any_point_changes_nothing(chunk: int) -> None:
    for case in islice(singles(), chunk, None, CHUNKS):
        simulate(case)


@pytest.mark.slow
@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_two_crashes_change_nothing(chunk: int) -> None:
    """Every 23rd pair; `orderstream simulate --pairs` runs them all."""
    for case in islice(pairs(), chunk, None, 23 * CHUNKS):
        simulate(case)


def test_everything_happens_sometimes() -> None:
    """In the seeds that follow on those above: a fault that never strikes proves nothing."""
    seen: Counter[str] = Counter()
    for seed in count(SEEDS):
        seen.update(simulate(seed).seen)
        if not (missing := {kind for kind in SOMETIMES if not seen[kind]}):
            return
        assert seed - SEEDS < LONGEST_SEARCH, f"never seen: {sorted(missing)}"
