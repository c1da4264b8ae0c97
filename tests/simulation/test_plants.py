"""The tests notice what they are there for: each fault is planted in a copy of the tree, where a test must fail."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.plants import PLANTS, Plant, plant

pytestmark = pytest.mark.slow
NOTICED = ("Violation", "Stuck", "AssertionError", "StateAheadOfLog", "assert ")
"""What a failure that noticed the fault says; a plant that doesn't run says something else."""


@pytest.mark.parametrize("fault", PLANTS, ids=lambda fault: fault.name)
def test_a_planted_fault_is_noticed(fault: Plant, tmp_path: Path) -> None:
    plant(fault, tmp_path)
    ran = subprocess.run(
        [sys.executable, *fault.command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    said = ran.stdout + ran.stderr
    assert ran.returncode != 0, f"nobody noticed: {fault.name}\n{said[-2_000:]}"
    assert any(word in said for word in NOTICED), f"it failed of something else:\n{said[-2_000:]}"
