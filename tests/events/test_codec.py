"""A struct takes and writes exactly what its pydantic model does. EXAMPLES=20000 looks longer."""

import os
from collections import defaultdict
from collections.abc import Callable
from enum import StrEnum
from functools import cache
from typing import Annotated, Any, Literal, Union

import msgspec
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, TypeAdapter
from pydantic_core import from_json, to_json

from events.codec import Decoder, Poison, contract, encode, mirror, name_of, stamp, stamped
from events.envelope import SAFE_INTEGER, Amount, Id, Message, Revision, SignedAmount, Value
from events.order import OrderFilled
from events.reasons import Unreadable
from events.schema import VERSIONS
from tests.events.hostile import NASTY, SPACE, hostile
from tests.messages.contract import OLD, UPCASTERS, golden, messages

examples = settings(
    max_examples=int(os.environ.get("EXAMPLES", "300")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
    database=None,
)


class Side(StrEnum):
    BUY = "buy"
    SELL = "sell"


class Leg(Value):
    asset_id: Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9]{0,9}$")]
    delta: SignedAmount
    note: Annotated[str, Field(max_length=8)] | None = None


class Moved(Message):
    """All that a message may be made of."""

    type: Literal["moved"] = "moved"
    version: Literal[1] = 1
    id: Id = ""
    side: Side
    time_in_force: Literal["gtc", "ioc"] = "gtc"
    legs: tuple[Leg, ...]
    tags: list[Annotated[str, Field(min_length=1, max_length=4)]] = Field(default=[])
    main: Leg | None = None
    last: bool = False


class Probe(Message):
    """Small, so that a mutation hits something."""

    type: Literal["probe"] = "probe"
    version: Literal[1] = 1
    reason: Annotated[str, Field(pattern=r"^[a-z_]{1,64}$")]
    n: Amount = 7
    text: str | None = None
    nth: Revision = 0


class Bare(Message):
    type: Literal["bare"] = "bare"
    version: Literal[1] = 1


NEWEST: tuple[type[BaseModel], ...] = (
    *(model for model in VERSIONS.values() if model not in OLD),
    *(Moved, Probe, Bare),
)
decode = Decoder(NEWEST, OLD, UPCASTERS)
every = st.sampled_from((*NEWEST, *OLD, *(Probe, Moved) * 10)).flatmap(messages)


@cache
def union() -> TypeAdapter[Any]:
    versions: dict[str, list[Any]] = defaultdict(list)
    for model in (*NEWEST, *OLD):
        versions[model.model_fields["type"].default].append(model)
    kinds: Any = tuple(
        Annotated[Union[(*models,)], Field(discriminator="version")] if models[1:] else models[0]
        for models in versions.values()
    )
    every_type: Any = Union[kinds]  # noqa: UP007
    return TypeAdapter(Annotated[every_type, Field(discriminator="type")])


def plain(raw: bytes) -> BaseModel:
    """Returns what pydantic alone makes of it, by a union of our own: by type, then by version."""
    body = from_json(raw)
    # a model alone takes its default for a version that is missing, and 1.0 and true for 1
    if not (isinstance(body, dict) and "type" in body and type(body.get("version")) is int):
        raise ValueError("no object with a type and a version")
    found: BaseModel = union().validate_json(raw)
    while lift := UPCASTERS.get(name_of(type(found))):
        found = union().validate_json(to_json(lift(found.model_dump(mode="json"))))
    return found


def verdict(read: Callable[[bytes], Any], raw: bytes) -> Any:
    try:
        return read(raw)
    except ValueError:
        return None


def scalars(message: Any) -> Any:
    """Returns a message as builtins with the class of every scalar, so that True is not 1."""
    if isinstance(message, BaseModel):
        names = tuple(name for name in type(message).model_fields if name != "type")
        return [type(message).__name__, *((k, scalars(getattr(message, k))) for k in names)]
    if isinstance(message, msgspec.Struct):
        names = message.__struct_fields__
        return [type(message).__name__, *((k, scalars(getattr(message, k))) for k in names)]
    if isinstance(message, list | tuple):
        return [type(message), *map(scalars, message)]
    return type(message), message


