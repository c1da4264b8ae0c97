"""An HTTP/1.1 client that does the least: the load's maker shares the machine with what it measures."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

Json = Mapping[str, Any]
Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Answer(NamedTuple):
    status: int
    body: Any


class Server:
    """A server's address and the connections to it that nobody uses at the moment."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self.host, self.port = str(parts.hostname), int(parts.port or 80)
        self._idle: list[Connection] = []

    async def ask(
        self, method: str, path: str, body: Json | None = None, headers: Json | None = None
    ) -> Answer:
        """Returns the answer, by a connection that is idle or a new one. Raises: OSError, EOFError."""
        reader, writer = self._alive() or await asyncio.open_connection(self.host, self.port)
        writer.write(request(method, path, body, {"host": self.host, **(headers or {})}))
        answer = await read(reader)
        self._idle.append((reader, writer))
        return answer

    def _alive(self) -> Connection | None:
        """Returns an idle connection that the server has not closed meanwhile."""
        while self._idle:
            reader, writer = self._idle.pop()
            if not reader.at_eof():
                return reader, writer
            writer.close()
        return None

    def close(self) -> None:
        for _, writer in self._idle:
            writer.close()


@asynccontextmanager
async def server(url: str) -> AsyncIterator[Server]:
    """Returns a client of the server while the block runs."""
    asked = Server(url)
    try:
        yield asked
    finally:
        asked.close()


def request(method: str, path: str, body: Json | None, headers: Json) -> bytes:
    """Returns the request as it goes over the wire."""
    raw = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    if body is not None:
        lines += ["content-type: application/json", f"content-length: {len(raw)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


async def read(reader: asyncio.StreamReader) -> Answer:
    """Returns the answer. It must say its length."""
    head, *lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
    length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
    raw = await reader.readexactly(length)
    return Answer(int(head.split(b" ")[1]), json.loads(raw) if raw else None)
