"""The whole stack of the test run, or one on servers in containers, and a customer of it."""

from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from ops.stack.folder import RunFolder
from tests.e2e.customer import Customer
from tests.stack import ON_CONTAINERS, serve
from tests.stand import Standing, standing


@pytest.fixture(scope="session")
def own_stack(pytestconfig: pytest.Config) -> Standing:
    """Returns what starts a stack of a test's own in a folder."""
    if not pytestconfig.getoption(ON_CONTAINERS):
        return standing
    from tests.containers.servers import standing_on_containers

    return standing_on_containers


@pytest.fixture(scope="session")
def stack(
    pytestconfig: pytest.Config, own_stack: Standing, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunFolder]:
    if pytestconfig.getoption(ON_CONTAINERS):
        with own_stack(tmp_path_factory.mktemp("stack")) as folder:
            yield folder
    else:
        yield serve("stack")


@pytest.fixture
async def http(stack: RunFolder) -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(base_url=stack.endpoints()["gateway"], timeout=35) as client:
        yield client


@pytest.fixture
async def customer(http: httpx2.AsyncClient) -> Customer:
    """Returns somebody new, without any money."""
    return await Customer.registered(http)
