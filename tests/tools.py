"""Programs that tests run and that are not of the environment: made once a user, of what a lock pins by hash."""

import json
import os
import shutil
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from ops.stack import flock
from ops.stack.artefacts import cache

BIN = Path(sys.executable).parent


def go(module: Path, name: str) -> Path:
    """Returns the program of that name among the tools of the module, built by our own Go.

    Raises: CalledProcessError if it can't be built; LookupError if go.mod names no such tool.
    """
    target = place("go", module / "go.mod", module / "go.sum") / name
    with flock.holding(target.with_suffix(".flock")):
        if not target.exists():
            build(module, imported(module, name), target)
    return target


def build(module: Path, package: str, target: Path) -> None:
    """Builds it. Only what go.sum has is taken: -mod=readonly, and no other Go in place of ours."""
    partial = target.with_suffix(".partial")
    options = ("-mod=readonly", "-trimpath", "-o", partial)
    command: list[str | Path] = [BIN / "go", "-C", module, "build", *options, package]
    settings = {"CGO_ENABLED": "0", "GOTOOLCHAIN": "local", "GOWORK": "off", "GOFLAGS": ""}
    subprocess.run(command, check=True, env=os.environ | settings)
    partial.replace(target)


def imported(module: Path, name: str) -> str:
    """Returns the import path of a tool of go.mod. Raises: LookupError."""
    command: list[str | Path] = [BIN / "go", "mod", "edit", "-json", module / "go.mod"]
    ran = subprocess.run(command, check=True, capture_output=True, text=True)
    paths: list[str] = [tool["Path"] for tool in json.loads(ran.stdout)["Tool"]]
    for path in paths:
        if path.rpartition("/")[2] == name:
            return path
    raise LookupError(f"{name} is none of the tools of {module / 'go.mod'}: {paths}")


def environment(lock: Path) -> Path:
    """Returns the folder of programs of an environment that has what the lock pins, and nothing else.

    Raises: CalledProcessError if it can't be installed.
    """
    target = place(f"{lock.stem}-{sys.implementation.cache_tag}", lock)
    done = target / "done"
    with flock.holding(target.with_suffix(".flock")):
        if not done.exists():
            shutil.rmtree(target, ignore_errors=True)  # what an interrupted installation left
            install(lock, target)
            done.touch()
    return target / "bin"


def install(lock: Path, target: Path) -> None:
    """Makes the environment. Wheels alone: nobody's code runs while it is installed."""
    uv = (BIN / "uv", "--quiet")
    subprocess.run([*uv, "venv", "--python", sys.executable, target], check=True)
    exactly = ("--require-hashes", "--only-binary=:all:", "-r", lock)
    into = ("--python", target / "bin" / "python")
    subprocess.run([*uv, "pip", "install", *into, *exactly], check=True)


def place(name: str, *locks: Path) -> Path:
    """Returns the folder of what is made of the locks: other locks' things never mix with them."""
    digest = sha256(b"\0".join(lock.read_bytes() for lock in locks)).hexdigest()
    return cache() / f"{name}-{digest[:12]}"
