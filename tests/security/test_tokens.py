"""Access tokens: rows 11 to 15 of the security table. What is not ours to the byte, or not valid now, is refused."""

import json
import random
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from gateway.auth import AUDIENCE, ISSUER, LEEWAY, TOKEN_LIFE, Tokens, sign

from .conftest import BASE, log_in
from .forging import CLAIMS, CLOCK, HEADER, KEY, KID, TOKENS, Edge, code, edge, ends, forge, part

__all__ = ["edge"]
OTHER_ALGORITHMS = ("none", "None", "nOnE", "", "HS256", "RS256", "ES256", "EdDSA ")
FUZZED = 10_000


def test_what_is_issued_is_read() -> None:
    claims = TOKENS.verify(TOKENS.issue("018f-a", "s-1"))
    assert (claims.sub, claims.sid, claims.exp - claims.iat) == ("018f-a", "s-1", 600)


async def test_s11_no_other_algorithm_is_known(edge: Edge) -> None:
    headers = [HEADER | {"alg": alg} for alg in OTHER_ALGORITHMS]
    await edge.closed(edge.forge(header) for header in headers)
    await edge.closed(f"{part(header)}.{part(edge.claims)}." for header in headers)
    await edge.closed([f"{part(HEADER)}.{part(edge.claims)}.", f"{part(HEADER)}..{part(b'x')}"])


async def test_s11_the_public_key_is_no_shared_secret(edge: Edge) -> None:
    public, kinds = KEY.public_key(), serialization.PublicFormat
    raw = public.public_bytes(serialization.Encoding.Raw, kinds.Raw)
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": part(raw)}
    secrets = [
        public.public_bytes(serialization.Encoding.PEM, kinds.SubjectPublicKeyInfo),
        public.public_bytes(serialization.Encoding.DER, kinds.SubjectPublicKeyInfo),
        raw,
        json.dumps(jwk).encode(),
        json.dumps(jwk, separators=(",", ":"), sort_keys=True).encode(),
    ]
    hmac = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    signed = f"{part(HEADER | {'alg': 'HS256'})}.{part(edge.claims)}"
    await edge.closed(f"{signed}.{part(hmac.sign(signed.encode(), each))}" for each in secrets)


async def test_s11_a_key_of_another_kind_signs_nothing(edge: Edge) -> None:
    headers = {"typ": "at+jwt", "kid": KID}
    await edge.closed(
        [
            jwt.encode(edge.claims, rsa.generate_private_key(65_537, 2_048), "RS256", headers),
            jwt.encode(edge.claims, ec.generate_private_key(ec.SECP256R1()), "ES256", headers),
            sign(edge.claims, KID, Ed25519PrivateKey.generate()),
        ]
    )


async def test_s12_no_key_material_comes_with_a_token(edge: Edge) -> None:
    foreign = Ed25519PrivateKey.generate().public_key()
    raw = foreign.public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    jwk = {"kty": "OKP", "crv": "Ed25519", "x": part(raw)}
    given: list[dict[str, Any]] = [
        {"jku": "https://evil.example/keys"},
        {"x5u": "https://evil.example/chain"},
        {"jwk": jwk},
        {"x5c": ["MIIB"]},
        {"crit": ["exp"]},
        {"b64": False, "crit": ["b64"]},
    ]
    with connections() as made:
        await edge.closed(edge.forge(HEADER | each) for each in given)
        assert not made
        with socket.socket() as probe:
            probe.connect_ex(("127.0.0.1", 9))
        assert made  # so one would have been seen


@contextmanager
def connections() -> Iterator[list[object]]:
    """Yields where to this process connects meanwhile."""
    made: list[object] = []
    open_ = True

    def hear(event: str, told: tuple[object, ...]) -> None:
        if open_ and event in ("socket.connect", "socket.getaddrinfo"):
            made.append(told)

    sys.addaudithook(hear)
    yield made
    open_ = False


async def test_s12_no_other_key_is_known(edge: Edge) -> None:
    kids = ["2026-01", "../../dev/null", "' OR 1", "k" * 10_240, "", 5, None, [KID], KID + "\0"]
    await edge.closed(edge.forge(HEADER | {"kid": kid}) for kid in kids)
    await edge.closed([edge.forge({name: HEADER[name] for name in ("alg", "typ")})])


async def test_s13_another_issuer_audience_or_type_is_refused(edge: Edge) -> None:
    for iss in (ISSUER[:-1], ISSUER + "/", [ISSUER]):
        await edge.closed([edge.forge(iss=iss)])
    for aud in ("another-api", [AUDIENCE, "another-api"], []):
        await edge.closed([edge.forge(aud=aud)])
    types = ("JWT", "rt+jwt", "AT+JWT", "at+jwt ", "application/at+jwt", None)
    await edge.closed(edge.forge(HEADER | {"typ": typ}) for typ in types)


async def test_s13_a_token_opens_its_own_session_alone(edge: Edge) -> None:
    await edge.closed([edge.forge(sub="00000000-0000-7000-8000-000000000000")])
    await edge.closed([edge.forge(sid="s-1")], "session_revoked")
    await edge.closed([edge.forge(sub=5), edge.forge(sid=None), edge.forge(admin=True)])


