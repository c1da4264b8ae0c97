"""What a reviewer would otherwise have to watch for: the walls that no type checker knows."""

import ast
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from events.topics import TOPICS
from ops.stack.processes import SHELL_SERVICES

ROOT = Path(__file__).parents[1]
PACKAGES = ("events", "infra", "services", "gateway", "ops")
LONGEST_FUNCTION = 40
LONGEST_MODULE = 400
GENERATED = {ROOT / "ops/client/models.py"}
"""As long as the document that they are made of."""
ADAPTERS = ("infra/log/", "infra/process/", "infra/raw/", "infra/stores/", "infra/views/")
"""Their drivers and timers take seconds as fractions."""
LONGEST_WAIT = 10
"""Seconds."""
CHANCE = {"uuid1", "uuid4", "uuid7", "urandom", "token_hex", "time_ns", "monotonic", "today"}
"""None of these may be named by what is replayed."""
PURE = ("dataclasses", "events", "typing", "collections", "enum", "functools", "itertools")
"""All that a domain.py may import."""


def modules(*folders: str) -> list[Path]:
    return [path for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), name(path))


def imports(path: Path) -> Iterator[str]:
    """Yields the modules that it imports, absolute ones as they are spelled."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or "")


def floats(path: Path) -> Iterator[str]:
    """Yields where it makes a float or says its name, but for an adapter's seconds."""
    for node in ast.walk(tree(path)):
        match node:
            case ast.Constant(value=float(value)):
                seconds = name(path).startswith(ADAPTERS) and value <= LONGEST_WAIT
                if not seconds:
                    yield f"{name(path)}:{node.lineno}"
            case ast.Name(id="float"):
                yield f"{name(path)}:{node.lineno}"


def divisions(path: Path) -> Iterator[str]:
    """Yields where it divides by `/`, which makes a float of two integers."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.BinOp | ast.AugAssign) and isinstance(node.op, ast.Div):
            yield f"{name(path)}:{node.lineno}"


@pytest.mark.parametrize("path", modules(*PACKAGES, "tests", "bench", "examples"), ids=name)
def test_functions_and_modules_are_short(path: Path) -> None:
    assert path in GENERATED or len(path.read_text().splitlines()) < LONGEST_MODULE
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            lines = node.end_lineno - node.lineno + 1
            assert lines <= LONGEST_FUNCTION, f"{node.name} has {lines} lines"


def test_nothing_is_a_float() -> None:
    code = modules("events", "services", "gateway", "infra")
    assert not [where for path in code for where in floats(path)]


def test_what_counts_money_never_divides_into_a_float() -> None:
    counting = [*modules("events", "gateway/projections"), ROOT / "gateway/decimals.py"]
    counting += [path for path in modules("services") if path.name == "domain.py"]
    assert not [where for path in counting for where in divisions(path)]


def test_nothing_is_mocked() -> None:
    for path in modules(*PACKAGES, "tests"):
        assert not [each for each in imports(path) if re.search(r"\bmock\b", each)], name(path)


@pytest.mark.parametrize(
    "path", [path for path in modules("services") if path.name == "domain.py"], ids=name
)
def test_a_domain_is_pure(path: Path) -> None:
    foreign = {each for each in imports(path) if each.split(".")[0] not in PURE}
    assert not foreign
    calls = {node.id for node in ast.walk(tree(path)) if isinstance(node, ast.Name)}
    assert not calls & {"open", "print", "input", "exec", "eval", "global"}


def test_what_is_replayed_never_asks_for_chance_or_the_hour() -> None:
    """By whatever name: a seed must run the same twice, and an input must be decided the same twice."""
    replayed = modules("infra/shell", "gateway/projections", "events")
    for path in [*replayed, *(path for path in modules("services") if path.name == "domain.py")]:
        named = {node.attr for node in ast.walk(tree(path)) if isinstance(node, ast.Attribute)}
        named |= {alias for each in ast.walk(tree(path)) for alias in imported_names(each)}
        assert not named & CHANCE, f"{name(path)} uses {named & CHANCE}"


def imported_names(node: ast.AST) -> list[str]:
    return [alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []


def test_events_stand_alone() -> None:
    allowed = {"pydantic", "pydantic_core", "msgspec"}
    for path in modules("events"):
        for each in imports(path):
            top = each.split(".")[0]
            assert top in {"", *allowed, *sys.stdlib_module_names}, f"{name(path)} imports {each}"


def test_a_topic_has_one_writer_and_a_type_one_topic() -> None:
    assert len({topic.name for topic in TOPICS}) == len(TOPICS)
    homes = [kind.type for topic in TOPICS for kind in topic.types]
    assert len(set(homes)) == len(homes)
    for service in SHELL_SERVICES:
        assert len([topic for topic in TOPICS if topic.writer == service]) == 1


def test_topics_are_named_in_one_place() -> None:
    names = {topic.name for topic in TOPICS}
    for path in modules("infra", "services", "gateway", "ops", "events"):
        spelled = {
            node.value
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Constant) and node.value in names
        }
        assert not spelled or name(path) == "events/topics.py", f"{name(path)} spells {spelled}"


def test_every_folder_of_code_is_a_package_and_says_nothing_by_it() -> None:
    for folder in {path.parent for path in modules(*PACKAGES, "tests")}:
        marker = folder / "__init__.py"
        assert marker.is_file(), f"{name(folder)} has no __init__.py"
        assert marker.read_bytes() == b"", f"{name(marker)} is not empty"


def test_our_package_names_are_ours_alone() -> None:
    owners = packages_distributions()
    for package in PACKAGES:
        assert set(owners.get(package, ())) <= {"orderstream"}, package
        assert Path(str(import_module(package).__file__)).parent == ROOT / package
