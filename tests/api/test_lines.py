"""How changes are said: what breaks first, a line a new operation, what changed alike in one."""

import pytest

from ops.contract import NO_CHANGE
from tests.api.changes import Document, lines
from tests.api.intended import Intended, unfound
from tests.api.oasdiff import Change

READ, WRITE, SEEN = "GET /api/v1/orders", "POST /api/v1/orders", "GET /health"
OLD: Document = {"paths": {"/api/v1/orders": {"get": {}, "post": {}}, "/health": {"get": {}}}}
NEW: Document = {
    "paths": {"/api/v1/tape": {"get": {"description": "Returns\nthe tape. Raises: nothing."}}}
}


def status(operation: str, code: int) -> Change:
    text = f"added the non-success response with the status `{code}`"
    return Change(1, "response-non-success-status-added", operation, text)


def word(operation: str, field: str, added: str, code: int) -> Change:
    text = f"added the new `{added}` enum value to the `{field}` response property for the response status `{code}`"
    return Change(3, "response-property-enum-value-added", operation, text)


def removed(operation: str, field: str) -> Change:
    return Change(3, "response-required-property-removed", operation, f"removed `{field}`")


def said(*found: Change) -> list[str]:
    return lines(sorted(found), OLD, NEW)


def test_no_change_is_said() -> None:
    assert said() == [NO_CHANGE]


def test_a_new_operation_has_a_line_and_what_it_is_for() -> None:
    new = Change(1, "endpoint-added", "GET /api/v1/tape", "endpoint added")
    assert said(new) == ["- New: `GET /tape`. Returns the tape."]


def test_what_happened_to_the_same_operations_is_one_line() -> None:
    assert said(status(READ, 429), status(WRITE, 429), status(READ, 414), status(WRITE, 414)) == [
        "- May answer `414`, `429`: `GET /orders`, `POST /orders`."
    ]


def test_what_happened_to_fewer_operations_is_another_line() -> None:
    assert said(status(READ, 429), status(WRITE, 429), status(READ, 404)) == [
        "- May answer `429`: `GET /orders`, `POST /orders`.",
        "- May answer `404`: `GET /orders`.",
    ]


def test_all_operations_that_there_were_are_every_operation() -> None:
    assert said(*(status(each, 429) for each in (READ, WRITE, SEEN))) == [
        "- May answer `429`: every operation."
    ]


def test_a_new_code_is_said_once_whatever_its_statuses_and_breaks_nothing() -> None:
    found = [word(READ, "code", each, n) for each in ("b", "a") for n in (401, 422)]
    assert said(*found, status(READ, 422)) == [
        "- May answer `422`; refuses with `a`, `b`: `GET /orders`."
    ]


def test_another_enumeration_may_not_grow() -> None:
    [line] = said(word(READ, "items/status", "suspended", 200))
    assert line.startswith("- **Breaks** `GET /orders`: added the new `suspended` enum value")


def test_what_breaks_comes_first() -> None:
    assert said(status(READ, 404), removed(WRITE, "id")) == [
        "- **Breaks** `POST /orders`: removed `id`.",
        "- May answer `404`: `GET /orders`.",
    ]


def test_a_change_of_nothing_that_is_known_is_said_as_it_is_found() -> None:
    assert said(Change(1, "endpoint-deprecated", READ, "endpoint deprecated")) == [
        "- Endpoint deprecated: `GET /orders`."
    ]


def test_a_change_of_no_operation_is_one_of_the_document() -> None:
    assert said(Change(1, "api-tag-added", "", "a tag was added")) == [
        "- A tag was added: the document."
    ]


GONE = Intended("response-required-property-removed", "id", (READ, WRITE), "Nobody has used it.")


@pytest.mark.parametrize(
    "found",
    [
        removed(READ, "status"),
        removed(SEEN, "id"),
        removed(READ, "id")._replace(id="response-property-type-changed"),
    ],
)
def test_a_reason_is_for_its_kind_its_word_and_its_operations_alone(found: Change) -> None:
    assert GONE.allows(removed(READ, "id"))
    assert not GONE.allows(found)


def test_a_reason_is_given_and_missed_where_nothing_breaks() -> None:
    found = [removed(READ, "id"), status(WRITE, 404)]
    assert list(unfound(found, (GONE,))) == [GONE._replace(at=(WRITE,))]
    assert lines(found, OLD, NEW, (GONE,))[0] == (
        "- **Breaks** `GET /orders`: removed `id`. Nobody has used it."
    )
