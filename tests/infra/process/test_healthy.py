"""The health check of a container: what it says of a process that is ready, not ready yet, or away."""

import asyncio

from infra.process.healthy import ready
from infra.process.server import Admin, serving
from tests.stand import free_ports


async def test_it_says_what_the_admin_server_says() -> None:
    (port,) = free_ports(1)
    parts = {"partition 0": False}
    async with serving(Admin("order", lambda: parts, {}), "127.0.0.1", port):
        assert not await asyncio.to_thread(ready, port)
        parts["partition 0"] = True
        assert await asyncio.to_thread(ready, port)
    assert not await asyncio.to_thread(ready, port)
