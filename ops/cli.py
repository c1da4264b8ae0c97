"""The commands of `orderstream`: each a few lines that call what does the work."""

# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is there at once

import json
import os
import signal
import sys
from typing import Annotated

import typer

from ops.admins import create_admin
from ops.prove import audit, replay
from ops.simulation import simulate
from ops.trade import app as trading
from ops.where import FAILED, HERE, INTERRUPTED, NOT_UP, RunDir, endpoint, screen

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

NO_KAFKA_THERE = "Kafka does not answer: ORDERSTREAM_KAFKA names its brokers"
NO_KAFKA = "Kafka does not answer: `orderstream status` and `orderstream logs kafka` say more"


def show_version(wanted: bool) -> None:
    """Prints the version, of an image with the commit it is made of."""
    if wanted:
        from importlib.metadata import version

        print(version("orderstream"))
        raise typer.Exit


@app.callback()
def options(
    _: Annotated[
        bool,
        typer.Option("--version", callback=show_version, is_eager=True, help="Print the version."),
    ] = False,
) -> None:
    """Event-driven order processing in which the Kafka log is the system of record."""


@app.command()
def up(
    run_dir: RunDir = HERE,
    only: Annotated[str, typer.Option(help="Names, with commas: these and what they need.")] = "",
    any_ports: Annotated[bool, typer.Option("--any-ports", help="No well-known ports.")] = False,
    reload: Annotated[bool, typer.Option("--reload", help="Stay; restart on a save.")] = False,
) -> None:
    """Start the stack, or say that it is up. With --reload stay, restart what loads a saved file, stop on Ctrl-C.

    ORDERSTREAM_KAFKA (host:port), ORDERSTREAM_DYNAMODB and ORDERSTREAM_REDIS (URLs) name servers of
    your own in place of the packaged ones. ORDERSTREAM_JVM=full lets the packaged ones compile
    harder: slower to start, faster under lasting load. ORDERSTREAM_MAVEN names a mirror to fetch from.
    """
    from rich.console import Console

    from ops.stack import console, lifecycle
    from ops.stack.artefacts import Unavailable
    from ops.stack.folder import RunFolder

    folder, screen = RunFolder(run_dir), Console()
    was_up = folder.is_up
    try:
        with console.starting(screen) as shown:
            status = lifecycle.up(
                folder,
                only=[name for name in only.split(",") if name],
                any_ports=any_ports,
                owner=os.getpid() if reload else None,
                reload=reload,
                progress=shown.progress,
                seen=shown.seen,
            )
        screen.print("up already" if was_up else "up")
        console.show_endpoints(screen, status.endpoints)
        if reload:
            lifecycle.stay(folder, shown.seen)
    except (lifecycle.NotUp, Unavailable, ValueError) as error:
        sys.exit(str(error))
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


@app.command()
def down(run_dir: RunDir = HERE) -> None:
    """Stop the stack, each process drained; its data stay."""
    from ops.stack import lifecycle
    from ops.stack.folder import RunFolder

    print("down" if lifecycle.down(RunFolder(run_dir)) else "nothing was up")


