"""The commands of `orderstream`: each a few lines that call what does the work."""

# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is there at once

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ops.simulation import simulate

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)

FAILED, NOT_UP, INTERRUPTED = 1, 3, 130  # exit codes
NO_KAFKA = "Kafka does not answer: `orderstream status` and `orderstream logs kafka` say more"
PIPE_WIDTH = 10_000
SERVERS = ("kafka", "dynamodb", "redis")

RunDir = Annotated[
    Path, typer.Option("--run-dir", envvar="ORDERSTREAM_RUN_DIR", help="The stack's own folder.")
]
HERE = Path(".run")


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
    processes.enter(name)


@app.command()
def demo(
    run_dir: RunDir = HERE,
    any_ports: Annotated[bool, typer.Option("--any-ports", help="No well-known ports.")] = False,
    as_json: Annotated[
        bool, typer.Option("--json", help="As one JSON object, at the end.")
    ] = False,
) -> None:
    """Walk a new customer through it, show what lies in the log.

    Starts the stack if it is not up, and leaves it up.
    """
    from rich.console import Console

    from infra.unavailable import Unavailable as Away
    from ops.demo.run import Failed
    from ops.demo.run import demo as walk
    from ops.stack.artefacts import Unavailable
    from ops.stack.folder import RunFolder
    from ops.stack.lifecycle import NotUp

    console = Console(stderr=True) if as_json else Console()
    try:
        walked = walk(RunFolder(run_dir), console, any_ports=any_ports)
    except (NotUp, Unavailable, ValueError) as error:
        sys.exit(str(error))
    except Failed as error:
        sys.exit(f"{error}\nThe stack is up: `orderstream status`, `orderstream logs gateway`")
    except Away:
        sys.exit(NO_KAFKA)
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


@app.command()
def replay(
    view: Annotated[str, typer.Argument(help="live or history.")],
    run_dir: RunDir = HERE,
    *,
    anyway: Annotated[bool, typer.Option("--anyway", help="Switch also if rows differ.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="The result as a JSON object.")] = False,
) -> None:
    """Build a view anew from its topics, compare it with the one that serves, switch to it if they are the same.

    Readers are served all the while. Exit code 1: a row differs, and the old one still serves.
    """
    import asyncio

    from rich.console import Console

    from gateway.building import Refused
    from infra.log.port import OutOfRange
    from infra.unavailable import Unavailable
    from ops.replay import VIEWS, Overtaken, counting, replay_named, settings_of

    if view not in VIEWS:
        sys.exit(f"no view is named {view}: {', '.join(VIEWS)}")
    settings = settings_of({name: endpoint(name, run_dir) for name in SERVERS})
    try:
        with counting(Console(stderr=True), f"replay {view}") as told:
            found = asyncio.run(replay_named(view, settings, told, anyway=anyway))
    except (Unavailable, OutOfRange, Overtaken, Refused) as error:
        sys.exit(f"{error}: nothing was switched")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    print(json.dumps(found._asdict()) if as_json else found.as_text())
    if not found.switched:
        raise typer.Exit(FAILED)


@app.command()
def audit(
    run_dir: RunDir = HERE,
    *,
    prefix: Annotated[bool, typer.Option("--prefix", help="Only what holds at any time.")] = False,
    patience: Annotated[float, typer.Option(help="Seconds to wait for rest.")] = 60,
    journal: Annotated[Path | None, typer.Option(help="What a client asked for.")] = None,
    redecide: Annotated[bool, typer.Option("--redecide", help="Decide all again.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Check the log, snapshots and views against each other, by arithmetic of its own.

    Exit code 1: something is not as it must be, or there was nothing to check.
    """
    import asyncio

    from rich.console import Console

    from infra.unavailable import Unavailable
    from ops.audit import run as audits
    from ops.audit.outcomes import read_journal
    from ops.audit.screen import show
    from ops.audit.where import Where
    from ops.redecide import Redecided
    from ops.replay import counting

    where = Where.of({"kafka": endpoint("kafka", run_dir), **there(run_dir)}, ports(run_dir))
    asked = read_journal(journal.read_text()) if journal else None
    given: dict[str, Any] = {"journal": asked, "more": (Redecided(),) if redecide else ()}
    try:
        with counting(Console(stderr=True), "audit") as told:
            auditing = audits.audit(where, patience_s=patience, prefix=prefix, told=told, **given)
            found = asyncio.run(auditing)
    except Unavailable as away:
        sys.exit(f"{away} does not answer: `orderstream status` says more")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)
    print(json.dumps(found.as_json(), indent=1)) if as_json else show(screen(), found)
    if not found.is_clean:
        raise typer.Exit(FAILED)


app.command()(simulate)


def endpoint(name: str, run_dir: Path) -> str:
    """Returns where the server listens. Ends the command if the stack is not up or has none."""
    found = there(run_dir)
    if name not in found:
        print(f"no {name} is up: `orderstream up` starts it", file=sys.stderr)
        raise typer.Exit(NOT_UP)
    return found[name]


def there(run_dir: Path) -> dict[str, str]:
    """Returns where the servers listen that are up or named in the environment."""
    from ops.stack.endpoints import given
    from ops.stack.folder import RunFolder

    return {**RunFolder(run_dir).status().endpoints, **given(os.environ)}


def ports(run_dir: Path) -> dict[str, int]:
    """Returns the stack's ports by name."""
    from ops.stack.folder import RunFolder

    return RunFolder(run_dir).read("ports.json") or {}


def screen() -> "Console":
    """Returns the terminal; what is no terminal takes long lines."""
    from rich.console import Console

    return Console() if sys.stdout.isatty() else Console(width=PIPE_WIDTH)


def main() -> None:
    app()


if __name__ == "__main__":
    main()
