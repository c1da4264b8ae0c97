"""A change of the source starts again what loads it, and nothing else."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Collection
from pathlib import Path
from typing import ClassVar

import psutil
import pytest

from ops.stack.folder import RunFolder
from ops.stack.imports import PACKAGES, Sources, fault
from ops.stack.processes import ENTRIES
from ops.stack.reload import SOURCE, Reloader
from tests.ops.test_child import SLEEPER, Family, row

ENTERED = sorted({entry.split(":")[0] for name, entry in ENTRIES.items() if name != "provision"})
LOADED = """
import importlib, json, os, sys
sys.modules.setdefault("rich", None)
importlib.import_module(sys.argv[1])
ours = [module for name, module in sys.modules.items() if name.split(".")[0] in sys.argv[2:]]
print(json.dumps([module.__file__ for module in ours]))
"""
LIMIT = 20.0  # s
SLOW = """
import signal, sys, time
def end(*_):
    print("draining")
    time.sleep(0.5)
    sys.exit("drained")
signal.signal(signal.SIGTERM, end)
print("up")
time.sleep(60)
"""


@pytest.mark.slow
@pytest.mark.parametrize("module", ENTERED)
def test_what_is_read_is_what_python_loads(module: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LOADED, module, *PACKAGES],
        capture_output=True,
        text=True,
        check=True,
    )
    found = Sources(SOURCE).reached([module])
    assert found == {module: {Path(file) for file in json.loads(ran.stdout)}}


class Tree:
    """A small source: two services, what both load, what nobody loads, a file that is no code."""

    FILES: ClassVar = {
        "events/__init__.py": "",
        "events/money.py": "CENT = 1\n",
        "services/__init__.py": "",
        "services/order/__init__.py": "",
        "services/order/app.py": "from .domain import decide\n",
        "services/order/domain.py": "from events import money\ndef decide() -> None: ...\n",
        "services/market/__init__.py": "",
        "services/market/app.py": "import events.money\n",
        "services/market/prices.json": "{}",
        "infra/__init__.py": "",
        "infra/unused.py": "",
        "gateway/__init__.py": "",
        "ops/__init__.py": "",
    }

    def __init__(self, root: Path) -> None:
        self.root = root
        for name, text in self.FILES.items():
            self.write(name, text)

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path


class Watched:
    """A reloader at work on a tree, and what it did."""

    def __init__(self, tree: Tree) -> None:
        self.restarted: list[list[str]] = []
        self.told: asyncio.Queue[str] = asyncio.Queue()
        entries = {"order": "services.order.app", "market": "services.market.app"}
        self.reloader = Reloader(tree.root, entries, self.restart, self.told.put_nowait)

    async def restart(self, names: Collection[str]) -> None:
        self.restarted.append(list(names))

    async def after(self, *changes: Callable[[], object]) -> list[str]:
        """Returns what it told of each change, made once the one before was told."""
        running = asyncio.create_task(self.reloader.run())
        await asyncio.sleep(0)  # it has seen the files as they are
        said = []
        async with asyncio.timeout(LIMIT):
            for change in changes:
                change()
                said.append(await self.told.get())
        running.cancel()
        return said


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path)


@pytest.fixture
def watched(tree: Tree) -> Watched:
    return Watched(tree)


@pytest.mark.parametrize(
    ("changed", "restarted"),
    [
        ("services/order/domain.py", ["order"]),
        ("services/market/app.py", ["market"]),
        ("services/market/prices.json", ["market"]),
        ("services/market/__init__.py", ["market"]),
        ("events/money.py", ["order", "market"]),
        ("infra/unused.py", []),
    ],
)
async def test_who_loads_a_file_is_restarted(
    tree: Tree, watched: Watched, changed: str, restarted: list[str]
) -> None:
    said = await watched.after(lambda: tree.write(changed, "1\n"))
    assert watched.restarted == [restarted]
    assert said == [f"{changed}: {' '.join(restarted) or 'nothing that runs loads it'}"]


async def test_what_a_change_brings_in_is_watched_from_then_on(
    tree: Tree, watched: Watched
) -> None:
    await watched.after(
        lambda: tree.write(
            "services/market/app.py", "def late() -> None:\n    import infra.unused\n"
        ),
        lambda: tree.write("infra/unused.py", "1\n"),
        lambda: tree.write("events/money.py", "CENT = 2\n"),
    )
    assert watched.restarted == [["market"], ["market"], ["order"]]


async def test_what_only_a_type_checker_imports_is_not_loaded(tree: Tree, watched: Watched) -> None:
    guarded = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import infra.unused\n"
    await watched.after(
        lambda: tree.write("services/market/app.py", guarded),
        lambda: tree.write("infra/unused.py", "1\n"),
    )
    assert watched.restarted == [["market"], []]


async def test_a_file_that_is_gone_concerns_who_loaded_it(tree: Tree, watched: Watched) -> None:
    await watched.after((tree.root / "events/money.py").unlink)
    assert watched.restarted == [["order", "market"]]


async def test_what_is_no_python_restarts_nothing_until_it_is_mended(
    tree: Tree, watched: Watched
) -> None:
    def save_both() -> None:
        tree.write("services/order/domain.py", "def decide(:\n")
        tree.write("services/market/prices.json", "[]")

    def mend() -> None:
        assert not watched.restarted
        tree.write("services/order/domain.py", "def decide() -> None: ...\n")

    said = await watched.after(save_both, mend)
    assert said == [
        "services/order/domain.py: line 1: invalid syntax: nothing is restarted",
        "services/market/prices.json, services/order/domain.py: order market",
    ]
    assert watched.restarted == [["order", "market"]]


async def test_a_new_file_is_checked_like_an_old_one(tree: Tree, watched: Watched) -> None:
    def save_both() -> None:
        tree.write("services/order/domain.py", "from .rules import decide\n")
        tree.write("services/order/rules.py", "def decide(:\n")

    said = await watched.after(
        save_both, lambda: tree.write("services/order/rules.py", "def decide() -> None: ...\n")
    )
    assert said[0] == "services/order/rules.py: line 1: invalid syntax: nothing is restarted"
    assert watched.restarted == [["order"]]


async def test_a_file_that_comes_after_its_import_is_watched(tree: Tree, watched: Watched) -> None:
    await watched.after(
        lambda: tree.write("services/order/domain.py", "from .rules import decide\n"),
        lambda: tree.write("services/order/rules.py", ""),
        lambda: tree.write("services/order/rules.py", "def decide() -> None: ...\n"),
    )
    assert watched.restarted == [["order"]] * 3


async def test_many_saves_are_one_restart(tree: Tree, watched: Watched) -> None:
    async def save_often() -> None:
        for count in range(8):
            tree.write("services/order/domain.py", "1\n" * count)
            tree.write("events/money.py", "1\n" * count)
            await asyncio.sleep(0.03)

    saving: list[asyncio.Task[None]] = []
    await watched.after(lambda: saving.append(asyncio.create_task(save_often())))
    assert saving[0].done()
    assert watched.restarted == [["order", "market"]]


async def test_what_an_editor_leaves_beside_a_file_is_no_change(
    tree: Tree, watched: Watched
) -> None:
    def save() -> None:
        for name in (".domain.py.swp", "domain.py~", "#domain.py#", "4913", "__pycache__/a.pyc"):
            tree.write(f"services/order/{name}", "")
        tree.write("services/market/app.py", "1\n")

    assert await watched.after(save) == ["services/market/app.py: market"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"x = 1\n", None),
        (b"x = (\n", "line 1: '(' was never closed"),
        (b"return\n", "line 1: 'return' outside function"),
        (b"x = '\xff'\n", "line 1: "),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, text: bytes, said: str | None) -> None:
    path = tmp_path / "domain.py"
    path.write_bytes(text)
    found = fault(path)
    assert found is said is None or (found and said and found.startswith(said))


def test_what_is_no_python_by_its_name_has_no_fault(tmp_path: Path) -> None:
    (tmp_path / "write.lua").write_text("return (")
    assert fault(tmp_path / "write.lua") is None
    assert fault(tmp_path / "gone.py") is None


async def test_a_restarted_process_ends_and_is_no_death(tmp_path: Path) -> None:
    family = Family(tmp_path, row("sleeper", SLEEPER), row("other", SLEEPER))
    sleeper, other = family.children
    async with family.kept():
        await family.until(other, "running")
        first, beside = sleeper.status.pid, other.status.pid
        assert first
        await sleeper.restart()
        assert not psutil.pid_exists(first)
        await family.until(sleeper, "starting")
        await family.until(sleeper, "running")
        second = sleeper.status.pid
        assert second not in (None, first)
        assert other.status.pid == beside
        psutil.Process(second).kill()
        await family.until(sleeper, "running", restarts=1)


async def test_a_dead_process_that_is_to_restart_does_so_at_once(tmp_path: Path) -> None:
    (sleeper,) = Family(tmp_path, row("sleeper", SLEEPER)).children
    await sleeper.restart()
    async with asyncio.timeout(1):  # pause(10) is at least 2.5 s
        await sleeper.back_off(code=1, deaths=10)


async def test_a_restart_that_is_given_up_still_lets_the_process_drain(tmp_path: Path) -> None:
    family = Family(tmp_path, row("slow", SLOW))
    log = RunFolder(tmp_path).log("slow")

    async def until_written(text: str) -> None:
        while text not in log.read_text():  # noqa: ASYNC110 - a file tells nobody that it grew
            await asyncio.sleep(0.01)

    async with family.kept():
        await family.until(family.children[0], "running")
        await until_written("up")
        restarting = asyncio.create_task(family.children[0].restart())
        await until_written("draining")
        restarting.cancel()
        await until_written("drained")
