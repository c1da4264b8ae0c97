"""The mutation proof: each planted fault is reported, by the invariant that it breaks."""

import pytest

from tests.ops.audit.evidence import Evidence, evidence
from tests.ops.audit.plants import PLANTS, Plant
from tests.ops.audit.tamper import Absent

SEEDS = 60


def planted(plant: Plant) -> Evidence:
    """Returns the first world that has what the fault befalls, with the fault."""
    for seed in range(SEEDS):
        tampered = evidence(seed).copied()
        try:
            plant.fault(tampered)
        except Absent:
            continue
        return tampered
    raise AssertionError(f"no world of {SEEDS} has what it takes: {plant.name}")


@pytest.mark.parametrize("plant", PLANTS, ids=lambda plant: plant.name)
def test_a_planted_fault_is_reported(plant: Plant) -> None:
    reported = planted(plant).violations()
    codes = sorted({v.invariant for v in reported}, key=lambda code: int(code[1:]))
    print(f"{plant.invariant:4} {plant.name:36} {' '.join(codes)}")
    assert plant.invariant in codes, reported[:5]
