"""The commands that prove the state from the log: build a view anew and compare it, check everything by arithmetic."""

# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is there at once

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ops.where import FAILED, HERE, INTERRUPTED, RunDir, endpoint, ports, screen, there

SERVERS = ("kafka", "dynamodb", "redis")


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
