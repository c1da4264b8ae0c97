"""The hot path's codec: msgspec structs derived from the pydantic models, which stay the contract.

pydantic is the only judge. A struct may say yes; a no is pydantic's to say: JSON that a struct can't read (an
unknown field, a key twice) costs time, never meaning. So a struct must accept no more than its model, and
`mirror` raises at import for every model where it might.

A default that its own model refuses (`id: Id = ""`) marks a field that is stamped later: code may leave it out
of a constructor, the wire may not leave it out.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import fields
from enum import StrEnum
from functools import cache
from operator import attrgetter
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Protocol, TypeVar, Union, cast, get_args, get_origin

import msgspec
from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import from_json, to_json

from .envelope import SAFE_INTEGER, Value
from .reasons import Unreadable

M = TypeVar("M")
Body = dict[str, Any]
Caster = Callable[[Body], Body]

encode = msgspec.json.Encoder().encode


class Stamp(Protocol):
    def __call__(self, value: M, /, **fields: Any) -> M:
        """Returns the value with these fields in place of its own; they are not checked."""


stamp: Stamp = cast("Any", msgspec.structs.replace)

LIMITS = {"ge", "gt", "le", "lt", "min_length", "max_length", "pattern", "strict"}
OPTIONS = ("validation_alias", "serialization_alias", "default_factory", "exclude", "exclude_if")
# Patterns that mean the same to pydantic (Rust), Python and ECMAScript: ^, then characters and
# classes of plain ASCII with at most one quantifier each, then $.
ITEM = r"(?:[\w-]|\[(?:[a-zA-Z0-9]-[a-zA-Z0-9]|[\w.])+-?\])(?:[+*?]|\{\d+(?:,\d*)?\})?"
PATTERN = re.compile(rf"\^(?:{ITEM})*\$", re.ASCII)


class Poison(ValueError):
    """A record that is no message of its topic. reason: one of Unreadable."""

    def __init__(self, reason: Unreadable, detail: str) -> None:
        super().__init__(f"{reason}: {detail[:500]}")
        self.reason = reason


@cache
def mirror(model: type[BaseModel]) -> type[msgspec.Struct]:
    """Returns the struct with the model's fields, tagged with its `type` if it has one.

    As a class decorator it leaves the source and the types pydantic's; `contract` gives the model back.

    Raises: TypeError if the two might differ on some JSON.
    """
    own, code = dict(model.model_fields), model.__pydantic_decorators__
    require(model.model_config == Value.model_config, model, "its config is not that of a Value")
    require(not any(getattr(code, kind.name) for kind in fields(code)), model, "it has validators")
    require(model.model_post_init is BaseModel.model_post_init, model, "it has a model_post_init")
    stamped(model)
    tag = own["type"].default if "type" in own else None
    if tag:
        require(list(own)[:2] == ["type", "version"], model, "type and version come first")
        require(get_args(own.pop("type").annotation) == (tag,), model, "type is not one Literal")
    return msgspec.defstruct(
        model.__name__,
        [(name, *spell(field, f"{model.__name__}.{name}")) for name, field in own.items()],
        namespace={
            "contract": model,
            "__get_pydantic_core_schema__": classmethod(
                lambda cls, _, handler: handler(cls.contract)
            ),
        }
        | ({"type": tag} if tag else {}),
        module=model.__module__,
        tag_field="type" if tag else None,
        tag=tag,
        frozen=True,
        kw_only=True,
        gc=False,  # made of what it holds and never changed: it can stand in no cycle
        forbid_unknown_fields=True,  # msgspec skips them unread (bad UTF-8, any depth): not its yes
    )


def spell(field: FieldInfo, where: str) -> tuple[Any, ...]:
    """Returns the field's type as msgspec spells it, and its default if it has one."""
    require(not any(getattr(field, option) for option in OPTIONS), where, f"has one of {OPTIONS}")
    limits: Body = {}
    for item in field.metadata:
        names = (*getattr(item, "__slots__", ()), *getattr(item, "__dict__", ()))
        found = {key: getattr(item, key) for key in names}
        require(found and found.keys() <= LIMITS, where, f"no mirror for {item}")
        limits |= found
    limits.pop("strict", None)
    kind = translate(field.annotation, limits, where)
    return (kind,) if field.is_required() else (kind, field.default)


def translate(kind: Any, limits: Body, where: str) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if kind is int:
        low = limits.get("ge", -SAFE_INTEGER - 1)
        high = limits.get("lt", SAFE_INTEGER + 1)
        bounded = -SAFE_INTEGER < low < high <= SAFE_INTEGER
        require(bounded, where, "an int needs ge and lt within 2**53")
    if pattern := limits.get("pattern"):
        require(PATTERN.fullmatch(pattern), where, f"{pattern} could mean something else elsewhere")
        limits["pattern"] = pattern[:-1] + r"\Z"  # Python's $ also matches before a last newline
    if kind in (int, str):
        return Annotated[kind, msgspec.Meta(**limits)] if limits else kind
    require(not limits, where, f"{limits} on {kind}")
    if origin is list or (origin is tuple and parts[1:] == (...,)):
        return origin[(spell(FieldInfo.from_annotation(parts[0]), where)[0], *parts[1:])]
    if origin in (Union, UnionType) and parts[1:] == (NoneType,):
        return spell(FieldInfo.from_annotation(parts[0]), where)[0] | None
    if isinstance(kind, type) and issubclass(contract(kind), BaseModel):
        require(not contract(kind).model_fields.keys() & {"type"}, where, "a message in a message")
        require(not stamped(contract(kind)), where, "a part of a message is never stamped")
        return mirror(contract(kind))
    known = kind is bool or (isinstance(kind, type) and issubclass(kind, StrEnum))
    known = known or (origin is Literal and all(type(part) in (str, int) for part in parts))
    require(known, where, f"no mirror for {kind}")
    return kind


