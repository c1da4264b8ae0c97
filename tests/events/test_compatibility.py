"""What is released stays readable: by the rule, by a second opinion on it, and by the schemas' own word.

events/schemas says what the code says, tests/golden/schemas what the last release said; a release alone writes
those, and only if none is broken. A version may gain optional fields and nothing else, which carries over: what
holds from each release to the next holds between any two.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from jsonsubschema import isSubschema
from pydantic import Field
from pydantic_core import from_json

from events.codec import Body
from events.envelope import Amount, Id, Message, Value
from events.schema import VERSIONS, broken, json_schema
from ops.contract import DRAFT, RELEASED, ROOT, faults, pretty


def test_nothing_released_is_broken() -> None:
    assert faults() == [], (
        "what is not just a new optional field is a new version, with an upcaster"
    )


def test_a_version_that_is_gone_or_broken_keeps_the_next_release_back(tmp_path: Path) -> None:
    released = json_schema(VERSIONS["logged_in.v1"])
    (tmp_path / "logged_in.v0.json").write_text(pretty(DRAFT | released))
    (tmp_path / "logged_in.v1.json").write_text(pretty(DRAFT | released | {"required": []}))
    gone, *broken_ = faults(tmp_path)
    assert gone == "logged_in.v0 is gone, and the log may hold it"
    assert broken_ == [
        f"logged_in.v1: message.{name} is required now" for name in sorted(released["required"])
    ]


@pytest.mark.parametrize("path", sorted((ROOT / RELEASED).iterdir()), ids=lambda path: path.stem)
def test_a_second_opinion_finds_nothing_released_broken(path: Path) -> None:
    old = from_json(path.read_bytes())
    assert second_opinion(old, json_schema(VERSIONS[path.stem])) == (True, True)


class Leg(Value):
    asset_id: Id
    amount: Amount


class Old(Message):
    type: Literal["made"] = "made"
    version: Literal[1] = 1
    id: Id = ""
    quantity: Amount
    side: Literal["buy", "sell"]
    limit: Amount | None = None
    legs: tuple[Leg, ...] = ()


class Longer(Leg):
    note: Id | None = None


class Stricter(Leg):
    note: Id


ALLOWED: dict[str, Any] = {
    "nothing": {},
    "an optional field": {"note": (Id | None, None)},
    "two optional fields": {"note": (Id | None, None), "rank": (Amount, 0)},
    "an optional field of a part": {"legs": (tuple[Longer, ...], ())},
}
FORBIDDEN: dict[str, Any] = {
    "a field retyped": {"quantity": (Id, ...)},
    "a required field removed": {"quantity": None},
    "an optional field removed": {"limit": None},
    "a new required field": {"note": (Id, ...)},
    "a new stamped field": {"note": (Id, "")},
    "a bound narrowed": {"quantity": (Annotated[int, Field(ge=1, lt=2**53)], ...)},
    "a bound widened": {"quantity": (Annotated[int, Field(ge=-1, lt=2**53)], ...)},
    "a string shortened": {"id": (Annotated[str, Field(min_length=36, max_length=35)], ...)},
    "a value added to a closed list": {"side": (Literal["buy", "sell", "short"], ...)},
    "a value taken from a closed list": {"side": (Literal["buy"], ...)},
    "a required field made optional": {"quantity": (Amount, 0)},
    "an optional field made required": {"limit": (Amount | None, ...)},
    "null no longer taken": {"limit": (Amount, 0)},
    "a new required field of a part": {"legs": (tuple[Stricter, ...], ())},
    "another type": {"type": (Literal["other"], "other")},
    "another version": {"version": (Literal[2], 2)},
}
UNSEEN = {
    # sets of documents say nothing of what a reader puts in place of a missing field
    "another default": {"legs": (tuple[Leg, ...], (Leg(asset_id="x" * 36, amount=1),))},
}


def changed(change: dict[str, Any]) -> Body:
    """Returns the schema of Old after the change: a field gone (None), or its new type and default."""
    hints: dict[str, Any] = {}
    body: dict[str, Any] = {"__module__": __name__, "__annotations__": hints}
    for name, field in Old.model_fields.items():
        hints[name] = (
            Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
        )
        if not field.is_required():
            body[name] = field.default
    for name, new in change.items():
        hints.pop(name, None), body.pop(name, None)
        if new is not None:
            hints[name] = new[0]
            if new[1] is not ...:
                body[name] = new[1]
    return json_schema(type("New", (Value,), body))


def second_opinion(old: Body, new: Body) -> tuple[bool, bool]:
    """Returns whether new readers take what old writers wrote, and old readers what new writers write.

    A writer writes no more than its fields, so what is written is closed; a reader ignores what it doesn't know.
    """
    return subset(closed(old), closed(new)), subset(bare(new), bare(old))


def subset(one: Body, other: Body) -> bool:
    return bool(isSubschema(one, other))


def closed(schema: Any) -> Any:
    """Returns the schema for a writer: no field but those it names."""
    schema = bare(schema)
    match schema:
        case {"properties": dict(fields)}:
            parts = {name: closed(part) for name, part in fields.items()}
            return schema | {"properties": parts, "additionalProperties": False}
        case {"items": dict(items)}:
            return schema | {"items": closed(items)}
    return schema


def bare(schema: Any) -> Any:
    """Returns the schema in draft 4, all that jsonsubschema reads, without notes and defaults."""
    match schema:
        case {"const": value}:
            return {"enum": [value]}
        case dict():
            notes = {"$schema", "default", "title", "description"}
            return {k: bare(v) for k, v in schema.items() if k not in notes or isinstance(v, dict)}
        case list():
            return [bare(part) for part in schema]
    return schema


@pytest.mark.parametrize("change", ALLOWED)
def test_a_version_may_gain(change: str) -> None:
    new = changed(ALLOWED[change])
    assert broken(json_schema(Old), new) == []
    assert second_opinion(json_schema(Old), new) == (True, True)


@pytest.mark.parametrize("change", FORBIDDEN)
def test_a_version_may_not_suffer(change: str) -> None:
    new = changed(FORBIDDEN[change])
    assert broken(json_schema(Old), new)
    assert False in second_opinion(json_schema(Old), new)


@pytest.mark.parametrize("change", UNSEEN)
def test_a_version_may_not_suffer_what_sets_of_documents_do_not_show(change: str) -> None:
    new = changed(UNSEEN[change])
    assert broken(json_schema(Old), new)
    assert second_opinion(json_schema(Old), new) == (True, True)
