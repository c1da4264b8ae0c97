"""What a row of the table looks like."""

from pathlib import Path

import pytest

from tests.faults.table import row


def test_a_row_is_printed_and_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("FAULT_TABLE", str(tmp_path / "table"))
    row(1, "kill -9 in a turn", 3, 0, [0.5, 1.25, 0.75])
    row(41, "repeats", 1, 0)
    lines = [
        "| 1 | kill -9 in a turn | 3 | 0 | 0.75 s | 1.25 s |",
        "| 41 | repeats | 1 | 0 | - | - |",
    ]
    assert capsys.readouterr().out.splitlines() == lines
    assert (tmp_path / "table").read_text().splitlines() == lines
