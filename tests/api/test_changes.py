"""What is released stays as it is for its clients, and the CHANGELOG says what is new: oasdiff finds both."""

import json
from collections.abc import Callable
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import pytest

from ops.contract import CHANGELOG, OPENAPI, RELEASED_OPENAPI, ROOT
from tests.api.changes import written
from tests.api.intended import unargued, unfound
from tests.api.oasdiff import changes

pytestmark = pytest.mark.slow  # 30 s for the first build

Document = dict[str, Any]
TRADES, ORDERS = "/api/v1/trades", "/api/v1/orders"


def schema(document: Document, name: str) -> Document:
    found: Document = document["components"]["schemas"][name]
    return found


def no_route(document: Document) -> None:
    del document["paths"][TRADES]


def no_success(document: Document) -> None:
    del document["paths"][ORDERS]["post"]["responses"]["202"]


def no_parameter(document: Document) -> None:
    operation = document["paths"][TRADES]["get"]
    operation["parameters"] = [
        each for each in operation["parameters"] if each["name"] != "asset_id"
    ]


def no_field(document: Document) -> None:
    order = schema(document, "OrderView")
    del order["properties"]["status"]
    order["required"].remove("status")


def field_that_may_be_missing(document: Document) -> None:
    schema(document, "OrderView")["required"].remove("status")


def other_type(document: Document) -> None:
    schema(document, "OrderView")["properties"]["id"] = {"type": "integer"}


def another_word(document: Document) -> None:
    schema(document, "OrderView")["properties"]["status"]["enum"].append("suspended")


def field_to_be_sent(document: Document) -> None:
    schema(document, "Registration")["required"].append("first_name")


def field_no_longer_taken(document: Document) -> None:
    del schema(document, "OrderBody")["properties"]["client_order_id"]


def other_pattern(document: Document) -> None:
    schema(document, "Amount")["properties"]["amount"]["pattern"] = "^[1-9][0-9]*$"


def no_way_in(document: Document) -> None:
    document["paths"][TRADES]["get"]["security"] = [{"cookie": []}]


BREAKING: list[tuple[Callable[[Document], None], str, str]] = [
    (no_route, f"GET {TRADES}", "api-path-removed-without-deprecation"),
    (no_success, f"POST {ORDERS}", "response-success-status-removed"),
    (no_parameter, f"GET {TRADES}", "request-parameter-removed"),
    (no_field, f"POST {ORDERS}", "response-required-property-removed"),
    (field_that_may_be_missing, f"POST {ORDERS}", "response-property-became-optional"),
    (other_type, f"POST {ORDERS}", "response-property-type-changed"),
    (another_word, f"POST {ORDERS}", "response-property-enum-value-added"),
    (field_to_be_sent, "POST /api/v1/auth/register", "request-property-became-required"),
    (field_no_longer_taken, f"POST {ORDERS}", "request-property-removed"),
    (other_pattern, "POST /api/v1/balance/deposit", "request-property-pattern-changed"),
    (no_way_in, f"GET {TRADES}", "api-security-removed"),
]


def new_route(document: Document) -> None:
    document["paths"]["/api/v1/tape"] = document["paths"][TRADES]


def new_field(document: Document) -> None:
    schema(document, "OrderView")["properties"]["note"] = {"type": "string"}


def new_parameter(document: Document) -> None:
    document["paths"][TRADES]["get"]["parameters"].append(
        {"name": "note", "in": "query", "schema": {"type": "string"}}
    )


def new_code(document: Document) -> None:
    schema(document, "Problem")["properties"]["code"]["enum"].append("too_late")


@pytest.fixture
def planted(change: Callable[[Document], None], tmp_path: Path) -> Path:
    """Returns today's document with that change."""
    document = json.loads((ROOT / OPENAPI).read_text())
    change(document)
    target = tmp_path / "planted.json"
    target.write_text(json.dumps(document))
    return target


def test_nothing_breaks_a_client_without_a_reason() -> None:
    assert unargued(changes(ROOT / RELEASED_OPENAPI, ROOT / OPENAPI)) == [], (
        "clients rely on it: deprecate it (docs/api.md), or say why in tests/api/intended.py"
    )


def test_every_reason_is_of_something_that_breaks() -> None:
    assert list(unfound(changes(ROOT / RELEASED_OPENAPI, ROOT / OPENAPI))) == []


def test_the_changelog_says_what_has_changed() -> None:
    assert (ROOT / CHANGELOG).read_text() == written(), "`make api-changes` writes it"


@pytest.mark.parametrize(
    ("change", "operation", "kind"), BREAKING, ids=[change.__name__ for change, *_ in BREAKING]
)
def test_what_breaks_a_client_is_found(planted: Path, operation: str, kind: str) -> None:
    found = unargued(changes(ROOT / RELEASED_OPENAPI, planted))
    assert (operation, kind) in {(each.operation, each.id) for each in found}


@pytest.mark.parametrize("change", [new_route, new_field, new_parameter, new_code])
def test_what_an_old_client_can_ignore_breaks_nothing(planted: Path) -> None:
    found = changes(ROOT / OPENAPI, planted)
    assert found
    assert not any(each.breaking for each in found)


def test_nothing_differs_from_itself() -> None:
    assert changes(ROOT / OPENAPI, ROOT / OPENAPI) == []


def test_what_can_not_be_read_is_no_document(tmp_path: Path) -> None:
    (tmp_path / "half.json").write_text('{"openapi": "3.1.0", "paths": {')
    with pytest.raises(CalledProcessError):
        changes(ROOT / RELEASED_OPENAPI, tmp_path / "half.json")
