"""Who runs in the race: our shell, Kafka Streams and Quix Streams, each as its own process, built once.

What the peers need is built into the user's cache, under the hash of what it is built from.
"""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NamedTuple

from bench.peers.job import Course
from ops.stack import flock
from ops.stack.artefacts import cache
from ops.stack.folder import RunFolder
from ops.stack.jvm import java

HERE = Path(__file__).parent
STREAMS, QUIX = HERE / "streams", HERE / "quix"
TOOLS = ("javac", "mvn")


class Contestant(NamedTuple):
    """word: for topics and folders; start: its program; commit_ms: how often it commits, None if it never does."""

    name: str
    word: str
    start: Sequence[str]
    commit_ms: int | None = None

    def command(self, course: Course, folder: RunFolder) -> Sequence[str]:
        """Returns what starts it on the course."""
        if self.commit_ms is None:
            return (*self.start, course.commands, course.owner)
        bootstrap, state = folder.endpoints()["kafka"], str(folder.data(course.owner))
        topics = (course.commands, course.events)
        return (*self.start, bootstrap, *topics, course.owner, state, str(self.commit_ms))


def missing_tools() -> list[str]:
    """Returns what building the Java peer needs and is not there."""
    return [tool for tool in TOOLS if shutil.which(tool) is None]


def shell() -> Contestant:
    """Returns our shell as it ships."""
    return Contestant("shell", "shell", (sys.executable, "-m", "bench.peers.shell"))


def kafka_streams(commit_ms: int = 100) -> Contestant:
    """Returns Kafka Streams with EOS v2 and one thread, on the broker's own Java, which is newer than most JDKs and
    runs it faster. commit_ms: 100 is its default under EOS.

    Raises: CalledProcessError if it can't be built.
    """
    built = once("streams", (STREAMS / "pom.xml", STREAMS / "Race.java"), build_streams)
    start = (java(), "-cp", f"{built / 'classes'}:{built / 'jars'}/*", "Race")
    return Contestant(f"Streams, {commit_ms} ms", "streams", start, commit_ms)


def quix_streams(commit_ms: int = 5_000) -> Contestant:
    """Returns Quix Streams with exactly-once. commit_ms: 5,000 is its default.

    Raises: CalledProcessError if it can't be installed.
    """
    env = once("quix", (QUIX / "requirements.lock",), build_quix)
    python = (str(env / "bin" / "python"), "-P", str(QUIX / "race.py"))
    return Contestant(f"Quix, {commit_ms} ms", "quix", python, commit_ms)


def once(name: str, sources: Sequence[Path], build: Callable[[Path], None]) -> Path:
    """Returns the folder in which that is built, whole, which these files describe."""
    key = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    target = cache() / f"race-{name}-{key}"
    with flock.holding(target.with_suffix(".flock")):
        if not (target / "built").exists():
            shutil.rmtree(target, ignore_errors=True)
            build(target)
            (target / "built").touch()
    return target


def build_streams(target: Path) -> None:
    run("mvn", "-q", "-B", "-f", str(STREAMS / "pom.xml"), f"-Drace.target={target}", "compile")


def build_quix(target: Path) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    run(uv, "venv", "--quiet", "--python", sys.executable, str(target))
    pip = (uv, "pip", "install", "--quiet", "--require-hashes", "--python", str(target))
    run(*pip, "-r", str(QUIX / "requirements.lock"))


def run(*command: str) -> None:
    subprocess.run(command, check=True, stdout=sys.stderr)  # noqa: S603 - ours, no shell
