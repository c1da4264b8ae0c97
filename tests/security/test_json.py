"""What two parsers could read differently is no JSON here: row 35 of the security table."""

import json
from base64 import b64decode
from decimal import Decimal
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json

from gateway.strict_json import MAX_DEPTH, MAX_KEYS, Malformed, parse

from .conftest import BASE, Client

texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | st.integers() | texts
AMBIGUOUS = [
    b"",
    b"{",
    b'{"amount":"1","amount":"9"}',
    b'{"a":{"b":1,"b":1}}',
    b'[{"a":1,"\\u0061":2}]',
    b'{"amount":NaN}',
    b"[Infinity]",
    b"[-Infinity]",
    b"[1,]",
    b'{"a":1,}',
    b"[1] // one",
    b"/* one */ [1]",
    b"\xef\xbb\xbf{}",
    b"\xff\xfe{\x00}\x00",
    "{}".encode("utf-16-be"),
    b'"\xff"',
    b'"\xed\xa0\x80"',
    b'{"name":"\\ud800"}',
    b'["\\udc00\\ud800"]',
    b'{"\\ud800":1}',
    b"{'a':1}",
    b"[01]",
    b"[+1]",
    b"[.5]",
    b"[0x1]",
    b'"a\nb"',
    b"{}{}",
    b"9" * 5_000,
    b"[1e" + b"9" * 40 + b"]",
    b"[" * 10_000,
    b'{"a":' * 3_000,
    b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
    json.dumps({str(n): n for n in range(MAX_KEYS + 1)}).encode(),
    json.dumps([{str(n): n} for n in range(MAX_KEYS + 1)]).encode(),
]
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize("raw", AMBIGUOUS, ids=lambda raw: repr(raw[:24]))
def test_s35_what_has_two_meanings_or_none_is_refused(raw: bytes) -> None:
    with pytest.raises(Malformed):
        parse(raw)


@pytest.mark.parametrize(
    ("raw", "meaning"),
    [
        (b' {"a": [1, null, true, "x"]}\r\n', {"a": [1, None, True, "x"]}),
        (b'"\\ud83d\\udd11"', "🔑"),
        (b'"\\u0000"', "\0"),
        (b"[1.50, 1e400]", [Decimal("1.50"), Decimal("1e400")]),
        (b"[" * MAX_DEPTH + b"]" * MAX_DEPTH, json.loads("[" * MAX_DEPTH + "]" * MAX_DEPTH)),
    ],
)
def test_s35_what_has_one_meaning_is_read(raw: bytes, meaning: object) -> None:
    assert parse(raw) == meaning


@given(documents)
def test_s35_it_agrees_with_what_was_written(document: object) -> None:
    raw = json.dumps(document).encode()
    try:
        assert parse(raw) == document
    except Malformed:
        assert str(document).count("[") + str(document).count("{") > MAX_DEPTH


@given(st.binary(max_size=64))
def test_s35_no_bytes_do_harm(raw: bytes) -> None:
    try:
        parse(raw)
    except Malformed:
        return
    json.loads(raw)


@pytest.mark.parametrize("raw", [raw for raw in AMBIGUOUS if raw], ids=lambda raw: repr(raw[:24]))
async def test_s35_such_a_body_is_malformed_at_every_kind_of_route(
    client: Client, raw: bytes
) -> None:
    for path in ("/auth/login", "/balance/deposit"):
        answer = await client.post(
            f"{BASE}{path}", content=raw, headers={"Content-Type": "application/json"}
        )
        assert (answer.status_code, answer.json()["code"]) == (400, "malformed_json")


async def test_s35_the_answer_says_what_is_wrong_with_the_body(client: Client) -> None:
    for raw, said in (
        (b"{", "The body is not JSON."),
        (b'{"amount": "1", "amount": "9"}', "The body has a key twice."),
        (b'{"amount": NaN}', "The body has a number that is none in JSON."),
        (b"[" * 17 + b"]" * 17, "The body is nested more than 16 deep."),
    ):
        answer = await client.post(
            f"{BASE}/auth/login", content=raw, headers={"Content-Type": "application/json"}
        )
        assert answer.json()["detail"] == said


def corpus() -> list[tuple[str, bytes]]:
    """Returns the documents of JSONTestSuite: y_ must be taken, n_ must not, i_ may or may not be."""
    lines = Path(__file__).with_name("json_corpus.txt").read_text().splitlines()
    return [(name, b64decode(raw)) for name, _, raw in (line.partition(" ") for line in lines)]


STRICTER = {"y_object_duplicated_key", "y_object_duplicated_key_and_value"}
"""JSON by its grammar, yet of two meanings."""


def test_s35_the_corpus_has_one_meaning_or_none() -> None:
    documents = corpus()
    assert len(documents) > 300
    for name, raw in documents:
        try:
            meaning = parse(raw)
        except Malformed:
            assert name[0] in "ni" or name in STRICTER, name
            continue
        assert name[0] in "yi", name
        others = [json.loads(raw, parse_float=Decimal), from_json(raw), plain(raw)]
        for other in others:
            assert told(meaning) == told(other), name


def plain(raw: bytes) -> object:
    return msgspec.json.Decoder(float_hook=Decimal).decode(raw)


def told(meaning: object) -> str:
    """Returns the meaning as text, every number as the nearest of floating point."""
    return json.dumps(meaning, default=float, allow_nan=True)
