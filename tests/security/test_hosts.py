"""By which names the edge may be called, and where it never leads: rows 41 and 42 of the security table."""

from collections.abc import AsyncIterator
from dataclasses import replace
from importlib.metadata import version

import pytest

from gateway.deps import Parts
from gateway.settings import LOOPBACK, GatewaySettings
from infra.process.settings import MISCONFIGURED, load

from .conftest import BASE, Client, calling, registered, session
from .wire import Wire, wired

KNOWN = frozenset({"edge.example.org", "[::1]"})


@pytest.fixture
def known(parts: Parts) -> Parts:
    """Returns the parts of an edge that has names."""
    return replace(parts, door=replace(parts.door, hosts=KNOWN))


@pytest.fixture
async def wire(known: Parts) -> AsyncIterator[Wire]:
    async with wired(known) as made:
        yield made


@pytest.mark.parametrize(
    "lines",
    [
        b"Host: evil.example\r\n",
        b"Host: edge.example.org.evil.example\r\n",
        b"Host: x/admin?\r\n",
        b"Host: edge.example.org/admin\r\n",
        b"Host: edge.example.org#\r\n",
        b"Host: evil@edge.example.org\r\n",
        b"Host: edge.example.org:80:80\r\n",
        b"Host: edge.example.org:port\r\n",
        b"Host: edge.example.org evil.example\r\n",
        b"Host: edge.example.org, evil.example\r\n",
        b"Host: [::1\r\n",
        b"Host: \xe9dge.example.org\r\n",
        b"Host:\r\n",
        b"",
        b"Host: edge.example.org\r\nHost: evil.example\r\n",
        b"Host: edge.example.org\r\nHost: edge.example.org\r\n",
    ],
)
async def test_s41_another_host_is_refused(wire: Wire, lines: bytes) -> None:
    for path in (b"/health", b"/api/v1/orders", b"/nowhere"):
        heard = await wire.say(b"GET " + path + b" HTTP/1.1\r\n" + lines + b"\r\n")
        assert (heard.status, heard.closed) == (400, True)
        assert b'"code":"bad_host"' in heard.raw
        assert b"evil" not in heard.raw


@pytest.mark.parametrize(
    "host", [b"edge.example.org", b"EDGE.Example.org", b"edge.example.org:8080", b"[::1]:80"]
)
async def test_s41_its_own_names_are_served(wire: Wire, host: bytes) -> None:
    heard = await wire.say(b"GET /health HTTP/1.1\r\nHost: " + host + b"\r\n\r\n")
    assert heard.status == 200


async def test_s41_an_absolute_address_is_a_path_and_no_more(wire: Wire) -> None:
    for host, status in ((b"edge.example.org", 200), (b"evil.example", 400)):
        asked = b"GET http://evil.example/health HTTP/1.1\r\nHost: " + host + b"\r\n\r\n"
        heard = await wire.say(asked)
        assert heard.status == status
        assert b"evil" not in heard.raw
    assert (await wire.say(b"GET http://evil.example/health HTTP/1.1\r\n\r\n")).status == 400


def test_s41_nobody_but_loopback_is_known_unless_told(monkeypatch: pytest.MonkeyPatch) -> None:
    for environment in ("development", "production"):
        monkeypatch.setenv("ORDERSTREAM_ENV", environment)
        monkeypatch.setenv("ORDERSTREAM_CURSOR_KEY", "b0" * 20)
        assert GatewaySettings().hosts == LOOPBACK
    monkeypatch.setenv("ORDERSTREAM_HOSTS", '["api.example.org"]')
    assert GatewaySettings().hosts == {"api.example.org"}


@pytest.mark.parametrize("wrong", ['["*"]', '["*.example.org"]', '["a/b"]', '["a:80"]', '[""]'])
def test_s41_no_name_has_a_star_or_a_port(monkeypatch: pytest.MonkeyPatch, wrong: str) -> None:
    monkeypatch.setenv("ORDERSTREAM_HOSTS", wrong)
    with pytest.raises(SystemExit) as ended:
        load(GatewaySettings)
    assert ended.value.code == MISCONFIGURED


def test_s41_starlette_keeps_a_host_out_of_the_path() -> None:
    assert tuple(map(int, version("starlette").split(".")[:3])) >= (1, 0, 1)


@pytest.mark.parametrize(
    "path",
    [
        "/orders/",
        "/api/v1/orders/",
        "/api/v1/orders//",
        "//evil.example",
        "//evil.example/",
        "///evil.example/%2e%2e",
        "/\\evil.example",
        "/%5cevil.example",
        "/%0d%0aLocation:%20https://evil.example",
        "/api/v1/auth/login?next=https://evil.example",
        "/api/v1/auth/me/?next=//evil.example",
        "/docs/?url=https://evil.example",
        "/health/?redirect_uri=https://evil.example",
    ],
)
async def test_s42_no_answer_leads_away(parts: Parts, path: str) -> None:
    async with calling(parts) as client:
        await registered(client)
        headers = await session(client)
        for method in ("GET", "POST", "HEAD"):
            answer = await client.request(
                method, f"https://edge.example.org{path}", headers=headers, follow_redirects=False
            )
            assert answer.status_code not in range(300, 400)
            assert "Location" not in answer.headers
            assert "Refresh" not in answer.headers
            assert "set-cookie" not in answer.headers


async def test_s42_where_a_location_leads_is_the_edge_s_own_word(client: Client) -> None:
    await registered(client)
    headers = await session(client) | {"Prefer": "respond-async", "Host": "evil.example"}
    answer = await client.post(f"{BASE}/balance/deposit", headers=headers, json={"amount": "1.00"})
    assert answer.status_code in (201, 202)
    assert answer.headers.get("Location", BASE).startswith(BASE)
