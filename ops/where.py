"""Where a command looks, the stack and its servers' addresses, and where it answers: terminal and exit code."""

# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is there at once

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from rich.console import Console

FAILED, NOT_UP, INTERRUPTED = 1, 3, 130  # exit codes
PIPE_WIDTH = 10_000

RunDir = Annotated[
    Path, typer.Option("--run-dir", envvar="ORDERSTREAM_RUN_DIR", help="The stack's own folder.")
]
HERE = Path(".run")


def endpoint(name: str, run_dir: Path) -> str:
    """Returns where the server listens. Ends the command if the stack is not up or has none."""
    found = there(run_dir)
    if name not in found:
        print(f"no {name} is up: `orderstream up` starts it", file=sys.stderr)
        raise typer.Exit(NOT_UP)
    return found[name]


def there(run_dir: Path) -> dict[str, str]:
    """Returns where the servers listen that are up, or named in the environment or a file of secrets."""
    from infra.process.settings import ViewSettings, load
    from ops.stack.endpoints import SERVERS
    from ops.stack.folder import RunFolder

    told = load(ViewSettings)
    named = {name: getattr(told, name) for name in told.model_fields_set & SERVERS.keys()}
    return {**RunFolder(run_dir).status().endpoints, **{k: v for k, v in named.items() if v}}


def ports(run_dir: Path) -> dict[str, int]:
    """Returns the stack's ports by name."""
    from ops.stack.folder import RunFolder

    return RunFolder(run_dir).read("ports.json") or {}


def screen() -> "Console":
    """Returns the terminal; what is no terminal takes long lines."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)
