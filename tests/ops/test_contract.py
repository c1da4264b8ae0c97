"""Writing the contract's files, in a folder that stands for the repository."""

import shutil
from pathlib import Path

import pytest

from ops import contract


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Returns a repository that has no generated file but the page that the table stands in."""
    for folder in (
        contract.SCHEMAS,
        contract.RELEASED,
        contract.PAGE.parent,
        contract.CHART.parent,
    ):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(contract.ROOT / contract.PAGE, tmp_path / contract.PAGE)
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
