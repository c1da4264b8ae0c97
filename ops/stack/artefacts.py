"""The servers' jars: fetched once into a per-user cache, each checked against its lock's sha256.

A `<name>.lock` beside this file holds one line a file: group:artifact:version sha256 filename.
"""

import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from ops.stack import flock

SHIPPED = Path(__file__).parent
CONNECTIONS = 8
TIMEOUT = 30  # s without a byte
ADVICE = (
    "Check the network (HTTPS_PROXY, SSL_CERT_FILE and REQUESTS_CA_BUNDLE are obeyed) or name a "
    "Maven repository in ORDERSTREAM_MAVEN, then repeat: what has arrived is kept. Or name servers "
    "of your own in ORDERSTREAM_KAFKA and ORDERSTREAM_DYNAMODB."
)

Progress = Callable[[str, int, int], None]  # name of the lock, files here, files in all
Fetcher = Callable[["Pinned"], Path]


class Unavailable(Exception):
    """An artefact that the stack needs can't be had; the message says what and how to go on."""


class Pinned(NamedTuple):
    """A file of a lock. coordinate: group:artifact:version."""

    coordinate: str
    sha256: str
    name: str

    def is_in(self, folder: Path) -> bool:
        """Returns whether the folder holds the file, whole and unchanged."""
        file = folder / self.name
        return file.exists() and sha256(file) == self.sha256


def cache() -> Path:
    """Returns the user's folder for what is fetched or made once."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "orderstream"


def source(name: str) -> Path:
    """Returns the path of a file that is shipped with this package."""
    return SHIPPED / name


def pinned(lock: str, shipped: Path = SHIPPED) -> list[Pinned]:
    """Returns the files of the lock."""
    lines = (shipped / f"{lock}.lock").read_text().splitlines()
    return [Pinned(*line.split()) for line in lines]


def folder(lock: str, shipped: Path = SHIPPED) -> Path:
    """Returns where the files of the lock belong: another lock's files never mix with them."""
    return cache() / f"{lock}-{sha256(shipped / f'{lock}.lock')[:12]}"


def ensure(lock: str, progress: Progress, shipped: Path = SHIPPED) -> Path:
    """Returns the folder that holds every file of the lock, checked; fetches what is missing.

    Raises: Unavailable.
    """
    target = folder(lock, shipped)
    with flock.holding(target.with_suffix(".flock")), ThreadPoolExecutor(CONNECTIONS) as pool:
        files = pinned(lock, shipped)
        here = pool.map(lambda file: file.is_in(target), files)
        missing = [file for file, is_here in zip(files, here, strict=True) if not is_here]
        if missing:
            partial = target / ".partial"
            shutil.rmtree(partial, ignore_errors=True)  # what an interrupted fetch left
            fetcher = maven(partial)
            running = [pool.submit(fetch, file, fetcher, target) for file in missing]
            await_all(lock, running, pool, progress)
            shutil.rmtree(partial)
    return target


def await_all(
    lock: str, running: Sequence[Future[None]], pool: ThreadPoolExecutor, progress: Progress
) -> None:
    """Waits until every file is there. Raises: Unavailable as soon as one can't be."""
    progress(lock, 0, len(running))
    try:
        for done, future in enumerate(as_completed(running), start=1):
            future.result()
            progress(lock, done, len(running))
    except Exception as error:
        pool.shutdown(cancel_futures=True)
        raise Unavailable(f"{lock} can't be fetched: {error}\n{ADVICE}") from error


def fetch(file: Pinned, fetcher: Fetcher, target: Path) -> None:
    """Fetches and checks a file, then moves it to its name in one step."""
    arrived = fetcher(file)
    if (got := sha256(arrived)) != file.sha256:
        raise ValueError(f"{file.coordinate}: sha256 is {got}, pinned is {file.sha256}")
    arrived.replace(target / file.name)


def maven(partial: Path) -> Fetcher:
    """Returns a fetcher from a Maven repository that keeps what is under way in partial."""
    if find_spec("jgo") is None:
        raise Unavailable("the local stack is not installed: pip install 'orderstream[local]'")
    import jgo.util.http  # noqa: PLC0415 - slow to import, and only a first start needs it
    from jgo.maven import MavenContext  # noqa: PLC0415

    vars(jgo.util.http)["requests"] = KeepAlive
    mirror = os.environ.get("ORDERSTREAM_MAVEN")
    remotes = {"mirror": mirror.rstrip("/")} if mirror else None
    context = MavenContext(repo_cache=partial, remote_repos=remotes, timeout=TIMEOUT)

    def download(file: Pinned) -> Path:
        group, artifact, version = file.coordinate.split(":")
        component = context.project(group, artifact).at_version(version)
        return component.artifact(packaging=file.name.rsplit(".", 1)[1]).resolve()

    return download


class KeepAlive:
    """Stands in for `requests` inside jgo: one connection a thread, 0.8 s in place of 23."""

    local: ClassVar[threading.local] = threading.local()

    @classmethod
    def request(cls, method: str, url: str, **options: Any) -> Any:
        import requests  # noqa: PLC0415 - comes with jgo

        if not hasattr(cls.local, "session"):
            cls.local.session = requests.Session()
        return cls.local.session.request(method, url, **options)


def sha256(file: Path) -> str:
    """Returns the hex digest of the file's bytes."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
