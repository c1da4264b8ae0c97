"""How a request is cut out of a connection, over real sockets: rows 33, 34, 38 and 40 of the security table."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from time import monotonic

import httpx2
import pytest

from gateway.deps import Door, Parts
from gateway.proper import MAX_HEADERS, MAX_URL
from gateway.rates import DEVELOPMENT, Rates
from gateway.route import MAX_BODY
from infra.process.server import HEADERS_MS
from infra.stores.limits import Buckets

from .wire import HOST, Heard, Wire, listen, wired

LOGIN = b"POST /api/v1/auth/login HTTP/1.1\r\nHost: edge\r\nContent-Type: application/json\r\n"
GET = b"GET /health HTTP/1.1\r\nHost: edge\r\n"
BODY = b'{"username":"ada","password":"x"}'
CHUNKS = b"21\r\n" + BODY + b"\r\n0\r\n\r\n"
SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: edge\r\n\r\n"


@pytest.fixture
async def wire(parts: Parts) -> AsyncIterator[Wire]:
    async with wired(parts) as made:
        yield made


def length(value: bytes) -> bytes:
    return LOGIN + b"Content-Length: " + value + b"\r\n\r\n" + BODY


def coded(value: bytes) -> bytes:
    return LOGIN + b"Transfer-Encoding: " + value + b"\r\n\r\n" + CHUNKS


def chunked(body: bytes) -> bytes:
    return LOGIN + b"Transfer-Encoding: chunked\r\n\r\n" + body


REFUSED = {
    "two lengths": LOGIN + b"Content-Length: 33\r\nContent-Length: 34\r\n\r\n" + BODY,
    "a list of lengths": length(b"33, 33"),
    "a length with a sign": length(b"+33"),
    "a negative length": length(b"-33"),
    "a hexadecimal length": length(b"0x21"),
    "an empty length": length(b""),
    "a length with a blank": length(b"3 3"),
    "a length beyond counting": length(b"9" * 30),
    "xchunked": coded(b"xchunked"),
    "identity": coded(b"identity"),
    "chunked twice": coded(b"chunked, chunked"),
    "gzip in chunks": coded(b"gzip, chunked"),
    "chunks in gzip": coded(b"chunked, gzip"),
    "a quoted coding": coded(b'"chunked"'),
    "a vertical tab before the coding": coded(b"\x0bchunked"),
    "an empty coding": coded(b""),
    "two codings": LOGIN
    + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n"
    + CHUNKS,
    "chunks in HTTP/1.0": chunked(CHUNKS).replace(b"HTTP/1.1", b"HTTP/1.0"),
    "a folded header": LOGIN + b"X-A: b\r\n c\r\nContent-Length: 33\r\n\r\n" + BODY,
    "a folded coding": LOGIN + b"Transfer-Encoding:\r\n chunked\r\n\r\n" + CHUNKS,
    "a bare CR": LOGIN + b"X-A: b\rContent-Length: 33\r\n\r\n" + BODY,
    "a blank before the colon": LOGIN + b"Content-Length : 33\r\n\r\n" + BODY,
    "a tab before the colon": LOGIN + b"Content-Length\t: 33\r\n\r\n" + BODY,
    "a blank before the first header": LOGIN.replace(b"Host", b" Host") + b"\r\n",
    "NUL in a value": LOGIN + b"X-A: a\0b\r\n\r\n",
    "NUL in a name": LOGIN + b"X\0A: ab\r\n\r\n",
    "no colon": LOGIN + b"X-A\r\n\r\n",
    "no name": LOGIN + b": a\r\n\r\n",
    "a line end in a chunk's extension": chunked(b"21;a\nb\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "an extension of a megabyte": chunked(
        b"21;a=" + b"b" * 2**20 + b"\r\n" + BODY + b"\r\n0\r\n\r\n"
    ),
    "a negative chunk": chunked(b"-21\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk of 0x": chunked(b"0x21\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk beyond counting": chunked(b"f" * 17 + b"\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "a chunk without a size": chunked(b"\r\n" + BODY + b"\r\n0\r\n\r\n"),
    "chunks with bare LF": chunked(CHUNKS.replace(b"\r\n", b"\n")),
    "a chunk without its end": chunked(b"21\r\n" + BODY + b"0\r\n\r\n"),
    "tabs in the first line": LOGIN.replace(b" ", b"\t", 2) + b"\r\n",
    "two blanks in the first line": LOGIN.replace(b"POST ", b"POST  ") + b"\r\n",
    "HTTP/1.2": LOGIN.replace(b"HTTP/1.1", b"HTTP/1.2") + b"\r\n",
    "HTTP/2.0": LOGIN.replace(b"HTTP/1.1", b"HTTP/2.0") + b"\r\n",
    "HTTP/0.9": b"GET /health\r\n\r\n",
}


@pytest.mark.parametrize("said", REFUSED.values(), ids=REFUSED)
async def test_s40_what_others_may_cut_otherwise_is_refused_and_the_connection_closed(
    wire: Wire, said: bytes
) -> None:
    heard = await wire.say(said + SMUGGLED)
    assert (heard.status, heard.closed) == (400, True), heard


@pytest.mark.parametrize(
    "both",
    [
        b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n",
        b"Transfer-Encoding: chunked\r\nContent-Length: 4\r\n",
    ],
)
async def test_s40_of_a_length_and_chunks_the_chunks_count_and_nothing_after_them(
    wire: Wire, both: bytes
) -> None:
    # The HTTP server drops the length, as RFC 9112 lets it, and closes: what follows is never a request.
    heard = await wire.say(LOGIN + both + b"\r\n" + CHUNKS + SMUGGLED)
    assert (heard.statuses, heard.closed) == ([401], True)


@pytest.mark.parametrize(
    "said",
    [
        length(b"33"),
        chunked(CHUNKS),
        chunked(b"21;a=b\r\n" + BODY + b"\r\n0\r\n\r\n"),
        LOGIN + b"Content-Length: 33\r\nContent-Length: 33\r\n\r\n" + BODY,
        length(b"33").replace(b"\r\n", b"\n"),
    ],
    ids=["length", "chunks", "an extension", "one length said twice", "bare LF"],
)
async def test_s40_what_has_one_end_has_one_answer_and_so_has_the_next(
    wire: Wire, said: bytes
) -> None:
    heard = await wire.say(said + SMUGGLED)
    assert heard.statuses == [401, 404]


async def test_s40_it_speaks_one_protocol(wire: Wire) -> None:
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0"
    assert (await wire.say(preface)).status in (0, 400)
    for upgrade in (b"h2c\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA", b"websocket"):
        asked = GET + b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: " + upgrade + b"\r\n\r\n"
        assert (await wire.say(asked)).status == 200


@pytest.mark.parametrize("line", [b"CONNECT evil.example:443", b"TRACE /health", b"get /health"])
async def test_s38_a_method_that_there_isn_t_is_none_on_the_wire(wire: Wire, line: bytes) -> None:
    heard = await wire.say(line + b" HTTP/1.1\r\nHost: edge\r\n\r\n")
    assert heard.status == (404 if line.startswith(b"CONNECT") else 405)  # what it names is no path
    assert b"problem+json" in heard.raw


async def test_s59_no_answer_names_the_http_server(wire: Wire) -> None:
    answers = [
        await wire.say(GET + b"\r\n"),
        await wire.say(b"GET /nowhere HTTP/1.1\r\nHost: edge\r\n\r\n"),
        await wire.say(length(b"x")),
        await wire.say(GET + b"X-A: " + b"a" * 100_000 + b"\r\n\r\n"),
    ]
    assert [heard.status for heard in answers] == [200, 404, 400, 431]
    for heard in answers:
        assert b"granian" not in heard.raw
        assert heard.header.count(b"\r\nserver:") == heard.header.count(b"\r\nserver: orderstream")
        assert b"x-powered-by" not in heard.header


async def test_s33_a_body_is_counted_while_it_is_read(wire: Wire) -> None:
    one_too_many = b" " * (MAX_BODY + 1)
    whole = LOGIN + b"Content-Length: %d\r\n\r\n" % len(one_too_many) + one_too_many
    announced = LOGIN + b"Content-Length: 10000000000\r\n\r\n" + one_too_many
    for said in (whole, announced):
        heard = await wire.say(said)
        assert (heard.status, heard.closed) == (413, True)
        assert b'"code":"body_too_large"' in heard.raw
    fits = LOGIN + b"Content-Length: %d\r\n\r\n" % MAX_BODY + BODY.ljust(MAX_BODY)
    assert (await wire.say(fits)).status == 401


async def test_s33_of_an_endless_body_hardly_anything_is_taken(wire: Wire) -> None:
    reader, writer = await asyncio.open_connection(HOST, wire.port)
    writer.write(LOGIN + b"Transfer-Encoding: chunked\r\n\r\n")
    sent, chunk = 0, b"10000\r\n" + b" " * 65_536 + b"\r\n"
    hearing = asyncio.create_task(listen(reader))
    try:
        while sent < 10 * 2**30 and not hearing.done():
            writer.write(chunk)
            await writer.drain()
            sent += len(chunk)
    except ConnectionError:
        pass
    heard = await hearing
    writer.close()
    assert heard.closed
    assert b" 413 " in heard.raw or not heard.raw  # an answer may be lost with what was not taken
    assert sent < 16 * 2**20  # the sockets' own buffers


@pytest.mark.parametrize(
    ("said", "status", "code"),
    [
        (GET + b"X-A: " + b"a" * MAX_HEADERS, 431, b'"headers_too_large"'),
        (
            GET + b"".join(b"X-%d: %s\r\n" % (n, b"a" * 200) for n in range(90)),
            431,
            b'"headers_too_large"',
        ),
        (GET + b"X-A: " + b"a" * 2**20, 431, b""),
        (GET + b"".join(b"X-%d: a\r\n" % n for n in range(200)), 431, b""),
        (b"GET /" + b"a" * MAX_URL + b" HTTP/1.1\r\nHost: edge", 414, b'"uri_too_long"'),
        (b"GET /health?" + b"a" * MAX_URL + b" HTTP/1.1\r\nHost: edge", 414, b'"uri_too_long"'),
    ],
    ids=["a header", "headers", "a megabyte", "two hundred", "path", "query"],
)
async def test_s33_a_head_has_bounds(wire: Wire, said: bytes, status: int, code: bytes) -> None:
    heard = await wire.say(said.removesuffix(b"\r\n") + b"\r\n\r\n")
    assert (heard.status, heard.closed) == (status, True)
    assert code in heard.raw


async def test_s33_what_fits_is_taken(wire: Wire) -> None:
    heard = await wire.say(GET + b"X-A: " + b"a" * (MAX_HEADERS - 100) + b"\r\n\r\n")
    assert heard.status == 200


def impatient(parts: Parts) -> Parts:
    return replace(parts, door=replace(parts.door, patience_s=1))


async def test_s34_a_body_that_does_not_come_is_given_up(parts: Parts) -> None:
    async with wired(impatient(parts)) as wire:
        begun = monotonic()
        heard = await wire.say(LOGIN + b"Content-Length: 33\r\n\r\n" + BODY[:5])
        assert (heard.status, heard.closed) == (408, True), heard
        assert b'"code":"request_timeout"' in heard.raw
        assert 0.9 < monotonic() - begun < 5


async def test_s34_a_body_that_is_cut_off_is_no_fault_of_ours(
    wire: Wire, caplog: pytest.LogCaptureFixture
) -> None:
    _, writer = await asyncio.open_connection(HOST, wire.port)
    writer.write(LOGIN + b"Content-Length: 33\r\n\r\n" + BODY[:5])
    await writer.drain()
    writer.close()
    assert (await wire.say(length(b"33"))).status == 401
    assert "request_failed" not in caplog.text


async def dripped(wire: Wire, head: bytes) -> None:
    """Returns once a client that sends a byte now and then is dropped."""
    reader, writer = await asyncio.open_connection(HOST, wire.port)
    writer.write(head)
    hearing = asyncio.create_task(listen(reader))
    while not hearing.done():
        writer.write(b"1")
        await asyncio.wait({hearing}, timeout=0.2)
    heard = await hearing
    writer.close()
    assert heard.closed or heard.status == 408  # which closes, if not at once
    assert heard.status in (0, 408)


async def test_s34_five_hundred_slow_clients_are_dropped_and_others_served(parts: Parts) -> None:
    async with wired(impatient(parts), headers_ms=1_000) as wire:
        heads = (GET + b"X-A: 1", LOGIN + b"Content-Length: 1000\r\n\r\n", b"", b"G")
        slow = asyncio.gather(*(dripped(wire, heads[n % len(heads)]) for n in range(500)))
        served = 0
        async with httpx2.AsyncClient(base_url=f"http://{HOST}:{wire.port}") as client:
            while not slow.done():
                assert (await client.get("/health", timeout=30)).status_code == 200
                served += 1
        assert served > 5
        await slow


def test_s34_nobody_has_longer_than_the_table_says(parts: Parts) -> None:
    assert HEADERS_MS <= 11_000
    defaults = Door(rates=Rates(DEVELOPMENT), buckets=Buckets(parts.now))
    assert defaults.patience_s <= 10


def test_what_was_heard_is_read_answer_by_answer() -> None:
    assert Heard(b"", closed=True).status == 0
    assert Heard(b"HTTP/1.1 200 OK\r\n\r\nHTTP/1.1 404 Not", closed=False).statuses == [200, 404]
