"""The edge behind its real HTTP server, and clients that say to it, byte for byte, what they like."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import NamedTuple

from gateway.app import create_app
from gateway.deps import Parts
from infra.process.server import HEADERS_MS, serving
from tests.stand import free_ports

HOST = "127.0.0.1"
PATIENCE_S = 20
QUIET_S = 1
CLOSING = b"\r\nconnection: close\r\n"


class Heard(NamedTuple):
    """All that the server said; closed: and then it closed the connection."""

    raw: bytes
    closed: bool

    @property
    def statuses(self) -> list[int]:
        """Returns the status of each answer."""
        lines = self.raw.split(b"HTTP/1.1 ")[1:]
        return [int(line[:3]) for line in lines]

    @property
    def status(self) -> int:
        """Returns the only answer's, 0 if there was none."""
        (status,) = self.statuses or [0]
        return status

    @property
    def header(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[0].lower()


class Wire(NamedTuple):
    port: int

    async def say(self, *said: bytes) -> Heard:
        """Returns what is answered to bytes that are sent one part after the other, on a connection of their own."""
        reader, writer = await asyncio.open_connection(HOST, self.port)
        with suppress(ConnectionError):
            for part in said:
                writer.write(part)
                await writer.drain()
        heard = await listen(reader)
        writer.close()
        return heard


async def listen(reader: asyncio.StreamReader) -> Heard:
    """Returns what comes until the server closes, or has answered, does not say that it will, and is quiet."""
    raw = b""
    try:
        async with asyncio.timeout(PATIENCE_S) as limit:
            while part := await reader.read(65_536):
                raw += part
                if CLOSING not in raw.lower():
                    limit.reschedule(asyncio.get_running_loop().time() + QUIET_S)
    except TimeoutError:
        return Heard(raw, closed=False)
    except ConnectionError:
        pass
    return Heard(raw, closed=True)


@asynccontextmanager
async def wired(parts: Parts, headers_ms: int = HEADERS_MS) -> AsyncIterator[Wire]:
    (port,) = free_ports(1)
    async with serving(create_app(parts), HOST, port, headers_ms):
        yield Wire(port)
