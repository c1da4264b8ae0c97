"""Writing the contract's files, in a folder that stands for the repository."""

import json
import shutil
from pathlib import Path

import pytest

from gateway.problems import PROBLEMS
from ops import contract


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Returns a repository that has no generated file but the pages that tables stand in."""
    for folder in (
        contract.SCHEMAS,
        contract.RELEASED,
        contract.PAGE.parent,
        contract.CHART.parent,
        contract.MODELS.parent,
    ):
        (tmp_path / folder).mkdir(parents=True)
    for page in (contract.PAGE, contract.API, contract.CHANGELOG):
        shutil.copy(contract.ROOT / page, tmp_path / page)
    return tmp_path


def test_every_file_is_written_anew_and_none_is_released(root: Path) -> None:
    assert contract.main([], root) is None
    for path, text in contract.documents(root).items():
        assert (root / path).read_text() == text
    assert not list((root / contract.RELEASED).iterdir())


def write(root: Path, unreleased: str) -> None:
    (root / contract.CHANGELOG).write_text(
        f"# Changelog\n\n## Unreleased\n\n{unreleased}\n### API\n\n"
        f"{contract.CHANGES}- New: a route.\n{contract.CHANGES}\n## 0.0.1\n\n- All of it.\n"
    )


def test_a_release_freezes_the_schemas(root: Path) -> None:
    write(root, "- A change.\n")
    assert contract.main(["--release"], root) is None
    names = {file.name for file in (root / contract.SCHEMAS).iterdir()}
    assert {file.name for file in (root / contract.RELEASED).iterdir()} == names


def test_a_release_freezes_the_document_and_names_what_was_unreleased(root: Path) -> None:
    write(root, "- A change.\n")
    assert contract.main(["--release"], root) is None
    document = (root / contract.OPENAPI).read_text()
    assert (root / contract.RELEASED_OPENAPI).read_text() == document
    version = json.loads(document)["info"]["version"]
    assert (root / contract.CHANGELOG).read_text() == (
        f"# Changelog\n\n{contract.NEXT}\n## {version}\n\n- A change.\n\n### API\n\n"
        "- New: a route.\n\n## 0.0.1\n\n- All of it.\n"
    )


def test_no_version_is_released_twice(root: Path) -> None:
    write(root, "- A change.\n")
    assert contract.main(["--release"], root) is None
    before = (root / contract.CHANGELOG).read_text()
    assert "next version" in (contract.main(["--release"], root) or "")
    assert (root / contract.CHANGELOG).read_text() == before


def test_the_page_of_the_api_has_every_code() -> None:
    lines = list(contract.codes())[2:]
    assert len(lines) == len(PROBLEMS)
    statuses = [int(line.split("|")[1]) for line in lines]
    assert statuses == sorted(statuses)
    for code, (status, _) in PROBLEMS.items():
        assert any(line.startswith(f"| {status} | `{code}` |") for line in lines), code
