"""The edge against its own document: whatever anybody asks, the answer is one that stands there (row 47).

FUZZ_SEED repeats a run, FUZZ_EXAMPLES and FUZZ_SECONDS make it longer (`make fuzz`).
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest

from gateway.rates import PRODUCTION
from ops.stack.folder import RunFolder
from tests.stand import standing

from .runs import EXAMPLES, LONGEST_S, SECONDS, Running

pytestmark = [pytest.mark.stack, pytest.mark.slow, pytest.mark.timeout(LONGEST_S + 300)]
UNLIMITED = json.dumps(dict.fromkeys(PRODUCTION, "100000/s"))
LONG = dict.fromkeys(("nobody", "customer", "admin"), (f"--max-time={SECONDS}",))
"""schemathesis' options by caller."""
FEW = f"--max-examples={EXAMPLES}"
SHORT = {
    "nobody": (FEW, "--phases=examples,fuzzing"),
    "customer": (FEW, "--exclude-tag=admin"),
    "admin": (FEW, "--include-tag=admin"),
}
LIES = (
    "Undocumented status code",
    "Response violates schema",
    "API accepts requests without authentication",
)
STREAM = "/stream"
"""What the paths have in them that answer event by event: schemathesis.toml leaves them out."""


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunFolder]:
    """Returns a stack that does not count requests: the limits have tests of their own."""
    with standing(tmp_path_factory.mktemp("stack"), rates=UNLIMITED) as folder:
        yield folder


def test_every_answer_to_anybody_is_one_of_the_document(stack: RunFolder, tmp_path: Path) -> None:
    at = stack.endpoints()["gateway"] + "/openapi.json"
    sizes = LONG if SECONDS else SHORT
    begun = [Running(stack, caller, tmp_path, at, *size) for caller, size in sizes.items()]
    runs = {each.caller: each.end() for each in begun}
    print("", *runs.values(), sep="\n")
    every, of_admins = names(document_of(stack)), names(document_of(stack), tag="admin")
    for run in runs.values():
        assert run.passed, run.found
    assert runs["nobody"].answers.keys() == every
    assert runs["customer"].answers.keys() >= every - of_admins
    assert runs["admin"].answers.keys() >= of_admins
    assert runs["customer"].kept_out() <= of_admins
    assert not runs["admin"].kept_out()


def test_a_document_that_lies_is_found_out(stack: RunFolder, tmp_path: Path) -> None:
    document = document_of(stack)
    assets = document["paths"]["/api/v1/inventory/assets"]["get"]
    one = document["paths"]["/api/v1/inventory/assets/{asset_id}"]["get"]
    del assets["responses"]["422"]
    document["components"]["schemas"]["Assets"]["required"].append("nickname")
    one["security"] = [{"bearer": []}]
    path = tmp_path / "openapi.json"
    path.write_text(json.dumps(document))
    only = ("--include-path-regex=/inventory/", "--phases=examples,coverage")
    run = Running(stack, "nobody", tmp_path, str(path), *only).end()
    assert not run.passed
    for lie in LIES:
        assert lie in run.found
    assert "curl -X GET" in run.found


def document_of(stack: RunFolder) -> Any:
    return httpx2.get(f"{stack.endpoints()['gateway']}/openapi.json").raise_for_status().json()


def names(document: Any, tag: str | None = None) -> set[str]:
    """Returns the names of all operations but streams. tag: of those alone that have it."""
    return {
        operation["operationId"]
        for path, methods in document["paths"].items()
        for operation in methods.values()
        if STREAM not in path and (tag is None or tag in operation.get("tags", ()))
    }
