"""A whole stack whose services die again and again at one point, while customers go on."""

import asyncio
from pathlib import Path

import httpx2
import pytest

from ops.stack.folder import RunFolder
from ops.stack.processes import SHELL_SERVICES
from tests.e2e.customer import Customer
from tests.e2e.test_kills import CUSTOMERS, load
from tests.faults.table import row
from tests.faults.verdict import verdict
from tests.stand import process, standing, until

DEATHS = 2 * len(SHELL_SERVICES)
"""At least, of all services together."""

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(600)]


def deaths(stack: RunFolder) -> int:
    return sum(process(stack, service).restarts for service in SHELL_SERVICES)


@pytest.mark.parametrize("crash", ["encoded:40", "acknowledged:40", "snapshot_unclosed:2"])
async def test_customers_get_one_outcome_from_services_that_keep_dying(
    tmp_path: Path, crash: str
) -> None:
    with standing(tmp_path / "run", env="test", crash=crash) as stack:
        gateway = stack.endpoints()["gateway"]
        async with httpx2.AsyncClient(base_url=gateway, timeout=35) as http:
            customers = [await Customer.registered(http) for _ in range(CUSTOMERS)]
            for customer in customers:
                await customer.deposit("5000.00")
            stop = asyncio.Event()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(load(customers, stop))
                await until(lambda: deaths(stack) >= DEATHS, "the services die")
                stop.set()
        await until(lambda: stack.status().is_ready, "all are up again")
        orders = sum(len(customer.outcomes) for customer in customers)
        await verdict(stack)
        died = deaths(stack)
    row(1, f"kill -9 at {crash} of every life, whole stack, {orders} commands", died, 0)
