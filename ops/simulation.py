"""`orderstream simulate`: the seeded simulation, which lives beside the tests and so in a checkout alone."""

# ruff: noqa: PLC0415 - the simulation is imported where there is one

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tests.simulation.campaign import Found

Run = int | bytes
MINUTE = 60
FAILED = 1
NO_SIMULATION = "the simulation comes with the source: run this from a checkout of it"


def flag(name: str, about: str) -> Any:
    return typer.Option(name, help=about)


def simulate(
    seeds: Annotated[int, typer.Option(min=1, help="How many.")] = 1_000,
    first: Annotated[int, typer.Option("--from", min=0, help="The first of them.")] = 0,
    jobs: Annotated[int, typer.Option(min=1, help="How many processes share them.")] = 2,
    minutes: Annotated[int, typer.Option(min=0, help="Begin no more after these.")] = 0,
    *,
    seed: Annotated[int | None, typer.Option(help="This one alone, and what it was like.")] = None,
    case: Annotated[Path | None, typer.Option(help="The run that this file tells.")] = None,
    twice: Annotated[bool, flag("--twice", "Each must run the same twice.")] = False,
    exhaustive: Annotated[
        bool, flag("--exhaustive", "A short history, killed everywhere.")
    ] = False,
    pairs: Annotated[bool, flag("--pairs", "The same, killed twice.")] = False,
    shrink: Annotated[bool, flag("--shrink", "Keep what fails as a test, made small.")] = False,
) -> None:
    """Run the services on an in-memory log while everything goes wrong that a seed draws.

    Exit code 1: something was violated; each failing seed is named with the command that replays it.
    """
    if find_spec("tests") is None or find_spec("tests.simulation") is None:
        sys.exit(NO_SIMULATION)
    from tests.simulation import exhaustive as crashes

    if seed is not None or case is not None:
        one(seed, case)
        return
    if twice:
        same(range(first, first + seeds))
        return
    runs: Sequence[Run] = range(first, first + seeds)
    if exhaustive or pairs:
        runs = [each.as_json() for each in (crashes.pairs() if pairs else crashes.singles())]
    found = watched(runs, jobs=jobs, minutes=minutes)
    if shrink:
        keep(found)
    if found:
        raise typer.Exit(FAILED)


def keep(found: "Sequence[Found]") -> None:
    """Has each failure run as a test from now on, as small as it gets."""
    from tests.simulation.campaign import kept

    for case, failure in ((each.case, each.failure) for each in found):
        print(f"kept: {kept(case, f'{failure.kind.split()[0].lower()}-{case.seed}')}")


def one(seed: int | None, file: Path | None) -> None:
    """Runs it and says what it was like. Raises: what it comes to."""
    from tests.simulation.case import case_of, drawn
    from tests.simulation.run import simulate as run

    case = case_of(file.read_bytes()) if file else drawn(seed or 0)
    print(case.weather)
    for trouble in case.troubles:
        print(trouble)
    world = run(case)
    lives = {process.name: process.lives for process in world.processes}
    print(f"{len(case.sendings)} sent, lives {lives}, {world.steps} steps, trace {world.trace()}")


def same(seeds: range) -> None:
    """Ends the command with exit code 1 if a seed runs otherwise the second time."""
    from tests.simulation.campaign import differs

    if different := [seed for seed in seeds if differs(seed)]:
        sys.exit(f"another run the second time: seeds {different}")
    print(f"{len(seeds)} seeds, the same twice")


def watched(runs: "Sequence[Run]", *, jobs: int, minutes: int) -> "list[Found]":
    """Returns what failed; shows how far it is, and each failure at once."""
    from rich.console import Console

    from ops.replay import counting
    from tests.simulation.campaign import campaign

    screen, found, done = Console(stderr=True), list["Found"](), 0
    with counting(screen, "simulate") as told:
        for done, failed in campaign(runs, jobs=jobs, seconds=minutes * MINUTE or None):
            told(done, len(runs))
            for each in failed:
                print(f"{each.failure.kind}: {each.failure.text}\n{replay_of(each)}", flush=True)
            found += failed
    print(f"{done} runs, {len(found)} violations")
    return found


def replay_of(found: "Found") -> str:
    """Returns how the failure is seen again."""
    case = found.case
    if case.crashes is None:
        return f"replay: .venv/bin/orderstream simulate --seed {case.seed}"
    return f"crashes: {[tuple(crash) for crash in case.crashes]}"
