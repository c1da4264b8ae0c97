"""Every kind of record that must stop nobody."""

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from events.codec import contract, name_of
from events.topics import Topic
from tests.faults.rogue import CODECS, Raw
from tests.messages.contract import golden

WIDE = 1_000_000  # bytes, close to what a topic takes
FAST = 60_000  # bytes, what the codecs made by hand pack


class Poison(NamedTuple):
    """make: the record, given the topic, whose partition takes it, and somebody else. codec: what packs it."""

    make: Callable[[Topic[Any], str, str], Raw]
    codec: str | None = None


def sample(topic: Topic[Any], account_id: str, **change: Any) -> bytes:
    """Returns a message of the topic, of that account, but for what is changed."""
    body = json.loads(golden(name_of(contract(topic.types[0]))))
    whose = {"account_id": account_id} if topic.key == "account_id" else {}
    return json.dumps(body | whose | change).encode()


def value(raw: bytes | None, *headers: tuple[bytes, bytes | None]) -> Poison:
    return Poison(lambda _topic, account_id, _: Raw(account_id.encode(), raw, headers))


def changed(**change: Any) -> Poison:
    return Poison(lambda topic, own, _: Raw(own.encode(), sample(topic, own, **change)))


KINDS: Mapping[str, Poison] = {
    "garbage": value(b"\x00\xff\xfe garbage"),
    "nothing": value(b""),
    "a tombstone": value(None),
    "truncated JSON": Poison(lambda topic, own, _: Raw(own.encode(), sample(topic, own)[:-9])),
    "no object": value(b'["place_order",1]'),
    "a type that is none": changed(type=7),
    "wrong types": changed(id=[], occurred_at="now"),
    "an id of another length": changed(id="x"),
    "an unknown type": changed(type="order_teleported"),
    "a newer version": changed(version=99),
    "a version before the first": changed(version=0),
    "a huge integer": changed(occurred_at=10**4000),
    "a number of a megabyte": value(b'{"type":"deposit","version":' + b"9" * WIDE + b"}"),
    "NaN": value(b'{"type":NaN,"version":Infinity}'),
    "a thousand arrays in one another": value(b"[" * 100_000),
    "a lone surrogate": value(b'{"type":"\\ud800","version":1}'),
    "a megabyte": value(b"x" * WIDE),
    "a key of a megabyte": Poison(lambda *_: Raw(b"k" * WIDE, b"garbage")),
    "no key": Poison(lambda topic, own, _: Raw(None, b"garbage")),
    "a key that is no text": Poison(lambda topic, own, _: Raw(b"\xff" * 36, b"garbage")),
    "a header name that is no text": value(b"garbage", (b"\xff\xfe", b"\xff")),
    "a header without a value": value(b"garbage", (b"trace", None)),
    "a header name of a megabyte": value(b"garbage", (b"\xff" * WIDE, b"")),
    "a megabyte of headers": value(b"garbage", *((b"h", b""),) * (WIDE // 3)),
    "headers of our own names": value(b"garbage", (b"origin", b"?"), (b"reason", b"\xff")),
    **{f"packed by {codec}": Poison(value(b"x" * FAST).make, codec) for codec in CODECS},
}
"""Of any topic."""

MISPLACED: Mapping[str, Poison] = {
    "somebody else's key": Poison(
        lambda topic, own, other: Raw(own.encode(), sample(topic, other))
    ),
    "no key at all": Poison(lambda topic, own, _: Raw(None, sample(topic, own))),
    "another partition's account": Poison(
        lambda topic, _, other: Raw(other.encode(), sample(topic, other))
    ),
}
"""Messages in the wrong place, of a topic whose key is the account."""


def kinds(topic: Topic[Any]) -> Mapping[str, Poison]:
    """Returns what is poison in that topic. A compacted one takes no record without a key."""
    found = {**KINDS, **(MISPLACED if topic.key == "account_id" else {})}
    if topic.compacted:
        del found["no key"]
    return found
