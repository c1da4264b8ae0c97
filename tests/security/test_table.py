"""docs/security.md: its rows are the tests."""

import re
from pathlib import Path

HERE = Path(__file__).parent
TABLE = (HERE.parents[1] / "docs" / "security.md").read_text()
ROWS = dict(re.findall(r"^\| (\d+) \| [^|]+ \| ([^|]+) \|", TABLE, re.MULTILINE))
NAMED = re.compile(r"`(test_s\d\d_\w+)`")


def test_every_test_stands_in_its_row_and_every_row_has_one() -> None:
    code = {
        name
        for path in HERE.glob("test_*.py")
        for name in re.findall(r"def (test_s\d\d_\w+)", path.read_text())
    }
    assert len(code) > 150
    told = [name for cell in ROWS.values() for name in NAMED.findall(cell)]
    assert sorted(told) == sorted(code)
    for row, cell in ROWS.items():
        names = NAMED.findall(cell)
        assert names, row
        assert all(name.startswith(f"test_s{row.zfill(2)}_") for name in names)
