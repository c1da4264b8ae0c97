"""Paths that look for files, and parts of answers: rows 43 and 44 of the security table.

The edge serves no file yet: whatever looks for one finds nothing.
"""

from collections.abc import AsyncIterator
from time import perf_counter

import pytest

from gateway.deps import Parts

from .conftest import BASE, Client
from .wire import Wire, wired

QUICKLY_S = 0.05
PATHS = [
    "/../etc/passwd",
    "/../../../../etc/passwd",
    "/%2e%2e/etc/passwd",
    "/..%2fetc/passwd",
    "/%252e%252e/etc/passwd",
    "/..%c0%afetc/passwd",
    "/....//etc/passwd",
    "/assets/..\\..\\etc\\passwd",
    "/assets/..%5c..%5cetc%5cpasswd",
    "/assets/%00",
    "/assets/index.js%00.html",
    "/docs/../../etc/passwd",
    "/api/v1/../../etc/passwd",
    "/static-secret/key.pem",
    "/.git/config",
    "/.env",
    "/.run/keys/0-development.pem",
    "/gateway/app.py",
    "/assets/x.map",
    "/etc/passwd",
    "//etc/passwd",
]


@pytest.fixture
async def wire(parts: Parts) -> AsyncIterator[Wire]:
    async with wired(parts) as made:
        yield made


@pytest.mark.parametrize("path", PATHS)
async def test_s43_no_path_leads_to_a_file(wire: Wire, path: str) -> None:
    for method in (b"GET", b"HEAD"):
        heard = await wire.say(method + b" " + path.encode() + b" HTTP/1.1\r\nHost: edge\r\n\r\n")
        assert heard.status == 404
        assert b"root:" not in heard.raw
        assert b"PRIVATE" not in heard.raw


@pytest.mark.parametrize("path", ["/health", "/openapi.json", "/docs", f"{BASE}/inventory/assets"])
async def test_s44_nobody_gets_parts_of_an_answer(client: Client, path: str) -> None:
    whole = await client.get(path)
    for ranges in (
        "bytes=" + ",".join(["0-0"] * 3_000),
        "bytes=" + ",".join(f"{n}-" for n in range(2_000)),
        "bytes=0-",
        "bytes=-1",
        "bytes=9-0",
    ):
        begun = perf_counter()
        answer = await client.get(path, headers={"Range": ranges})
        assert (answer.status_code, answer.content) == (200, whole.content)
        assert "Content-Range" not in answer.headers
        assert perf_counter() - begun < 10 * QUICKLY_S  # on a machine that does other things too
    assert "Accept-Ranges" not in whole.headers
