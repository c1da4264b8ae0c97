"""The OpenAPI document: whoever reads it alone knows what to send and what may come back."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

from gateway.app import routed
from gateway.links import LINKS
from gateway.openapi import describe
from gateway.problems import MEDIA_TYPE, PROBLEMS
from gateway.routes.orders import OrderBody

DOCUMENT = describe(routed())
SCHEMAS = DOCUMENT["components"]["schemas"]
CODE = re.compile(r"`([a-z0-9_]+)`")
NOWHERE = {"method_not_allowed", "bad_request", "forbidden"}
"""Codes of requests that no operation is asked by."""


def operations() -> Iterator[tuple[str, Any]]:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            yield f"{method} {path}", operation


def test_every_body_has_an_example() -> None:
    bodies = {name: each["requestBody"] for name, each in operations() if "requestBody" in each}
    assert bodies
    for name, body in bodies.items():
        model = SCHEMAS[body["content"]["application/json"]["schema"]["$ref"].split("/")[-1]]
        needed = [model["properties"][field] for field in model.get("required", ())]
        told = [field for field in needed if "examples" in field or "enum" in field]
        assert "examples" in model or len(told) == len(needed), name


def test_an_order_s_examples_are_orders() -> None:
    for example in SCHEMAS["OrderBody"]["examples"]:
        assert OrderBody.model_validate(example).model_dump(exclude_unset=True)


def test_every_code_is_told_of_somewhere() -> None:
    told = " ".join(
        answer["description"] for _, operation in operations() for _, answer in problems(operation)
    )
    assert {code for code in PROBLEMS if f"`{code}`" not in told} <= NOWHERE


def test_a_refusal_s_codes_are_problems_of_its_status() -> None:
    for name, operation in operations():
        for status, answer in problems(operation):
            kind = answer["content"]
            if name == "get /health/ready" and status == 503:
                continue  # says of each part whether it answers
            assert list(kind) == [MEDIA_TYPE], name
            codes = CODE.findall(answer["description"])
            assert codes, (name, status)
            assert {PROBLEMS[code][0] for code in codes} == {status}, (name, codes)
            assert len(set(codes)) == len(codes), (name, codes)


def test_what_a_shape_of_operations_refuses_stands_there_once() -> None:
    shared = DOCUMENT["components"]["responses"]
    used = Counter(answer["$ref"].rpartition("/")[2] for answer in answers() if "$ref" in answer)
    assert used.keys() == shared.keys()
    assert used["Problem500"] == len(list(operations()))


def answers() -> Iterator[dict[str, Any]]:
    for _, operation in operations():
        yield from operation["responses"].values()


def test_a_link_leads_to_a_parameter_or_body_that_there_is() -> None:
    by_name = {operation["operationId"]: operation for _, operation in operations()}
    links = [one for answer in answers() for one in answer.get("links", {}).values()]
    assert sum(len(told) for told in LINKS.values()) == len(links)
    for link in links:
        target = by_name[link["operationId"]]
        taken = {each["name"] for each in target.get("parameters", ())}
        assert link.get("parameters", {}).keys() <= taken
        assert "parameters" in link or "requestBody" in target


def test_every_example_is_what_its_schema_says() -> None:
    seen = 0
    for place, schema, example in examples(DOCUMENT, "#"):
        validator = Draft202012Validator(
            {**schema, "components": DOCUMENT["components"]}, format_checker=FormatChecker()
        )
        assert [fault.message for fault in validator.iter_errors(example)] == [], place
        seen += 1
    assert seen > 30


def examples(part: Any, place: str) -> Iterator[tuple[str, dict[str, Any], Any]]:
    """Yields each example with its schema: beside it in a schema, else in the schema of a parameter or body."""
    match part:
        case dict():
            schema = part.get("schema", part)
            told = part.get("examples", ())
            named = told.values() if isinstance(told, dict) else ({"value": one} for one in told)
            for one in (*named, *({"value": part[name]} for name in ("example",) if name in part)):
                yield place, schema, one["value"]
            for name, inner in part.items():
                if name not in ("examples", "example"):
                    yield from examples(inner, f"{place}/{name}")
        case list():
            for n, inner in enumerate(part):
                yield from examples(inner, f"{place}/{n}")


def problems(operation: dict[str, Any]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yields the operation's refusals by status, wherever they stand."""
    for status, answer in operation["responses"].items():
        if int(status) >= 400:
            name = answer.get("$ref", "").rpartition("/")[2]
            yield int(status), DOCUMENT["components"]["responses"][name] if name else answer


def test_every_operation_says_what_it_is_for() -> None:
    names = [operation["operationId"] for _, operation in operations()]
    assert len(set(names)) == len(names)
    for name, operation in operations():
        assert operation["description"], name
        assert operation["summary"], name
