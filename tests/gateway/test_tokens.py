"""Access tokens: what is not ours to the byte, or not valid now, is refused."""

import base64
import json
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from gateway.auth import (
    AUDIENCE,
    FIRST_KEY,
    ISSUER,
    TOKEN_LIFE,
    Tokens,
    ensure_development_key,
    load_keys,
    sign,
)
from gateway.problems import Refused

from .conftest import Clock

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))  # so that the tests have fixed names
CLOCK = Clock()
NOW = CLOCK.ms // 1000
TOKENS = Tokens({"2027-01": KEY}, CLOCK)
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
HEADER = {"alg": "EdDSA", "kid": "2027-01", "typ": "at+jwt"}


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


def test_what_is_issued_is_read() -> None:
    claims = TOKENS.verify(TOKENS.issue("018f-a", "s-1"))
    assert (claims.sub, claims.sid, claims.exp - claims.iat) == ("018f-a", "s-1", 600)
    assert code(forge()) is None  # so each forgery below is refused for what it says


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", "", "HS256", "RS256", "ES256", "EdDSA "])
def test_no_other_algorithm_is_known(alg: str) -> None:
    assert code(forge(HEADER | {"alg": alg})) == "invalid_token"
    unsigned = f"{part(HEADER | {'alg': alg})}.{part(CLAIMS)}."
    assert code(unsigned) == "invalid_token"


def test_the_public_key_is_no_shared_secret() -> None:
    public, kinds = KEY.public_key(), serialization.PublicFormat
    for secret in (
        public.public_bytes(serialization.Encoding.PEM, kinds.SubjectPublicKeyInfo),
        public.public_bytes(serialization.Encoding.Raw, kinds.Raw),
    ):
        signer = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
        signed = f"{part(HEADER | {'alg': 'HS256'})}.{part(CLAIMS)}"
        assert code(f"{signed}.{part(signer.sign(signed.encode(), secret))}") == "invalid_token"


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk", "x5c", "crit", "b64"])
def test_no_key_material_comes_with_a_token(name: str) -> None:
    assert code(forge(HEADER | {name: "https://evil.example"})) == "invalid_token"


@pytest.mark.parametrize("kid", ["2026-01", "../../dev/null", "' OR 1", "k" * 10_240, "", 5, None])
def test_no_other_key_is_known(kid: object) -> None:
    assert code(forge(HEADER | {"kid": kid})) == "invalid_token"


def test_another_key_under_our_name_is_refused() -> None:
    assert code(sign(CLAIMS, "2027-01", Ed25519PrivateKey.generate())) == "invalid_token"


@pytest.mark.parametrize(
    "claim",
    [
        {"iss": "order"},
        {"iss": ISSUER + "/"},
        {"iss": [ISSUER]},
        {"aud": "another-api"},
        {"aud": [AUDIENCE]},
        {"sub": 5},
        {"sid": None},
        {"admin": True},
        {"exp": "1"},
        {"exp": NOW + 600.0},
        {"exp": -1},
        {"exp": 10**400},
        {"exp": None},
        {"exp": True},
        {"exp": 253_402_300_799},
        {"exp": NOW + TOKEN_LIFE + 1},
        {"nbf": NOW + 6},
        {"iat": NOW + 6, "exp": NOW + 500},
    ],
    ids=str,
)
def test_claims_that_are_not_ours_are_refused(claim: dict[str, Any]) -> None:
    assert code(forge(payload=CLAIMS | claim)) == "invalid_token"


@pytest.mark.parametrize("name", CLAIMS)
def test_no_claim_may_be_missing(name: str) -> None:
    assert code(forge(payload={k: v for k, v in CLAIMS.items() if k != name})) == "invalid_token"


@pytest.mark.parametrize("typ", ["JWT", "rt+jwt", "AT+JWT", "at+jwt "])
def test_another_type_of_token_is_refused(typ: str) -> None:
    assert code(forge(HEADER | {"typ": typ})) == "invalid_token"


def test_a_token_ends_with_five_seconds_of_grace() -> None:
    clock = Clock()
    tokens = Tokens({"2027-01": KEY}, clock)
    token = tokens.issue("018f-a", "s-1")
    clock.ms += (TOKEN_LIFE + 4) * 1000
    assert code(token, tokens) is None
    clock.ms += 2_000
    assert code(token, tokens) == "token_expired"


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b",
        "a.b.c.d",
        forge() + ".x",
        forge() + "=",
        forge() + "\n",
        " " + forge(),
        forge().replace(".", "..", 1),
        forge(payload=CLAIMS | {"sid": "s" * 5_000}),
        forge(payload=json.dumps(CLAIMS)[:-1].encode() + b',"sub":"018f-b"}'),
        forge(payload=b"not json"),
        forge(payload=[]),
        forge(payload=b"[" * 2_000),
        forge(HEADER | {"alg": "EdDSA", "extra": 1}),
        forge(json.dumps(HEADER).encode()),
        "é.é.é",
    ],
    ids=lambda token: repr(token[-20:]),
)
def test_what_is_malformed_is_refused(token: str) -> None:
    assert code(token) == "invalid_token"


@given(st.integers(0, len(forge()) - 1), st.characters(exclude_categories=["Cs"]))
def test_no_character_can_be_changed(place: int, character: str) -> None:
    token = forge()
    changed = token[:place] + character + token[place + 1 :]
    assert code(changed) == (None if changed == token else "invalid_token")


def test_a_signature_is_checked_once_and_what_is_refused_each_time() -> None:
    tokens = Tokens({"2027-01": KEY}, CLOCK)
    for token in (tokens.issue("018f-a", "s-1"), forge()[:-1], forge()[:-1]):
        code(token, tokens)
        code(token, tokens)
    known = tokens._read.cache_info()
    assert (known.hits, known.currsize) == (1, 1)


def test_the_newest_key_signs_and_both_are_checked() -> None:
    new = Ed25519PrivateKey.generate()
    both = Tokens({"2027-01": KEY, "2027-02": new}, CLOCK)
    assert code(both.issue("018f-a", "s-1"), both) is None
    assert code(forge(), both) is None
    assert code(both.issue("018f-a", "s-1"), Tokens({"2027-02": new}, CLOCK)) is None
    assert code(forge(), Tokens({"2027-02": new}, CLOCK)) == "invalid_token"


def test_a_development_key_is_made_once_and_for_our_eyes_only(tmp_path: Path) -> None:
    folder = tmp_path / "keys"
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: ensure_development_key(folder), range(8)))
    assert [path.name for path in folder.iterdir()] == [f"{FIRST_KEY}.pem"]
    assert os.stat(folder / f"{FIRST_KEY}.pem").st_mode & 0o777 == 0o600  # noqa: PTH116
    assert list(load_keys(folder)) == [FIRST_KEY]


def test_a_key_of_another_kind_is_refused(tmp_path: Path) -> None:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    pem = generate_private_key(SECP256R1()).private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (tmp_path / "1.pem").write_bytes(pem)
    with pytest.raises(ValueError, match="Ed25519"):
        load_keys(tmp_path)
