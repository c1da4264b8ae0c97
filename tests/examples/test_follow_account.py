"""The sample follower, on a real stack."""

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest

from ops.stack.folder import RunFolder
from tests.e2e.conftest import customer, http
from tests.e2e.customer import PASSWORD, Customer

__all__ = ["customer", "http"]
pytestmark = pytest.mark.stack
EXAMPLE = Path(__file__).parents[2] / "examples" / "follow_account.py"


async def test_it_shows_what_the_account_does(customer: Customer, stack: RunFolder) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLE),
        stack.endpoints()["gateway"],
        customer.name,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    process.stdin.write(f"{PASSWORD}\n".encode())
    positions, events = [], []
    for act in (None, customer.deposit("7.00")):
        if act:
            await act
        position, event = (await process.stdout.readline()).decode().split(" ", 1)
        positions.append(position)
        events.append(json.loads(event))
    assert [event["event"] for event in events] == ["snapshot", "balance"]
    assert events[1]["data"]["total"] == "7.00"
    assert positions[0] != positions[1] == events[1]["data"]["as_of"]["position"]
    process.send_signal(signal.SIGINT)
    await process.wait()
