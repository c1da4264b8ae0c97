"""A process killed at each moment of turn, snapshot and take-over: the next one goes on as if nothing had been."""

from itertools import product
from pathlib import Path
from signal import SIGKILL

import pytest

from infra.crash import Point
from ops.stack.processes import SHELL_SERVICES
from tests.e2e.reader import closed_books
from tests.faults.lives import Life, living, now_ms
from tests.faults.load import under_load
from tests.faults.table import RUNS, row
from tests.faults.witness import Witness, witnessing
from tests.stack import serve

TURN = (Point.FETCHED, Point.DECIDED, Point.ENCODED, Point.ACKNOWLEDGED, Point.BEFORE_FETCH)
SNAPSHOT = (Point.SNAPSHOT_HALF, Point.SNAPSHOT_UNCLOSED, Point.SNAPSHOT_CLOSED)
REFENCE = (Point.REFENCE_BEGUN, Point.REFENCE_HALF)
IN_LIFE = (
    *(f"{point}:{n}" for point, n in product(TURN, (1, 50))),
    *(f"{point}:{n}" for point, n in product(SNAPSHOT, (1, 3))),
    *(f"{point}:1" for point in REFENCE),
)
AT_ITS_START = (
    *(f"{point}:{n}" for point, n in product((Point.INITIALISED, Point.MARKED), (1, 2, 3, 4))),
    *(f"{point}:{n}" for point, n in product((Point.CLAIMED, Point.READING), (1, 2, 3))),
    *(f"{point}:{n}" for point, n in product((Point.ROWS_READ, Point.EVENTS_READ), (1, 2))),
    *(f"{Point.SOUGHT}:{n}" for n in (1, 2)),
)

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(900)]


@pytest.mark.parametrize(
    ("number", "fault", "crashes"),
    [
        (1, "kill -9 at each phase of a turn", IN_LIFE),
        (2, "kill -9 while taking over", AT_ITS_START),
    ],
    ids=("turn", "take-over"),
)
@pytest.mark.parametrize("service", SHELL_SERVICES)
async def test_a_crash_at_any_point_is_healed_by_the_next_life(
    tmp_path: Path, service: str, number: int, fault: str, crashes: tuple[str, ...]
) -> None:
    kafka = serve("crash-points", "kafka").endpoints()["kafka"]
    times = []
    async with living(kafka, tmp_path) as lives:
        async with witnessing(kafka) as witness, under_load(kafka):
            await witness.spoke(service, 0)
            for crash in crashes * RUNS:
                times.append(await died_and_back(lives[service], crash, witness))
                print(f"{service} {crash}: {times[-1]:.2f} s")
        await closed_books(kafka, 60)
    row(number, f"{fault}: {service}", len(times), 0, times)


async def died_and_back(life: Life, crash: str, witness: Witness) -> float:
    """Returns the s from its death at the point to the next life's first event."""
    await life.kill()
    await life.start(crash=crash)
    assert await life.ended() == -SIGKILL, f"{life.name} never passed {crash}"
    died = now_ms()
    await life.start()
    return await witness.spoke(life.name, died)
