"""The README is true: its commands run as they stand, on a stack of their own. No page points to what is not there."""

import os
import re
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops.stack.folder import RunFolder
from ops.stack.lifecycle import down

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text()
BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#]+)")
NAMED = re.compile(r"`((?:events|services|infra|gateway|ops|tests|docs)/[\w/.-]+)`")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
TEST = "make test"
"""What runs this test; it does not run itself."""
LIMIT = 240  # s
CURL = f"""#!{sys.executable}
import json, sys, urllib.request
_, _, url, *rest = sys.argv
options = dict(zip(rest[::2], rest[1::2]))
request = urllib.request.Request(url, options["--json"].encode() if "--json" in options else None)
request.add_header("Content-Type", "application/json")
if "-H" in options:
    request.add_header(*options["-H"].split(": ", 1))
print(urllib.request.urlopen(request).read().decode())
"""
"""Of curl what the README uses, for a machine that has nothing but Python."""


@pytest.fixture
def checkout(tmp_path: Path) -> Iterator[Path]:
    """Yields a folder in which everything of the checkout stands but a stack that may run there."""
    for entry in ROOT.iterdir():
        if entry.name not in (".git", ".run"):
            (tmp_path / entry.name).symlink_to(entry)
    yield tmp_path
    down(RunFolder(tmp_path / ".run"))


def commands() -> str:
    """Returns all commands as one script that ends at the first that fails."""
    blocks = [block.group(1) for block in BLOCK.finditer(README)]
    lines = [
        line
        for block in blocks
        for line in block.splitlines()
        if line.split("#")[0].strip() != TEST
    ]
    return "set -euo pipefail\n" + "\n".join(lines)


@pytest.mark.stack
@pytest.mark.timeout(LIMIT + 60)
def test_every_command_does_what_is_said(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    tools = tmp_path_factory.mktemp("tools")
    (tools / ".curlrc").write_text("fail-with-body\n")
    if shutil.which("curl") is None:
        (tools / "curl").write_text(CURL)
        (tools / "curl").chmod(stat.S_IRWXU)
    environ = {**os.environ, "CURL_HOME": str(tools), "PATH": f"{os.environ['PATH']}:{tools}"}
    ran = subprocess.run(
        ["bash", "-c", commands()],
        cwd=checkout,
        env=environ,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    for said in (
        "books      exact",
        "order.events.v1",
        '"status":"filled"',
        '"asset_id":"ETH"',
        "trade_executed",
    ):
        assert said in ran.stdout, ran.stdout
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
