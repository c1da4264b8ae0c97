"""The README is true: its commands run as they stand, on a stack of their own. No page points to what is not there."""

import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.stack.folder import RunFolder
from ops.stack.lifecycle import down
from tests.shell import BLOCK, run, script

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
LINK = re.compile(r"\]\(([^)#]+)")
NAMED = re.compile(r"`((?:events|services|infra|gateway|ops|tests|docs)/[\w/.-]+)`")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEST = "make test"
"""What runs this test; it does not run itself."""
LIMIT = 240  # s


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """Yields a folder in which everything of the checkout stands but a stack that may run there."""
    for entry in ROOT.iterdir():
        if entry.name not in (".git", ".run"):
            (tmp_path / entry.name).symlink_to(entry)
    yield tmp_path
    down(RunFolder(tmp_path / ".run"))


@pytest.mark.stack
@pytest.mark.timeout(LIMIT + 60)
def test_every_command_does_what_is_said(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tools = tmp_path_factory.mktemp("tools")
    commands = script(README, lambda line: line.split("#")[0].strip() == TEST)
    told = run(commands, checkout, tools, LIMIT)
    for said in (
        "books      exact",
        "order.events.v1",
        '"status":"filled"',
        '"asset_id":"ETH"',
        "trade_executed",
    ):
        assert said in told, told
    assert not RunFolder(checkout / ".run").is_up


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_what_a_page_points_to_is_there(page: Path) -> None:
    text = page.read_text()
    for link in LINK.findall(text):
        assert "://" in link or (page.parent / link).exists(), link
    for name in NAMED.findall(text):
        assert (ROOT / name).exists(), name


def test_ci_runs_what_it_says() -> None:
    script = ROOT / ".ci" / "run"
    assert script.stat().st_mode & stat.S_IXUSR
    assert TEST in script.read_text()
    assert TEST in "".join(BLOCK.findall(README))
