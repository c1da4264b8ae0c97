"""A proxy before one broker that knows Kafka's frames: what passes it may be late, lost, doubled or cut, by request.

A broker answers the requests of a connection one by one, so the proxy lets each pass with its answer before the next.
The broker must advertise the proxy's port on the listener behind it, else clients walk round the proxy.
"""

import asyncio
import struct
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from enum import IntEnum
from random import Random
from types import TracebackType
from typing import NamedTuple, Self

CHUNK = 1 << 16
AT = struct.Struct(">i")


class Api(IntEnum):
    """Kafka's number of a request, for those that faults are about."""

    PRODUCE = 0
    FETCH = 1
    LIST_OFFSETS = 2
    METADATA = 3
    FIND_COORDINATOR = 10
    INIT_PRODUCER_ID = 22
    ADD_PARTITIONS_TO_TXN = 24
    END_TXN = 26


class Cut(Exception):
    """The connection ends here, on both sides."""


class Stream(NamedTuple):
    """One side of a connection."""

    reader: StreamReader
    writer: StreamWriter

    async def take(self) -> bytes:
        """Returns the next frame without its length. Raises: IncompleteReadError at the end."""
        (length,) = AT.unpack(await self.reader.readexactly(AT.size))
        return await self.reader.readexactly(length)

    async def put(self, frame: bytes) -> None:
        self.writer.write(AT.pack(len(frame)) + frame)
        await self.writer.drain()


class Exchange(NamedTuple):
    """A request, and the two sides that it and its answer pass."""

    request: bytes
    client: Stream
    broker: Stream

    @property
    def api(self) -> int:
        """Returns the number of the request's kind."""
        return int.from_bytes(self.request[:2])


Fault = Callable[[Exchange], Awaitable[None]]
"""Passes an exchange on, or does not. Raises: Cut."""


async def unharmed(exchange: Exchange) -> None:
    await exchange.broker.put(exchange.request)
    await exchange.client.put(await exchange.broker.take())


async def lose_request(exchange: Exchange) -> None:
    raise Cut


async def lose_answer(exchange: Exchange) -> None:
    """Has it done, and cuts the client off before it hears of it."""
    await exchange.broker.put(exchange.request)
    await exchange.broker.take()
    raise Cut


async def tear(exchange: Exchange) -> None:
    """Cuts both sides off in the middle of the request."""
    frame = AT.pack(len(exchange.request)) + exchange.request
    exchange.broker.writer.write(frame[: len(frame) // 2])
    await exchange.broker.writer.drain()
    raise Cut


async def double(exchange: Exchange) -> None:
    """Has the request arrive twice; the second answer is nobody's."""
    await exchange.broker.put(exchange.request)
    await unharmed(exchange)
    await exchange.broker.take()


async def half_open(exchange: Exchange) -> None:
    """Lets this and all that follows vanish, until the client gives up."""
    while await exchange.client.reader.read(CHUNK):
        pass
    raise Cut


async def answer_half_open(exchange: Exchange) -> None:
    """Has it done, and leaves the client without an answer until it gives up."""
    await exchange.broker.put(exchange.request)
    await exchange.broker.take()
    await half_open(exchange)


def delay(ms: int) -> Fault:
    """Returns a fault: the request waits, and all behind it."""

    async def late(exchange: Exchange) -> None:
        await asyncio.sleep(ms / 1000)
        await unharmed(exchange)

    return late


def delay_answer(ms: int) -> Fault:
    """Returns a fault: it is done at once, and the client hears of it later."""

    async def late_answer(exchange: Exchange) -> None:
        await exchange.broker.put(exchange.request)
        answer = await exchange.broker.take()
        await asyncio.sleep(ms / 1000)
        await exchange.client.put(answer)

    return late_answer


class Hold:
    """A fault: keeps the request for later, and cuts the client off."""

    def __init__(self) -> None:
        self.kept: list[bytes] = []
        self._came = asyncio.Event()

    async def __call__(self, exchange: Exchange) -> None:
        self.kept.append(exchange.request)
        self._came.set()
        raise Cut

    async def came(self) -> None:
        """Returns when one is kept."""
        await self._came.wait()

    async def release(self, port: int) -> list[bytes]:
        """Returns the answers to all that were kept, delivered to the broker now."""
        self._came.clear()
        kept, self.kept = self.kept, []
        return [await delivered(request, port) for request in kept]


async def delivered(request: bytes, port: int) -> bytes:
    """Returns the broker's answer to a request that arrives by a connection of its own."""
    broker = Stream(*await asyncio.open_connection("127.0.0.1", port))
    try:
        await broker.put(request)
        return await broker.take()
    finally:
        broker.writer.close()


Choice = Callable[[int], Fault]
"""Returns what becomes of the next request of this kind."""


def calm(_: int) -> Fault:
    return unharmed


def strike(fault: Fault, *apis: int, times: int | None = None) -> Choice:
    """Returns a choice: the fault strikes these kinds, the first so many; None: all."""
    left = [times]

    def choice(api: int) -> Fault:
        if api not in apis or left[0] == 0:
            return unharmed
        left[0] = left[0] and left[0] - 1
        return fault

    return choice


def weather(rng: Random, faults: Sequence[Fault], one_in: Mapping[int, int]) -> Choice:
    """Returns a choice: any of the faults strikes one in so many requests of a kind."""

    def choice(api: int) -> Fault:
        strikes = api in one_in and rng.randrange(one_in[api]) == 0
        return rng.choice(faults) if strikes else unharmed

    return choice


def either(*choices: Choice) -> Choice:
    """Returns a choice: the first fault that any of them has for a request."""

    def choice(api: int) -> Fault:
        chosen = (each(api) for each in choices)
        return next((fault for fault in chosen if fault is not unharmed), unharmed)

    return choice


class Proxy:
    """Listens on a port of its own. choice: what becomes of requests; may be changed at any time."""

    def __init__(self, inside: int, outside: int = 0) -> None:
        self.inside, self.port = inside, outside
        self.choice: Choice = calm
        self.struck: Counter[int] = Counter()
        self._open: set[asyncio.Task[None]] = set()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None
    ) -> None:
        self._server.close()
        self.cut()
        await asyncio.gather(*self._open, return_exceptions=True)

    def cut(self) -> None:
        """Ends every connection."""
        for connection in self._open:
            connection.cancel()

    def _accept(self, reader: StreamReader, writer: StreamWriter) -> None:
        connection = asyncio.create_task(self._serve(Stream(reader, writer)))
        self._open.add(connection)
        connection.add_done_callback(self._open.discard)

    async def _serve(self, client: Stream) -> None:
        try:
            broker = Stream(*await asyncio.open_connection("127.0.0.1", self.inside))
        except OSError:
            client.writer.close()
            return
        try:
            with suppress(Cut, IncompleteReadError, ConnectionError):
                while True:
                    await self._pass(Exchange(await client.take(), client, broker))
        finally:
            client.writer.close()
            broker.writer.close()

    async def _pass(self, exchange: Exchange) -> None:
        fault = self.choice(exchange.api)
        if fault is not unharmed:
            self.struck[exchange.api] += 1
        await fault(exchange)
