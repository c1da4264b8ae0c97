"""What of the API has changed since the last release, as the CHANGELOG says it: `make api-changes` writes it there."""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Set
from pathlib import Path
from typing import Any

from ops.contract import CHANGELOG, CHANGES, NO_CHANGE, OPENAPI, RELEASED_OPENAPI, ROOT, marked
from tests.api.intended import INTENDED, Intended, reason
from tests.api.oasdiff import Change, changes

ADDED = "endpoint-added"
UNSAID = {
    "api-security-component-added",  # each operation that takes it says so
    "api-version-not-bumped",  # a release does it
}
SAID = {
    "api-security-added": (0, "May be asked with {}"),
    "new-optional-request-parameter": (1, "Takes {}"),
    "response-header-added": (0, "Answers with {}"),
    "response-non-success-status-added": (0, "May answer {}"),
    "response-optional-property-added": (0, "Answers with {}"),
    "response-property-enum-value-added": (0, "Refuses with {}"),  # nothing else may grow
    "response-required-property-added": (0, "Answers with {}"),
}
"""Of what often changes: which of the words that oasdiff quotes counts, what is said of it. Of the rest, its text."""
SENTENCE = re.compile(r"(?<=\.)\s")
Document = dict[str, Any]


def lines(
    found: list[Change], old: Document, new: Document, intended: Iterable[Intended] = INTENDED
) -> list[str]:
    """Returns a line for each operation that is new, and one for all that changed alike; what breaks comes first."""
    before = set(operations(old))
    added = [change.operation for change in found if change.id == ADDED]
    broken = [(each.operation, *argued(each, intended)) for each in found if each.breaking]
    minor = [
        (each.operation, *said(each))
        for each in found
        if not each.breaking and each.id not in UNSAID | {ADDED}
    ]
    told = [f"- **Breaks** {at}: {all_said}" for at, all_said in grouped(broken, before)]
    told += [f"- New: {introduced(each, new)}" for each in sorted(added, key=by_path)]
    told += [f"- {all_said}: {at}." for at, all_said in grouped(minor, before)]
    return told or [NO_CHANGE]


def argued(change: Change, intended: Iterable[Intended]) -> tuple[str, str]:
    return f"{{}}. {reason(change, intended)}".strip(), change.text


def said(change: Change) -> tuple[str, str]:
    """Returns what is said of it, and of which word."""
    if change.id not in SAID:
        return "{}", change.text[:1].upper() + change.text[1:]
    place, form = SAID[change.id]
    return form, f"`{change.quoted[place]}`"


def grouped(found: list[tuple[str, str, str]], before: Set[str]) -> Iterator[tuple[str, str]]:
    """Yields each set of operations, the largest first, and all that is said of just these."""
    where: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for operation, form, word in found:
        where[form, word].add(operation)
    alike: defaultdict[frozenset[str], defaultdict[str, list[str]]] = defaultdict(
        lambda: defaultdict(list)
    )
    for (form, word), at in sorted(where.items()):
        alike[frozenset(at)][form].append(word)
    for at_all, forms in sorted(alike.items(), key=lambda each: (-len(each[0]), sorted(each[0]))):
        phrases = [form.replace("{}", ", ".join(words), 1) for form, words in forms.items()]
        yield named(at_all, before), joined(phrases)


def joined(phrases: list[str]) -> str:
    first, *more = phrases
    return "; ".join((first, *(each[:1].lower() + each[1:] for each in more)))


def introduced(operation: str, new: Document) -> str:
    """Returns the operation and the first sentence of what it is for."""
    text = " ".join(operations(new)[operation]["description"].split())
    return f"{shown(operation)}. {SENTENCE.split(text)[0].rstrip('.')}."


def named(at: Set[str], before: Set[str]) -> str:
    """Returns the names of the operations, or that it is all that there were."""
    if at == before:
        return "every operation"
    return ", ".join(map(shown, sorted(at, key=by_path)))


def shown(operation: str) -> str:
    return f"`{operation.replace('/api/v1', '')}`" if operation else "the document"


def by_path(operation: str) -> tuple[str, str]:
    method, _, path = operation.partition(" ")
    return path, method


def operations(document: Document) -> dict[str, Document]:
    """Returns each operation by method and path."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def written(page: Path = ROOT / CHANGELOG) -> str:
    """Returns the changelog as it must stand. Raises: CalledProcessError if oasdiff fails."""
    old, new = ROOT / RELEASED_OPENAPI, ROOT / OPENAPI
    told = lines(changes(old, new), json.loads(old.read_text()), json.loads(new.read_text()))
    return marked(page, CHANGES, told)


if __name__ == "__main__":
    (ROOT / CHANGELOG).write_text(written())
