"""The OpenAPI document: whoever reads it alone knows what to send and what may come back."""

from collections.abc import Iterator
from typing import Any

from gateway.app import routed
from gateway.openapi import describe
from gateway.problems import PROBLEMS
from gateway.routes.orders import OrderBody

DOCUMENT = describe(routed())
SCHEMAS = DOCUMENT["components"]["schemas"]
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
        answer["description"]
        for _, operation in operations()
        for status, answer in operation["responses"].items()
        if int(status) >= 400
    )
    assert {code for code in PROBLEMS if f"`{code}`" not in told} <= NOWHERE


def test_every_operation_says_what_it_is_for() -> None:
    names = [operation["operationId"] for _, operation in operations()]
    assert len(set(names)) == len(names)
    for name, operation in operations():
        assert operation["description"], name
