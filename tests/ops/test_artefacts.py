"""Artefacts: only whole and unchanged files are used; a fetch that fails says how to go on."""

import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from ops.stack import artefacts
from ops.stack.artefacts import Unavailable

CONTENT = b"what the compiler is made of" * 1_000


class Mirror(ThreadingHTTPServer):
    """A Maven repository on loopback, which counts what it is asked for."""

    def __init__(self, folder: Path, shipped: Path) -> None:
        self.shipped = shipped
        self.asked: list[str] = []
        super().__init__(("127.0.0.1", 0), partial(Handler, directory=str(folder)))

    @property
    def folder(self) -> Path:
        """Where the cache keeps what this repository has."""
        return artefacts.folder("tool", self.shipped)

    def ensure(self, seen: list[tuple[str, int, int]] | None = None) -> bytes:
        """Returns the bytes of the tool that the stack would use."""
        progress = [] if seen is None else seen
        folder = artefacts.ensure("tool", lambda *step: progress.append(step), self.shipped)
        return (folder / "tool-1.0.jar").read_bytes()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its name there
        assert isinstance(self.server, Mirror)
        if not self.path.endswith(".sha1"):
            self.server.asked.append(self.path)


@pytest.fixture
def mirror(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Mirror]:
    """Yields a repository with one tool in it, which a lock pins; the cache is empty."""
    shipped, repository = tmp_path / "shipped", tmp_path / "repository"
    place = repository / "org" / "tool" / "1.0"
    place.mkdir(parents=True)
    (place / "tool-1.0.jar").write_bytes(CONTENT)
    digest = artefacts.sha256(place / "tool-1.0.jar")
    shipped.mkdir()
    (shipped / "tool.lock").write_text(f"org:tool:1.0 {digest} tool-1.0.jar\n")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with Mirror(repository, shipped) as server:
        monkeypatch.setenv("ORDERSTREAM_MAVEN", server.url)
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_file_is_fetched_once(mirror: Mirror) -> None:
    seen: list[tuple[str, int, int]] = []
    assert mirror.ensure(seen) == mirror.ensure() == CONTENT
    assert len(mirror.asked) == 1
    assert seen == [("tool", 0, 1), ("tool", 1, 1)]


def test_two_starts_at_once_fetch_once(mirror: Mirror) -> None:
    with ThreadPoolExecutor(4) as pool:
        assert set(pool.map(lambda _: mirror.ensure(), range(4))) == {CONTENT}
    assert len(mirror.asked) == 1


@pytest.mark.parametrize("left", [CONTENT[:100], b"", CONTENT[::-1]])
def test_a_half_fetched_or_changed_file_is_never_used(mirror: Mirror, left: bytes) -> None:
    folder = mirror.folder
    folder.mkdir(parents=True)
    (folder / "tool-1.0.jar").write_bytes(left)
    assert mirror.ensure() == CONTENT


def test_what_an_interrupted_fetch_left_is_not_trusted(mirror: Mirror) -> None:
    half = mirror.folder / ".partial" / "org" / "tool" / "1.0" / "tool-1.0.jar"
    half.parent.mkdir(parents=True)
    half.write_bytes(CONTENT[:100])
    assert mirror.ensure() == CONTENT


def test_another_file_than_the_pinned_one_is_refused(mirror: Mirror, tmp_path: Path) -> None:
    (tmp_path / "repository" / "org" / "tool" / "1.0" / "tool-1.0.jar").write_bytes(b"another")
    with pytest.raises(Unavailable, match=r"org:tool:1\.0: sha256 is"):
        mirror.ensure()
    assert not (mirror.folder / "tool-1.0.jar").exists()


def test_a_fetch_that_fails_says_what_and_how_to_go_on(mirror: Mirror, tmp_path: Path) -> None:
    shutil.rmtree(tmp_path / "repository" / "org")
    with pytest.raises(Unavailable, match=r"(?s)tool can't be fetched.*ORDERSTREAM_MAVEN"):
        mirror.ensure()
