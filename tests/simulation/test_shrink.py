"""A failure is made as small as it gets, and is kept."""

import subprocess
import sys
from pathlib import Path

import pytest

from events.balance import Withdraw
from tests.simulation.campaign import REGRESSIONS
from tests.simulation.case import Case, Crash, case_of, drawn
from tests.simulation.plants import PLANTS, plant
from tests.simulation.run import Failure, simulate
from tests.simulation.shrink import Shrinker
from tests.simulation.weather import CALM

MOST_OPERATIONS = 3


@pytest.mark.parametrize("file", sorted(REGRESSIONS.glob("*.json")), ids=lambda file: file.stem)
def test_what_failed_once_holds_ever_after(file: Path) -> None:
    simulate(case_of(file.read_bytes()))


@pytest.mark.parametrize("seed", range(20))
def test_a_case_is_the_same_when_it_is_read_from_a_file(seed: int) -> None:
    case = drawn(seed)._replace(crashes=(Crash("order-0", 1, seed),) if seed % 2 else None)
    assert case_of(case.as_json()) == case


def test_what_does_not_matter_is_left_out() -> None:
    """Here a run fails by a withdrawal after which a process is killed while fetches leave out partitions."""

    def failing(case: Case) -> Failure | None:
        withdrawn = [sending.at for sending in case.sendings if type(sending.command) is Withdraw]
        killed = [trouble for trouble in case.troubles if trouble.kind == "a process killed"]
        fails = withdrawn and killed and case.weather.hold_one_in
        return Failure("planted", "", (Crash("order-0", 1, 9),)) if fails else None

    shrunk = 0
    for case in filter(failing, map(drawn, range(60))):
        least = Shrinker(case, failing=failing).run()
        assert (len(least.sendings), len(least.troubles), least.crashes) == (1, 1, ())
        assert least.weather == CALM._replace(hold_one_in=case.weather.hold_one_in)
        shrunk += 1
    assert shrunk


@pytest.mark.slow
def test_a_planted_fault_is_found_and_shrunk(tmp_path: Path) -> None:
    (fault,) = (one for one in PLANTS if one.name == "a fill settled twice")
    plant(fault, tmp_path)
    command = ("-m", "tests.simulation", "--seeds", "20", "--jobs", "1", "--shrink")
    ran = subprocess.run(
        [sys.executable, *command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
    )
    assert ran.returncode == 1, ran.stdout + ran.stderr
    known = {file.name for file in REGRESSIONS.glob("*.json")}
    found = [
        case_of(file.read_bytes())
        for file in (tmp_path / "tests/simulation/regressions").glob("*.json")
        if file.name not in known
    ]
    assert found, ran.stdout
    for case in found:
        assert len(case.sendings) <= MOST_OPERATIONS, case.sendings
        assert not case.troubles
        assert case.weather == CALM
