"""Every message that a model admits, drawn from the model itself; and the golden samples."""

from enum import StrEnum
from itertools import chain
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from events.codec import Caster, contract
from events.topics import TOPICS

GOLDEN = Path(__file__).parents[1] / "golden"
CHARACTERS = st.characters(exclude_categories=["Cs"])  # a lone surrogate is no JSON
OLD: tuple[type[BaseModel], ...] = (*chain.from_iterable(topic.old for topic in TOPICS),)
UPCASTERS: dict[str, Caster] = dict(chain.from_iterable(t.upcasters.items() for t in TOPICS))


def golden(name: str) -> bytes:
    """Returns the sample of type.vN, as a writer of that version wrote it but for its line breaks."""
    return (GOLDEN / f"{name}.json").read_bytes()


def messages(kind: Any) -> st.SearchStrategy[Any]:
    """Returns the strategy of all that a mirrored class or its model admits, as pydantic objects."""
    model: type[BaseModel] = contract(kind)
    return st.builds(model, **{name: values(field) for name, field in model.model_fields.items()})


def values(field: FieldInfo) -> st.SearchStrategy[Any]:
    """Returns the strategy of all that the field admits."""
    kind = field.annotation
    origin, parts = get_origin(kind), get_args(kind)
    if origin is Literal:
        return st.sampled_from(parts)
    if origin in (Union, UnionType):
        return st.one_of(*(values(FieldInfo.from_annotation(part)) for part in parts))
    if origin in (list, tuple):
        return st.lists(values(FieldInfo.from_annotation(parts[0])), max_size=3).map(origin)
    if kind is int:
        limits = bounds(field)
        return st.integers(limits["ge"], limits["lt"] - 1)
    if kind is str:
        return texts(**bounds(field))
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return st.sampled_from(kind)
    if kind in (bool, NoneType):
        return st.sampled_from([True, False] if kind is bool else [None])
    return messages(kind)


def texts(
    min_length: int = 0, max_length: int | None = None, pattern: str | None = None
) -> st.SearchStrategy[str]:
    if pattern is not None:
        return st.from_regex(rf"\A{pattern[1:-1]}\Z")
    drawn = st.text(CHARACTERS, min_size=min_length, max_size=max_length)
    return st.uuids().map(str) | drawn if min_length == max_length == 36 else drawn


def bounds(field: FieldInfo) -> dict[str, Any]:
    """Returns the field's limits by pydantic's names for them."""
    return {
        name: getattr(item, name)
        for item in field.metadata
        for name in (*getattr(item, "__slots__", ()), *getattr(item, "__dict__", ()))
    }