def require(holds: object, where: object, why: str) -> None:
    if not holds:
        raise TypeError(f"{where}: {why}")


def contract(kind: Any) -> Any:
    """Returns the pydantic model behind a class that is decorated with @mirror, else the class itself."""
    return getattr(kind, "contract", kind)


@cache
def stamped(model: type[BaseModel]) -> tuple[str, ...]:
    """Returns the names of the fields whose default the model itself refuses: stamped before the wire.

    Raises: TypeError if such a default is not blank, "" or 0: a struct could take it for a value.
    """
    refused: set[int | str] = set()
    try:
        model.model_validate({})
    except ValidationError as error:
        refused = {fault["loc"][0] for fault in error.errors()}
    fields = {name: field for name, field in model.model_fields.items() if name in refused}
    names = tuple(name for name, field in fields.items() if not field.is_required())
    for name in names:
        require(fields[name].default in ("", 0), f"{model.__name__}.{name}", "refuses its default")
    return names


class Decoder:
    """The decoder of a closed union told apart by (type, version). Called with bytes, it returns the message.

    What our writers wrote starts with type and version: these bytes find the struct. Whatever starts otherwise is
    for pydantic. An old version is read by its own model and lifted by its upcasters.

    Raises: Poison.
    """

    def __init__(self, kinds: Iterable[Any], old: Iterable[Any], upcasters: Mapping[str, Caster]):
        self.members: dict[str, type[BaseModel]] = {name_of(m): m for m in map(contract, kinds)}
        self.old: dict[str, type[BaseModel]] = {name_of(m): m for m in map(contract, old)}
        self.upcasters = upcasters
        self.newest: dict[str, int] = {}
        for name in (*self.old, *self.members):
            kind, _, version = name.partition(".v")
            self.newest[kind] = max(int(version), self.newest.get(kind, 0))
        self.fast = {start_of(name): Fast(model) for name, model in self.members.items()}

    def __call__(self, raw: bytes) -> Any:
        if fast := self.fast.get(raw[: raw.find(b",", raw.find(b",") + 1)]):
            try:
                message = fast.decode(raw)
                if fast.stamps is None or all(fast.stamps(message)):
                    return message
            except (msgspec.MsgspecError, ValueError, RecursionError):
                pass
        try:
            return self.slowly(raw)
        except Poison:
            raise
        except (ValueError, RecursionError) as error:
            raise Poison(Unreadable.MALFORMED, str(error)) from error

    def slowly(self, raw: bytes) -> Any:
        """Returns the message as pydantic reads it. Raises: ValueError, Poison."""
        body = from_json(raw)
        name = f"{body.get('type')}.v{body.get('version')}" if isinstance(body, dict) else ""
        if model := self.members.get(name):
            # Its canonical bytes: what the struct reads from them is what pydantic read.
            return msgspec.json.decode(
                to_json(model.model_validate_json(raw)), type=mirror(model), strict=True
            )
        if model := self.old.get(name):
            body = model.model_validate_json(raw).model_dump(mode="json")
            return self(to_json(self.upcasters[name](body)))
        return self.refuse(body)

    def refuse(self, body: Any) -> Any:
        """Raises: Poison, always."""
        kind = body.get("type") if isinstance(body, dict) else None
        version = body.get("version") if isinstance(body, dict) else None
        if not isinstance(kind, str) or type(version) is not int:
            raise Poison(Unreadable.MALFORMED, "no object with a type and a whole version")
        if kind not in self.newest:
            raise Poison(Unreadable.UNKNOWN_TYPE, f"{kind} does not belong to this topic")
        if version > self.newest[kind]:
            raise Poison(Unreadable.NEWER_VERSION, f"{kind}.v{version} is newer than this reader")
        raise Poison(Unreadable.MALFORMED, f"{kind} has no version {version}")


class Fast:
    """A struct's decoder. stamps: returns what must not be blank, None if there is nothing of the kind."""

    def __init__(self, model: type[BaseModel]) -> None:
        self.decode = msgspec.json.Decoder(mirror(model)).decode
        names = stamped(model)
        # One name alone would give no tuple.
        self.stamps = attrgetter(*names, *names[:1]) if names else None


def name_of(model: type[BaseModel]) -> str:
    """Returns type.vN."""
    return f"{model.model_fields['type'].default}.v{model.model_fields['version'].default}"


def start_of(name: str) -> bytes:
    """Returns the first bytes of every such message that this codec wrote."""
    kind, _, version = name.partition(".v")
    return f'{{"type":"{kind}","version":{version}'.encode()


def value_decoder(kind: type[M]) -> Callable[[bytes], M]:
    """Returns the decoder of one mirrored class that is no message, such as a row. It raises ValueError."""
    return cast("Callable[[bytes], M]", msgspec.json.Decoder(mirror(contract(kind))).decode)
