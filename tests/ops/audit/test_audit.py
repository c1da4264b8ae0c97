"""The audit of a real stack: the command, and what it says of a cluster where nothing happened."""

import asyncio
import json

import pytest
from typer.testing import CliRunner

from ops.cli import app
from ops.stack.folder import RunFolder
from tests.e2e.conftest import customer, http
from tests.e2e.customer import Customer
from tests.faults.verdict import verdict

__all__ = ["customer", "http"]
pytestmark = pytest.mark.stack


async def test_a_stack_at_work_is_as_it_must_be(customer: Customer, stack: RunFolder) -> None:
    await customer.deposit("1000.00")
    await customer.order(asset_id="BTC", side="buy", notional="100.00")
    await customer.order(asset_id="BTC", side="sell", notional="50.00")
    await customer.order(asset_id="ETH", side="sell", quantity="1")  # refused: there is none

    report = await verdict(stack)

    assert report.is_clean, report
    command = ["audit", "--json", "--run-dir", str(stack.path)]
    ran = await asyncio.to_thread(CliRunner().invoke, app, command)
    assert ran.exit_code == 0, ran.output
    said = json.loads(ran.stdout)
    assert said["violations"] == []
    assert said["readers"] == ["aiokafka", "librdkafka"]
    assert all(said["checked"].values())


async def test_what_holds_at_any_time_is_asked_without_waiting(
    customer: Customer, stack: RunFolder
) -> None:
    await customer.deposit("1000.00")
    command = ["audit", "--prefix", "--run-dir", str(stack.path)]
    ran = await asyncio.to_thread(CliRunner().invoke, app, command)
    assert "the services were at work" in ran.output
    assert "not asked: the services are at work" in ran.output
