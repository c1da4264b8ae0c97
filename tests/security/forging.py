"""Tokens with any header and any claims, signed with the key of the edge under attack."""

import base64
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from events.topics import BALANCE_COMMANDS, ORDER_COMMANDS
from gateway.auth import AUDIENCE, ISSUER, TOKEN_LIFE, Tokens
from gateway.deps import Parts
from gateway.problems import Refused
from tests.gateway.conftest import Clock, Twins

from .conftest import BASE, Client, calling, log_in, registered

KID = "2027-01"
KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))  # so that the tests have fixed names
CLOCK = Clock()
NOW = CLOCK.ms // 1000
TOKENS = Tokens({KID: KEY}, CLOCK)
CLAIMS = {
    "iss": ISSUER,
    "aud": AUDIENCE,
    "sub": "018f-a",
    "sid": "s-1",
    "iat": NOW,
    "nbf": NOW,
    "exp": NOW + TOKEN_LIFE,
    "jti": "j-1",
}
HEADER = {"alg": "EdDSA", "kid": KID, "typ": "at+jwt"}
DEPOSIT = {"amount": "1.00"}


def part(value: object) -> str:
    """Returns JSON as a part of a token: base64url, unpadded."""
    raw = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def forge(header: object = HEADER, payload: object = CLAIMS) -> str:
    """Returns a token that our own key signed, whatever it says."""
    signed = f"{part(header)}.{part(payload)}"
    return f"{signed}.{part(KEY.sign(signed.encode()))}"


def code(token: str, tokens: Tokens = TOKENS) -> str | None:
    """Returns the code with which the token is refused, None if it is not."""
    try:
        tokens.verify(token)
    except Refused as refused:
        return refused.code
    return None


class Edge:
    """An edge that takes KEY's tokens. claims: of a session that is open there."""

    def __init__(self, client: Client, twins: Twins, claims: dict[str, Any]) -> None:
        self.client, self.twins, self.claims = client, twins, claims

    def forge(self, header: object = HEADER, **claims: object) -> str:
        """Returns the open session's token, changed in these claims."""
        return forge(header, self.claims | claims)

    async def opens(self, token: str) -> None:
        assert (await self.client.get(f"{BASE}/auth/me", headers=told(token))).status_code == 200

    async def closed(self, tokens: Iterable[str], expected: str = "invalid_token") -> None:
        """Raises: AssertionError unless each is refused so, to read and to write, and nothing comes of it."""
        before = ends(self.twins)
        for token in tokens:
            await self.refuses([("authorization", f"Bearer {token}")], expected)
        assert ends(self.twins) == before

    async def refuses(self, headers: list[tuple[str, str]], expected: str) -> None:
        raw = [(name.encode(), value.encode()) for name, value in headers]
        for method, path, body in (
            ("GET", "/auth/me", None),
            ("POST", "/balance/deposit", DEPOSIT),
        ):
            answer = await self.client.request(method, f"{BASE}{path}", json=body, headers=raw)
            said = (answer.status_code, answer.json()["code"])
            assert said == (401, expected), (headers, answer.text)
            assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def told(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def ends(twins: Twins) -> list[int]:
    """Returns how far the topics of commands go."""
    return [len(twins.backstage.log[topic.name]) for topic in (ORDER_COMMANDS, BALANCE_COMMANDS)]


@pytest.fixture
async def edge(parts: Parts, twins: Twins) -> AsyncIterator[Edge]:
    tokens = Tokens({KID: KEY}, twins.clock)
    async with calling(replace(parts, tokens=tokens)) as client:
        await registered(client)
        access = (await log_in(client)).json()["access_token"]
        opened = Edge(client, twins, tokens.verify(access).model_dump())
        await opened.opens(opened.forge())  # so each forgery is refused for what it says
        yield opened
