"""Seeded runs: SIMULATION_SEEDS of them (1,000), in chunks so that several processes share them."""

import os

import pytest

from tests.simulation.run import simulate

SEEDS = int(os.environ.get("SIMULATION_SEEDS", "1000"))
CHUNKS = 10


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_seeded_runs_violate_nothing(chunk: int) -> None:
    for seed in range(chunk, SEEDS, CHUNKS):
        simulate(seed)


@pytest.mark.parametrize("seed", [3, 15])
def test_a_seed_runs_the_same_twice(seed: int) -> None:
    assert simulate(seed).trace() == simulate(seed).trace()
