"""The sample client, on a real stack."""

import asyncio
import sys
from pathlib import Path

import pytest

from ops.stack.folder import RunFolder
from tests.e2e.conftest import customer, http
from tests.e2e.customer import PASSWORD, Customer

__all__ = ["customer", "http"]
pytestmark = pytest.mark.stack
EXAMPLE = Path(__file__).parents[2] / "examples" / "place_order.py"


async def run(*words: str) -> tuple[int | None, str, str]:
    """Returns how it ended and what it said."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(EXAMPLE),
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, error = await process.communicate(f"{PASSWORD}\n".encode())
    return process.returncode, out.decode(), error.decode()


async def test_it_buys_and_shows_every_step(customer: Customer, stack: RunFolder) -> None:
    words = (stack.endpoints()["gateway"], customer.name, "BTC", "100.00")
    code, out, error = await run(*words)
    assert (code, out.count("\n")) == (1, 1)
    assert "insufficient_funds" in error
    await customer.deposit("100.00")
    code, out, error = await run(*words)
    assert (code, error) == (0, "")
    steps = [line.split()[2] for line in out.splitlines() if " ms " in line]
    assert (steps[0], sorted(steps[1:])[-1]) == ("place_order", "position_changed")
    assert "order_filled" in steps