async def test_s14_a_time_is_a_whole_number_and_a_life_ten_minutes(edge: Edge) -> None:
    now = edge.claims["iat"]
    for name in ("exp", "nbf", "iat"):
        wrong: tuple[object, ...] = (
            "1",
            str(now),
            now + 0.0,
            now + 0.5,
            -1,
            10**400,
            None,
            True,
            [now],
            {},
        )
        await edge.closed(edge.forge(**{name: value}) for value in wrong)
    await edge.closed(
        [
            edge.forge(exp=253_402_300_799),  # in the year 9999
            edge.forge(exp=now + TOKEN_LIFE + 1),
            edge.forge(nbf=now + LEEWAY + 1),
            edge.forge(iat=now + LEEWAY + 1, exp=now + 500),
        ]
    )
    await edge.opens(edge.forge(nbf=now + LEEWAY - 1, iat=now + LEEWAY - 1))


async def test_s14_a_token_ends_with_five_seconds_of_grace(edge: Edge) -> None:
    edge.twins.clock.ms += (TOKEN_LIFE + 4) * 1000
    await edge.opens(edge.forge())
    edge.twins.clock.ms += 2_000
    await edge.closed([edge.forge()], "token_expired")


@pytest.mark.parametrize("name", CLAIMS)
async def test_s14_no_claim_may_be_missing(edge: Edge, name: str) -> None:
    await edge.closed([forge(payload={k: v for k, v in edge.claims.items() if k != name})])


async def test_s15_what_is_malformed_is_refused(edge: Edge) -> None:
    whole, claims = edge.forge(), edge.claims
    payloads: tuple[object, ...] = (b"not json", [], b"[" * 2_000, b"\xff", b"{}")
    twice = json.dumps(claims)[:-1].encode() + b',"sub":"018f-b"}'
    await edge.closed(
        [
            *(".", "..", "...", "a.b", "a.b.c.d"),
            whole.rpartition(".")[0],
            whole + ".x",
            whole + "=",
            whole + "\n",
            whole.replace(".", ".\n", 1),
            whole.replace(".", "..", 1),
            whole + " ",
            whole + ", Basic dTpw",
            edge.forge(sid="s" * 5_000),
            forge(payload=twice),
            *(forge(payload=raw) for raw in payloads),
            edge.forge(HEADER | {"extra": 1}),
            edge.forge(json.dumps(HEADER).encode()),
            "é.é.é",
        ]
    )


async def test_s15_there_is_one_header_with_one_scheme(edge: Edge) -> None:
    bearer = ("authorization", f"Bearer {edge.forge()}")
    before = ends(edge.twins)
    await edge.refuses([bearer, bearer], "invalid_token")
    await edge.refuses([bearer, ("Authorization", "Basic dTpw")], "invalid_token")
    for value in ("Basic dTpw", "Bearer", edge.forge(), f"Token {edge.forge()}", "\t", "Bearer\0x"):
        await edge.refuses([("authorization", value)], "invalid_token")
    assert ends(edge.twins) == before


@given(st.integers(0, len(forge()) - 1), st.characters(exclude_categories=["Cs"]))
def test_s15_no_character_can_be_changed(place: int, character: str) -> None:
    token = forge()
    changed = token[:place] + character + token[place + 1 :]
    assert code(changed) == (None if changed == token else "invalid_token")


@pytest.mark.slow
async def test_s15_whatever_is_sent_is_answered(edge: Edge) -> None:
    chance = random.Random(15)
    whole = edge.forge().encode()
    statuses = set()
    for _ in range(FUZZED):
        headers = [(b"authorization", b"Bearer " + mangled(whole, chance))]
        answer = await edge.client.get(f"{BASE}/auth/me", headers=headers)
        statuses.add(answer.status_code)
    assert statuses <= {200, 401}
    assert 401 in statuses


def mangled(token: bytes, chance: random.Random) -> bytes:
    """Returns the token with some bytes replaced, left out, or put in."""
    made = bytearray(token)
    for _ in range(chance.randint(1, 8)):
        place = chance.randrange(len(made) + 1)
        taken = chance.choice((0, 1, 1, chance.randrange(len(made) + 1)))
        made[place : place + taken] = chance.randbytes(chance.choice((0, 1, 1, 2)))
    return bytes(made)


async def test_a_signature_is_checked_once_and_what_is_refused_each_time() -> None:
    tokens = Tokens({KID: KEY}, CLOCK)
    for token in chain([tokens.issue("018f-a", "s-1")], [forge()[:-1]] * 2):
        code(token, tokens)
        code(token, tokens)
    known = tokens._read.cache_info()
    assert (known.hits, known.currsize) == (1, 1)


async def test_s13_a_refresh_token_is_no_access_token(edge: Edge) -> None:
    pair = (await log_in(edge.client)).json()
    await edge.closed([pair["refresh_token"]])
