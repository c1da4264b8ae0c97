"""Writing the contract's files, in a folder that stands for the repository."""

import shutil
from pathlib import Path

import pytest

from ops import contract


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Returns a repository that has no generated file but the page that the table stands in."""
    for folder in (contract.SCHEMAS, contract.RELEASED, contract.PAGE.parent):
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(contract.ROOT / contract.PAGE, tmp_path / contract.PAGE)
    monkeypatch.setattr(contract, "ROOT", tmp_path)
    return tmp_path


def test_every_file_is_written_anew_and_none_is_released(root: Path) -> None:
    assert contract.main([]) is None
    for path, text in contract.documents().items():
        assert (root / path).read_text() == text
    assert not list((root / contract.RELEASED).iterdir())


def test_a_release_freezes_the_schemas(root: Path) -> None:
    assert contract.main(["--release"]) is None
    names = {file.name for file in (root / contract.SCHEMAS).iterdir()}
    assert {file.name for file in (root / contract.RELEASED).iterdir()} == names


def test_a_schema_that_is_gone_or_asks_for_more_breaks_a_reader(root: Path) -> None:
    contract.main(["--release"])
    released = root / contract.RELEASED
    (released / "order_forgotten.v1.json").write_text("{}")
    assert contract.faults(released) == ["order_forgotten.v1 is gone, and the log may hold it"]