@app.command()
def status(
    run_dir: RunDir = HERE,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Show what runs, and where. Exit code 0: all of it, 1: not all is ready, 3: not up."""
    from ops.stack.folder import RunFolder

    found = RunFolder(run_dir).status()
    if as_json:
        print(json.dumps(found.as_json()))
    elif found.is_up:
        from rich.console import Console

        from ops.stack import console

        console.show_status(Console(), found)
    else:
        print("not up")
    if not (found.is_up and found.is_ready):
        raise typer.Exit(FAILED if found.is_up else NOT_UP)


@app.command()
def logs(
    name: str,
    run_dir: RunDir = HERE,
    lines: Annotated[int, typer.Option("-n", help="How many of the last lines.")] = 100,
    follow: Annotated[bool, typer.Option("-f", help="Wait for more, until Ctrl-C.")] = False,
) -> None:
    """Show the log of a process, or of the supervisor."""
    from ops.stack import log_file
    from ops.stack.folder import RunFolder

    file = RunFolder(run_dir).log(name)
    if not file.exists():
        sys.exit(
            f"{name} has no log: {', '.join(sorted(f.stem for f in file.parent.glob('*.log')))}"
        )
    for line in log_file.last_lines(file, lines):
        print(line)
    try:
        for text in log_file.follow(file) if follow else ():
            print(text, end="", flush=True)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


@app.command()
def reset(
    run_dir: RunDir = HERE,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Stop the stack and wipe its data."""
    from ops.stack import lifecycle
    from ops.stack.folder import RunFolder

    folder = RunFolder(run_dir)
    if not yes:
        typer.confirm(f"Wipe every order, balance and user in {folder.path}?", abort=True)
    lifecycle.reset(folder)


@app.command()
def run(name: str) -> None:
    """Run one process in the foreground, with settings from the environment."""
    from ops.stack import processes

    if name not in processes.ENTRIES:
        sys.exit(f"no process is named {name}: {', '.join(processes.ENTRIES)}")
    os.environ["ORDERSTREAM_PROCESS"] = name
    signal.signal(signal.SIGTERM, end)  # process 1 of a container has no handler but its own
    processes.enter(name)


@app.command()
def demo(
    run_dir: RunDir = HERE,
    any_ports: Annotated[bool, typer.Option("--any-ports", help="No well-known ports.")] = False,
    at: Annotated[str, typer.Option(help="The URL of a gateway that is up elsewhere.")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="As one JSON object, at the end.")
    ] = False,
) -> None:
    """Walk a new customer through it, show what lies in the log.

    Starts the stack if it is not up, and leaves it up. With --at it starts nothing, and ORDERSTREAM_KAFKA
    names the brokers.
    """
    from rich.console import Console

    from infra.unavailable import Unavailable as Away
    from ops.demo.run import Failed, demo_at
    from ops.demo.run import demo as walk
    from ops.stack.artefacts import Unavailable
    from ops.stack.folder import RunFolder
    from ops.stack.lifecycle import NotUp

    console = Console(stderr=True) if as_json else Console()
    try:
        walked = (
            demo_at(at, console) if at else walk(RunFolder(run_dir), console, any_ports=any_ports)
        )
    except (NotUp, Unavailable, ValueError) as error:
        sys.exit(str(error))
    except Failed as error:
        advice = "" if at else "\nThe stack is up: `orderstream status`, `orderstream logs gateway`"
        sys.exit(f"{error}{advice}")
    except Away:
        sys.exit(NO_KAFKA_THERE if at else NO_KAFKA)
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    if as_json:
        print(json.dumps(walked.as_json(), indent=1))


@app.command()
def address(
    name: Annotated[str, typer.Argument(help="gateway, kafka, dynamodb or redis.")],
    run_dir: RunDir = HERE,
) -> None:
    """Print where a server of the stack listens, for scripts."""
    print(endpoint(name, run_dir))


@app.command()
def topics(
    run_dir: RunDir = HERE,
    every: Annotated[bool, typer.Option("--all", help="The internal ones too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="All, as a JSON array.")] = False,
) -> None:
    """Show every topic: its writer, what it carries, its size."""
    import asyncio

    from infra.unavailable import Unavailable
    from ops.topics import listed, show

    try:
        found = asyncio.run(listed(endpoint("kafka", run_dir)))
    except Unavailable:
        sys.exit(NO_KAFKA)
    if as_json:
        print(json.dumps([topic.as_json() for topic in found], indent=1))
    else:
        show(screen(), found, every=every)


@app.command()
def tail(
    topic: str,
    *,
    run_dir: RunDir = HERE,
    last: Annotated[int, typer.Option("-n", min=0, help="How many of the last records.")] = 10,
    from_beginning: Annotated[bool, typer.Option("--from-beginning", help="All of them.")] = False,
    to_end: Annotated[bool, typer.Option("--to-end", help="Do not wait for more.")] = False,
    account: Annotated[str | None, typer.Option(help="Of this account (its UUID) alone.")] = None,
    control: Annotated[bool, typer.Option("--control", help="Its writer's books too.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a line.")] = False,
) -> None:
    """Show a topic's last records, decoded, then those that come."""
    import asyncio

    from infra.unavailable import Unavailable
    from ops.tail import Decoded, Wanted, follow

    console = screen()

    def show(record: Decoded) -> None:
        if as_json:
            print(record.as_json(), flush=True)
        else:
            console.print(record.as_text(), no_wrap=True, overflow="ellipsis")

    wanted, span = Wanted(account, control), None if from_beginning else last
    bootstrap = endpoint("kafka", run_dir)
    try:
        asyncio.run(follow(bootstrap, topic, wanted, show, last=span, to_end=to_end))
    except Unavailable:
        sys.exit(NO_KAFKA)
    except LookupError as error:
        sys.exit(error.args[0])
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


app.command()(replay)
app.command()(audit)
app.command()(simulate)
app.command()(create_admin)
app.add_typer(trading, name="trade")


def end(number: int, _: object) -> None:
    """Ends a process that has nothing to drain yet."""
    raise SystemExit(128 + number)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
