"""Writing the contract's files, in a folder that stands for the repository."""

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
    for page in (contract.PAGE, contract.API):
        shutil.copy(contract.ROOT / page, tmp_path / page)
    return tmp_path


def test_every_file_is_written_anew_and_none_is_released(root: Path) -> None:
    assert contract.main([], root) is None
    for path, text in contract.documents(root).items():
        assert (root / path).read_text() == text
    assert not list((root / contract.RELEASED).iterdir())


def test_a_release_freezes_the_schemas(root: Path) -> None:
    assert contract.main(["--release"], root) is None
    names = {file.name for file in (root / contract.SCHEMAS).iterdir()}
    assert {file.name for file in (root / contract.RELEASED).iterdir()} == names


def test_the_page_of_the_api_has_every_code() -> None:
    lines = list(contract.codes())[2:]
    assert len(lines) == len(PROBLEMS)
    statuses = [int(line.split("|")[1]) for line in lines]
    assert statuses == sorted(statuses)
    for code, (status, _) in PROBLEMS.items():
        assert any(line.startswith(f"| {status} | `{code}` |") for line in lines), code
