"""The contract's generated files: `python -m ops.contract` writes them anew, `… --release` freezes schemas and API.

What is released may only gain optional fields. events/schemas says what the code says; tests/golden/schemas says
what the last release said, and is written by a release alone. So is tests/golden/openapi.json, to which tests/api
compares docs/openapi.json.
"""

import sys
from collections.abc import Iterable
from pathlib import Path

from pydantic_core import from_json, to_json

from events.asyncapi import asyncapi, names
from events.codec import Body
from events.envelope import Control
from events.schema import VERSIONS, broken, json_schema
from events.topics import TOPICS
from gateway.app import routed
from gateway.openapi import describe
from gateway.problems import PROBLEMS
from ops import strimzi, typed

ROOT = Path(__file__).parents[1]
SCHEMAS, RELEASED = Path("events/schemas"), Path("tests/golden/schemas")
OPENAPI, RELEASED_OPENAPI = Path("docs/openapi.json"), Path("tests/golden/openapi.json")
CHANGELOG = Path("CHANGELOG.md")
PAGE, API = Path("docs/events.md"), Path("docs/api.md")
MODELS = Path("ops/client/models.py")
CHART = Path("helm/orderstream/files/topics.json")
MARK = "<!-- made of events/topics.py by `make contract` -->\n"
OF_API = "<!-- made of gateway/problems.py by `make contract` -->\n"
CHANGES = "<!-- made of docs/openapi.json and the last release's by `make api-changes` -->\n"
NO_CHANGE = "- Nothing has changed."
NEXT = f"## Unreleased\n\n### API\n\n{CHANGES}{NO_CHANGE}\n{CHANGES}"
DRAFT = {"$schema": "http://json-schema.org/draft-07/schema#"}


def documents(root: Path = ROOT) -> dict[Path, str]:
    """Returns every generated file, by its path in the repository, and what must stand in it."""
    openapi = describe(routed())
    return {
        **{
            SCHEMAS / f"{name}.json": pretty(DRAFT | json_schema(VERSIONS[name]))
            for name in VERSIONS
        },
        Path("docs/asyncapi.json"): pretty(asyncapi()),
        OPENAPI: pretty(openapi),
        MODELS: typed.models(openapi),
        CHART: strimzi.topics(),
        PAGE: marked(root / PAGE, MARK, table()),
        API: marked(root / API, OF_API, codes()),
    }


def marked(page: Path, mark: str, lines: Iterable[str]) -> str:
    """Returns the page with these lines between its two marks."""
    before, _, after = page.read_text().split(mark)
    return mark.join((before, "\n".join(lines) + "\n", after))


def codes() -> Iterable[str]:
    """Yields the lines of the table of error codes, by status."""
    yield "| status | code | says |"
    yield "|---|---|---|"
    for code, (status, title) in sorted(PROBLEMS.items(), key=lambda each: (each[1][0], each[0])):
        yield f"| {status} | `{code}` | {title} |"


def table() -> Iterable[str]:
    """Returns the lines of the table of topics."""
    yield "| topic | only writer | key | partitions | kept | carries |"
    yield "|---|---|---|---|---|---|"
    for topic in TOPICS:
        kept = "newest of each key" if topic.compacted else "for ever"
        if topic.retention_days is not None:
            kept = f"{topic.retention_days} days"
        links = [
            f"[{name}](../{SCHEMAS}/{name}.json)"
            for name in names(topic)
            if not issubclass(VERSIONS[name], Control)
        ]
        key, partitions = topic.key or "none", topic.partitions or "P"
        yield f"| `{topic.name}` | {topic.writer} | {key} | {partitions} | {kept} | {', '.join(links)} |"


def faults(released: Path = ROOT / RELEASED) -> list[str]:
    """Returns what of the released schemas today's would break, empty if nothing."""
    found = []
    for path in sorted(released.glob("*.json")):
        name = path.stem
        if name not in VERSIONS:
            found.append(f"{name} is gone, and the log may hold it")
            continue
        old = from_json(path.read_bytes())
        found += [f"{name}: {fault}" for fault in broken(old, DRAFT | json_schema(VERSIONS[name]))]
    return found


def pretty(document: Body) -> str:
    return to_json(document, indent=2).decode() + "\n"


def main(arguments: list[str], root: Path = ROOT) -> str | None:
    """Writes the files. Returns why it can't release, None if all went well."""
    for path, text in documents(root).items():
        (root / path).write_text(text)
    if arguments == ["--release"]:
        if found := faults(root / RELEASED):
            return "\n".join(found)
        return release(root)
    return None


def release(root: Path) -> str | None:
    """Freezes what is told to others, and gives what the changelog has as unreleased the version's name."""
    document, changelog = (root / OPENAPI).read_text(), (root / CHANGELOG).read_text()
    heading = f"## {from_json(document)['info']['version']}\n"
    if heading in changelog:
        return f"{CHANGELOG} has {heading.strip()} already: pyproject.toml needs the next version"
    before, unreleased = changelog.split("## Unreleased\n")
    told = unreleased.replace(CHANGES, "", 2)
    (root / CHANGELOG).write_text(f"{before}{NEXT}\n{heading}{told}")
    (root / RELEASED_OPENAPI).write_text(document)
    for path in (root / SCHEMAS).glob("*.json"):
        (root / RELEASED / path.name).write_text(path.read_text())
    return None


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
