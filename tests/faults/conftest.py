"""A broker of a test file's own, with a listener for a proxy."""

import asyncio
from collections.abc import Iterator

import pytest

from tests.faults.brokers import Behind


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Behind]:
    behind = Behind(tmp_path_factory.mktemp("broker"), {})
    asyncio.run(behind.start())
    yield behind
    behind.kill()
