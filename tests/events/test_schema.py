"""The committed schemas and documents are what the code says, and the schemas mean what the codec does."""

import re
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic_core import from_json, to_json

from events.codec import Body, Decoder, Poison
from events.schema import VERSIONS, json_schema
from ops.contract import PAGE, ROOT, SCHEMAS, documents
from tests.messages.contract import OLD, UPCASTERS, golden, messages

Validator: Any = import_module("jsonschema").Draft7Validator  # comes with jsonsubschema, untyped
TODAY = documents()
VALIDATORS = {name: Validator(json_schema(model)) for name, model in VERSIONS.items()}
decode = Decoder((model for model in VERSIONS.values() if model not in OLD), OLD, UPCASTERS)

# 1.0 is a whole number to JSON Schema and none to us: a writer of that would be refused
fractions = st.floats(allow_nan=False, allow_infinity=False).filter(lambda x: not x.is_integer())
leaves = (
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"]))
)
junk = st.recursive(
    leaves | fractions, lambda part: st.lists(part) | st.dictionaries(leaves.map(str), part)
)


@pytest.mark.parametrize("path", TODAY, ids=str)
def test_a_generated_file_is_what_the_code_says(path: Any) -> None:
    assert (ROOT / path).read_text() == TODAY[path], "make contract"


def test_no_schema_is_left_of_what_is_gone() -> None:
    assert {path.stem for path in (ROOT / SCHEMAS).glob("*.json")} == set(VERSIONS)


def test_the_page_leads_to_every_schema() -> None:
    links = re.findall(r"\(\.\./(events/schemas/\S+?\.json)\)", (ROOT / PAGE).read_text())
    assert sorted(links) == sorted(str(SCHEMAS / f"{name}.json") for name in VERSIONS)


@pytest.mark.parametrize("name", VERSIONS)
def test_a_sample_is_valid_by_its_schema_and_refers_to_nothing(name: str) -> None:
    schema = json_schema(VERSIONS[name])
    Validator.check_schema(schema)
    assert b"$ref" not in to_json(schema)
    VALIDATORS[name].validate(from_json(golden(name)))


@pytest.mark.parametrize("name", VERSIONS)
def test_the_wire_has_every_field_but_optional_ones(name: str) -> None:
    schema = json_schema(VERSIONS[name])
    optional = [field for field, part in schema["properties"].items() if "default" in part]
    assert set(schema["required"]) | set(optional) == set(schema["properties"])
    assert all(schema["properties"][field]["default"] in (None, "gtc", False) for field in optional)


@st.composite
def nearly(draw: st.DrawFn) -> tuple[str, Body]:
    """Returns type.vN and a body of it in which one field may be missing, new or something else."""
    name = draw(st.sampled_from(list(VERSIONS)))
    body: Body = draw(messages(VERSIONS[name])).model_dump(mode="json")
    field = draw(st.sampled_from(list(body)))
    match draw(st.sampled_from(["valid", "missing", "new", "other", "near"])):
        case "missing":
            del body[field]
        case "new":
            body[draw(st.text(st.characters(codec="ascii")))] = draw(junk)
        case "other":
            body[field] = draw(junk)
        case "near" if isinstance(body[field], int):
            body[field] = draw(st.sampled_from([-1, 0, 1, 19, 10_001, 2**53 - 1, 2**53]))
        case "near" if isinstance(body[field], str):
            body[field] = draw(st.sampled_from(["", "x" * 17, "x" * 37, "x" * 65]))
    return name, body


@given(nearly())
def test_the_schema_admits_what_the_codec_reads_and_nothing_else(
    given_body: tuple[str, Body],
) -> None:
    name, body = given_body
    try:
        decode(to_json(body))
    except Poison:
        assert not VALIDATORS[name].is_valid(body)
    else:
        assert VALIDATORS[name].is_valid(body)
