"""Is it ready? Each server asked in its own protocol by the few bytes it takes, without a driver."""

import asyncio
import struct
from contextlib import suppress

LIMIT = 1.0  # s
METADATA, VERSION = 3, 4


async def ask(port: int, question: bytes, length: int) -> bytes:
    """Returns the first bytes of the answer, b"" if none comes within the limit."""
    with suppress(OSError, TimeoutError, asyncio.IncompleteReadError):
        async with asyncio.timeout(LIMIT):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(question)
                return await reader.readexactly(length)
            finally:
                writer.close()
    return b""


async def http_status(port: int, path: str) -> int:
    """Returns the status with which the HTTP server answers a GET, 0 if it does not."""
    question = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n"
    answer = await ask(port, question.encode(), len("HTTP/1.1 200"))
    return int(answer[-3:]) if answer.startswith(b"HTTP/1.1 ") else 0


async def is_broker(port: int) -> bool:
    """Returns whether a Kafka broker listens that its controller has let in.

    A broker that was killed listens before that: it then knows of no broker, not even itself.
    """
    body = struct.pack(">hhihib", METADATA, VERSION, 0, -1, 0, 0)  # no client id, no topics
    answer = await ask(port, struct.pack(">i", len(body)) + body, 16)
    return bool(answer) and int(struct.unpack(">iiii", answer)[3]) > 0  # size, id, throttle, count


async def is_redis(port: int) -> bool:
    """Returns whether a Redis server listens that has loaded its data."""
    return await ask(port, b"PING\r\n", 7) == b"+PONG\r\n"
