"""The commands of `orderstream`: each a few lines that call what does the work."""

# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is there at once

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)

NOT_READY, NOT_UP = 1, 3  # exit codes of `status`

Folder = Annotated[
    Path, typer.Option("--run-dir", envvar="ORDERSTREAM_RUN_DIR", help="The stack's own folder.")
]


@app.command()
def run(name: str) -> None:
    """Run one process of the stack in the foreground."""
    from ops.stack import processes

    processes.enter(name)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
