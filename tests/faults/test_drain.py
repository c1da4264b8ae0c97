"""Every process asked to end under load: it ends what it has begun, and soon; nothing is lost or doubled."""

import json
import os
from pathlib import Path
from signal import SIGTERM

import httpx2
import psutil
import pytest

from ops.stack.folder import RunFolder
from ops.stack.processes import PROJECTORS, SERVICES
from tests.faults.load import under_load
from tests.faults.table import RUNS, row
from tests.faults.verdict import verdict
from tests.faults.watch import Buyer, going_on, savers
from tests.stand import is_back, kill, standing, until

RATE = 20
LIMIT_S = 10
VICTIMS = (*SERVICES, *PROJECTORS, "gateway")

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(900)]


async def drained(stack: RunFolder, name: str) -> float:
    """Returns the s that the process took to end after SIGTERM, once another life of it is ready."""
    dead = kill(stack, name, SIGTERM)
    seconds = await until(lambda: not psutil.pid_exists(dead), f"{name} ends")
    await until(lambda: is_back(stack, name, dead), f"{name} is back")
    return seconds


def codes(stack: RunFolder) -> dict[str, int]:
    """Returns the exit code of each process that ended, by the supervisor's log."""
    lines = map(json.loads, stack.log("supervisor").read_text().splitlines())
    return {line["child"]: line["code"] for line in lines if line["message"] == "process_died"}


async def test_whoever_is_asked_to_end_ends_what_it_began(tmp_path: Path) -> None:
    seconds = []
    with standing(tmp_path) as stack:
        address = stack.endpoints()["gateway"]
        async with httpx2.AsyncClient(base_url=address, timeout=35) as http:
            buyer = Buyer((await savers(http, 1))[0])
            async with under_load(stack.endpoints()["kafka"], RATE):
                for name in VICTIMS * RUNS:
                    if name == "gateway":
                        seconds.append(await drained(stack, name))
                        continue
                    async with going_on(buyer.keep_buying()):
                        seconds.append(await drained(stack, name))
        report = await verdict(stack, journal=buyer.journal())
        ended = codes(stack)
    print(f"orders {dict(buyer.statuses)}, {ended}")
    row(7, "SIGTERM under load, of each process", len(seconds), len(report.violations), seconds)
    assert ended == dict.fromkeys(VICTIMS, os.EX_OK)
    assert max(seconds) <= LIMIT_S
