"""The tests notice what they are there for: each fault is planted in a copy of the tree, where a test must fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.simulation.plants import PLANTS, Plant

pytestmark = pytest.mark.slow
TOP = Path(__file__).parents[2]
CODE = ("events", "infra", "services", "gateway", "ops", "tests", "pyproject.toml")
NOTICED = ("Violation", "Stuck", "AssertionError", "StateAheadOfLog", "assert ")
"""What a failure that noticed the fault says; a plant that doesn't run says something else."""


def plant(fault: Plant, copy: Path) -> None:
    for name in CODE:
        source = TOP / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    module = copy / fault.module
    text = module.read_text()
    for old, new in [(fault.old, fault.new), *([fault.also] if fault.also else [])]:
        assert text.count(old) == 1, f"{fault.name}: {fault.module} no longer reads like that"
        text = text.replace(old, new)
    module.write_text(text)


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