@examples
@given(every.filter(lambda message: not isinstance(message, OLD)))
def test_a_message_is_the_same_bytes_and_values_both_ways(message: BaseModel) -> None:
    raw = message.model_dump_json().encode()
    struct = decode(raw)
    assert type(struct) is mirror(type(message))
    assert encode(struct) == raw == to_json(message)
    assert scalars(struct) == scalars(message) == scalars(plain(encode(struct)))


@examples
@given(hostile(every.map(lambda message: message.model_dump(mode="json"))))
def test_hostile_json_is_accepted_by_both_or_neither_with_equal_values(raw: bytes) -> None:
    ours, theirs = verdict(decode, raw), verdict(plain, raw)
    event("refused" if ours is None else "accepted")
    assert scalars(ours) == scalars(theirs)
    if ours is not None:
        assert encode(ours) == theirs.model_dump_json().encode()


PROBE = b'{"type":"probe","version":1,"reason":"a","n":7,"text":null,"nth":1}'


@pytest.mark.parametrize(
    ("now", "then", "accepted"),
    [
        (b'"a"', b'"a\\n"', False),  # Python's $ matches before a last newline
        (b"}", b',"x":"\xff"}', False),  # msgspec skips unknown fields unread
        (b"}", b',"x":' + b"[" * 250 + b"]" * 250 + b"}", False),
        (b"}", b',"x":' + b"9" * 5000 + b"}", False),
        (b"}", b',"x":NaN}', True),
        (b"}", b',"x":1}', True),
        (b"}", b',"n":"","n":8}', True),  # of a key that comes twice the last counts
        (b'"n":7', b'"n":"","n":8', True),
        (b'"n":7', b'"n":7.0', False),
        (b'"n":7', b'"n":-0', True),
        (b'"n":7', b'"n":9007199254740992', False),
        (b'"n":7,', b"", True),  # an optional field
        (b',"nth":1', b"", False),  # a stamped one
        (b'"version":1', b'"version":1.0', False),
        (b'"version":1', b'"version":true', False),
        (b'"version":1,', b"", False),
        (b'"type":"probe",', b"", False),
        (b'"type":"probe","version":1', b'"version":1,"type":"probe"', True),
        (b'{"type":', b'{ "type": ', True),
        (b'{"type":', b'\xef\xbb\xbf{"type":', False),
    ],
)
def test_where_msgspec_alone_would_judge_otherwise_pydantic_does(
    now: bytes, then: bytes, accepted: bool
) -> None:
    raw = PROBE.replace(now, then, 1)
    assert raw != PROBE
    assert scalars(verdict(decode, raw)) == scalars(verdict(plain, raw))
    assert (verdict(decode, raw) is not None) == accepted


@pytest.mark.parametrize("raw", [b"", b" ", b"null", b"[]", b"{}", b"1", *NASTY, *SPACE])
def test_what_is_no_message_is_malformed(raw: bytes) -> None:
    assert verdict(plain, raw) is None
    assert reason(raw) is Unreadable.MALFORMED


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"version":1,"reason":"a"}', Unreadable.MALFORMED),
        (b'{"type":"bare"}', Unreadable.MALFORMED),
        (b'{"type":"bare","version":true}', Unreadable.MALFORMED),
        (b'{"type":"bare","version":0}', Unreadable.MALFORMED),
        (b'{"type":"bare","version":2}', Unreadable.NEWER_VERSION),
        (b'{"type":"order_accepted","version":3}', Unreadable.NEWER_VERSION),
        (b'{"type":"blank","version":1}', Unreadable.UNKNOWN_TYPE),
    ],
)
def test_poison_says_what_is_wrong_with_it(raw: bytes, expected: Unreadable) -> None:
    assert reason(raw) is expected


