"""The server that every process has, over real sockets."""

import asyncio
import socket
from collections.abc import MutableMapping
from time import monotonic
from typing import Any

import pytest

from infra.process.server import GRACE_S, UNREAD, Receive, Send, serving
from tests.stand import free_ports

CHUNK = 4_096
HOST = "127.0.0.1"


class Endless:
    """An application that answers for as long as somebody reads. sent: bytes."""

    def __init__(self) -> None:
        self.sent = 0
        self.stuck = asyncio.Event()

    async def __call__(self, _: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        try:
            async with asyncio.timeout(None) as limit:
                while True:
                    limit.reschedule(asyncio.get_running_loop().time() + 1)
                    await send(
                        {"type": "http.response.body", "body": b"x" * CHUNK, "more_body": True}
                    )
                    self.sent += CHUNK
        except TimeoutError:
            self.stuck.set()


async def ask(port: int) -> socket.socket:
    """Returns a client that has asked, and reads nothing."""
    client = socket.socket()
    client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, CHUNK)
    client.settimeout(0)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(client, (HOST, port))
    await loop.sock_sendall(client, b"GET / HTTP/1.1\r\nHost: edge\r\n\r\n")
    return client


async def test_little_is_kept_for_who_does_not_read_and_nobody_waits_for_him_in_the_end() -> None:
    (port,), application = free_ports(1), Endless()
    async with serving(application, HOST, port):
        client = await ask(port)
        await asyncio.wait_for(application.stuck.wait(), 10)
        begun = monotonic()
    assert monotonic() - begun < GRACE_S + 2
    assert application.sent < 10 * UNREAD
    client.close()


async def test_a_port_that_is_taken_stops_the_start() -> None:
    (port,) = free_ports(1)
    async with serving(Endless(), HOST, port):
        with pytest.raises(OSError, match="in use"):
            async with serving(Endless(), HOST, port):
                pass
