"""The whole stack of the test run, and a customer of it."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from ops.stack.folder import RunFolder
from tests.e2e.customer import Customer


@pytest.fixture
async def http(stack: RunFolder) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=stack.endpoints()["gateway"], timeout=35) as client:
        yield client


@pytest.fixture
async def customer(http: httpx2.AsyncClient) -> Customer:
    """Returns somebody new, without any money."""
    return await Customer.registered(http)