def test_poison_never_carries_more_than_a_line_of_what_was_sent() -> None:
    for raw in (
        b'{"type":"%b","version":1}' % (b"x" * 10_000),
        b'{"type":"bare","version":%b}' % (b"9" * 4000),
    ):
        with pytest.raises(Poison) as caught:
            decode(raw)
        assert len(str(caught.value)) < 600


def reason(raw: bytes) -> Unreadable:
    with pytest.raises(Poison) as caught:
        decode(raw)
    return caught.value.reason


def test_as_a_decorator_it_is_typed_as_the_model_and_runs_as_the_struct() -> None:
    assert issubclass(OrderFilled, msgspec.Struct)
    assert issubclass(contract(OrderFilled), BaseModel)
    filled = decode(golden("order_filled.v1"))
    assert type(filled) is OrderFilled
    assert TypeAdapter(contract(OrderFilled)).validate_json(encode(filled)).fee == filled.fee


class TestStamped:
    """Fields that the shell stamps may be left out of a constructor and never off the wire."""

    @pytest.mark.parametrize("name", [name for name, model in VERSIONS.items() if stamped(model)])
    def test_the_wire_must_have_them(self, name: str) -> None:
        body = from_json(golden(name))
        for field in stamped(VERSIONS[name]):
            blank = VERSIONS[name].model_fields[field].default
            without = {key: value for key, value in body.items() if key != field}
            assert reason(to_json(without)) is Unreadable.MALFORMED
            assert reason(to_json(body | {field: blank})) is Unreadable.MALFORMED

    def test_a_stamped_message_is_the_one_made_with_them(self) -> None:
        whole = decode(golden("order_opened.v1"))
        blank = type(whole)(
            account_id=whole.account_id, order_id=whole.order_id, revision=whole.revision
        )
        assert reason(encode(blank)) is Unreadable.MALFORMED
        envelope = {name: getattr(whole, name) for name in stamped(contract(type(whole)))}
        assert stamp(blank, **envelope) == whole

    @pytest.mark.parametrize(
        ("kind", "default"),
        [
            (str, None),
            (Amount, None),
            (Amount, -1),
            (Literal["a", "b"], "c"),
            (Side, "buy"),
            (tuple[Leg, ...], []),
            (Leg | None, 0.5),
        ],
    )
    def test_a_default_that_is_refused_and_not_blank_has_no_mirror(
        self, kind: Any, default: Any
    ) -> None:
        with pytest.raises(TypeError, match="refuses its default"):
            mirror(made_of(kind, default))

    def test_a_part_of_a_message_is_never_stamped(self) -> None:
        with pytest.raises(TypeError, match="never stamped"):
            mirror(made_of(made_of(Id, "")))


def made_of(kind: Any, *default: Any) -> type[BaseModel]:
    body = {"__annotations__": {"a": kind}, "__module__": __name__}
    return type("Made", (Value,), body | ({"a": default[0]} if default else {}))


@pytest.mark.parametrize(
    "kind",
    [
        *(int, float, Any, bytes, dict[str, str], str | int, Literal[1.5], OrderFilled),
        *(
            Annotated[str, Field(pattern=pattern)]
            for pattern in (
                "a",
                "^a",
                "^a|b$",
                r"^\w$",
                "^(?i)a$",
                "^.$",
                "^[a--b]$",
                "^[[:alpha:]]$",
            )
        ),
        Annotated[str, StringConstraints(strip_whitespace=True, pattern="^a$")],
        Annotated[str, object()],
        Annotated[Amount, BeforeValidator(int)],
        Annotated[str, Field(alias="b")],
        Annotated[int, Field(ge=0, lt=SAFE_INTEGER * 2)],
    ],
)
def test_a_model_that_could_differ_has_no_mirror(kind: Any) -> None:
    with pytest.raises(TypeError):
        mirror(made_of(kind))
