"""Projectors killed between folding, writing and knowing it: no row is folded twice, none is left out."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from itertools import product
from pathlib import Path
from signal import SIGKILL
from time import monotonic

import pytest

from infra.crash import Point
from ops.stack.folder import RunFolder
from ops.stack.processes import SERVICES
from tests.faults.lives import Life
from tests.faults.load import under_load
from tests.faults.seen import Seen, built_anew, seen_history, seen_live
from tests.faults.table import RUNS, row
from tests.faults.verdict import verdict
from tests.stand import standing

RATE = 20
STORES = ("redis", "dynamodb")
BATCHES = (1, 2, 10)  # of a life, at which it dies
POINTS = (Point.VIEW_FOLDED, Point.VIEW_WRITTEN)
SEEN: dict[str, Callable[[RunFolder], AbstractAsyncContextManager[Seen]]] = {
    "live": seen_live,
    "history": seen_history,
}

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(900)]


@pytest.mark.parametrize("name", SEEN)
async def test_a_projector_that_dies_around_a_write_folds_every_row_once(
    name: str, tmp_path: Path
) -> None:
    other = next(f"projector-{each}" for each in SEEN if each != name)
    with standing(tmp_path, *SERVICES, other) as stack:
        endpoints = stack.endpoints()
        life = Life(f"projector-{name}", endpoints["kafka"], tmp_path)
        servers = {f"ORDERSTREAM_{server.upper()}": endpoints[server] for server in STORES}
        seconds = []
        async with SEEN[name](stack) as view:
            async with under_load(endpoints["kafka"], RATE):
                for point, batch in [*product(POINTS, BATCHES)] * RUNS:
                    await life.start(crash=f"{point}:{batch}", **servers)
                    assert await life.ended() == -SIGKILL
                    ends, died = await view.ends(), monotonic()
                    await life.start(**servers)
                    await view.shown(ends)
                    seconds.append(monotonic() - died)
                    await life.kill()
            await life.start(**servers)
            await view.is_whole()
        found = await built_anew(stack, name)
        report = await verdict(stack)
        await life.end()
    print(found.as_text())
    fault = f"projector of {name} killed before and after a write"
    row(6, fault, len(seconds), len(report.violations), seconds)
