"""JSON of messages, mutated: what a broken, foreign or malicious writer might put on a topic."""

import json
from typing import Any

from hypothesis import strategies as st

from events.codec import Body

NASTY = [
    *(b"1.0", b"1e0", b"-0", b"-0.0", b"01", b"1e400", b"9007199254740992", b"9007199254740991.0"),
    *(b"9" * 5000, b"NaN", b"-Infinity", b"true", b"null", b"1", b"2", b'""', b'"1"', b"/*x*/1"),
    *(b'"\\ud800"', b'"\\ude00\\ud83d"', b'"\\ud83d\\ude00"', b'"\xff"', b'"\xed\xa0\x80"'),
    *(b'"a\\n"', b'"a\n"', b'"\\u0000"', b'"\x7f"', b'"\\u0061"', b'"\xf0\x9f\x98\x80"'),
    *(b"[]", b"{}", b"[[1]]", b'{"a":1,"a":2}', b'"order_filled"', b'"probe"', b'"BTC\\n"'),
    *(b"[" * deep + b"]" * deep for deep in (150, 250, 9999)),
]
SPACE = [b" ", b"\n", b"\t\r", b"\x0b", b"\x0c", b"\xef\xbb\xbf", b"\xc2\xa0", b"\x00", b"x", b"{}"]
STRAY = [b'"x"', b'""', b'"\xff"', b'"\\ud800"', b"x", b"1", b'"Type"']
JUNK = st.one_of(
    st.sampled_from(NASTY),
    st.binary(max_size=6),
    st.integers().map(lambda n: str(n).encode()),
    st.floats().map(lambda f: repr(f).encode()),
)
Pairs = list[tuple[bytes, bytes]]


@st.composite
def hostile(draw: st.DrawFn, bodies: st.SearchStrategy[Body]) -> bytes:
    """Returns the JSON of a body after one to three mutations."""
    ascii_only = draw(st.booleans())
    pairs = [
        (json.dumps(key).encode(), json.dumps(value, ensure_ascii=ascii_only).encode())
        for key, value in draw(bodies).items()
    ]
    for _ in range(draw(st.integers(1, 2))):
        cut = draw(st.sampled_from(["none", "value", "twice", "drop", "extra", "move", "key"]))
        if pairs:
            mutate(draw, pairs, cut)
    raw = b"{" + b",".join(key + b":" + value for key, value in pairs) + b"}"
    at = draw(st.sampled_from([0, len(raw)]) | st.integers(0, len(raw) - 1))
    match draw(st.sampled_from(["none", "bytes", "space"])):
        case "bytes":
            return raw[:at] + draw(st.binary(max_size=2)) + raw[at + draw(st.integers(0, 2)) :]
        case "space":
            return raw[:at] + draw(st.sampled_from(SPACE)) + raw[at:]
    return raw


def mutate(draw: Any, pairs: Pairs, cut: str) -> None:
    at = draw(st.integers(0, len(pairs) - 1))
    key, value = pairs[at]
    match cut:
        case "value":
            pairs[at] = (key, draw(JUNK))
        case "twice":
            again = draw(JUNK | st.just(value))
            pairs.insert(draw(st.integers(0, len(pairs))), (key, again))
        case "drop":
            del pairs[at]
        case "extra":
            pairs.insert(at, (draw(st.sampled_from(STRAY)), draw(JUNK)))
        case "move":
            pairs.append(pairs.pop(at))
        case "key" if len(key) > 2:
            pairs[at] = (b'"\\u%04x' % key[1] + key[2:], value)
