"""What two parsers could read differently is no JSON here."""

import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.strict_json import MAX_DEPTH, MAX_KEYS, Malformed, parse

texts = st.text(st.characters(exclude_categories=["Cs"]))
scalars = st.none() | st.booleans() | st.integers() | texts
documents = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4),
    max_leaves=12,
)


@pytest.mark.parametrize(
    "raw",
    [
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
        b"[" * 10_000,
        b'{"a":' * 3_000,
        b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1),
        json.dumps({str(n): n for n in range(MAX_KEYS + 1)}).encode(),
        json.dumps([{str(n): n} for n in range(MAX_KEYS + 1)]).encode(),
    ],
    ids=lambda raw: repr(raw[:24]),
)
def test_what_has_two_meanings_or_none_is_refused(raw: bytes) -> None:
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
def test_what_has_one_meaning_is_read(raw: bytes, meaning: object) -> None:
    assert parse(raw) == meaning


@given(documents)
def test_it_agrees_with_what_was_written(document: object) -> None:
    raw = json.dumps(document).encode()
    try:
        assert parse(raw) == document
    except Malformed:
        assert str(document).count("[") + str(document).count("{") > MAX_DEPTH


@given(st.binary(max_size=64))
def test_no_bytes_do_harm(raw: bytes) -> None:
    try:
        parse(raw)
    except Malformed:
        return
    json.loads(raw)
