"""python -m bench [drain|hop|way|edge|lists|streams|logins …] [--quick] [--json]: measures, prints."""

import argparse
from collections.abc import Callable, Mapping
from functools import partial

from rich.console import Console

from bench.apart import end_on_sigterm
from bench.audit import audit
from bench.drain import drain
from bench.edge import edge
from bench.hop import hop
from bench.lists import lists
from bench.logins import logins
from bench.projections import projections
from bench.report import Figure, as_json, show
from bench.streams import streams
from bench.way import way

Bench = Callable[[], list[Figure]]
BENCHES: Mapping[str, Bench] = {
    "drain": partial(drain, rounds=3, count=1_000_000),
    "hop": partial(hop, seconds=20),
    "way": partial(way, seconds=20),
    "projections": partial(projections, orders=5_000),
    "audit": partial(audit, orders=25_000),
    "edge": partial(edge, seconds=10),
    "lists": partial(lists, orders=1_000, times=300),
    "streams": partial(streams, count=2_000, seconds=20),
    "logins": partial(logins, rounds=10),
}
QUICK: Mapping[str, Bench] = {
    "drain": partial(drain, rounds=1, count=50_000),
    "hop": partial(hop, seconds=3),
    "way": partial(way, seconds=3),
    "projections": partial(projections, orders=500),
    "audit": partial(audit, orders=1_000),
    "edge": partial(edge, seconds=3),
    "lists": partial(lists, orders=400, times=50),
    "streams": partial(streams, count=100, seconds=3),
    "logins": partial(logins, rounds=1),
}


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="|".join(BENCHES))
    parser.add_argument(
        "--quick", action="store_true", help="a few seconds each: no figures to keep"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object in place of the table")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(BENCHES):
        parser.error(f"no bench is named {', '.join(sorted(unknown))}: {', '.join(BENCHES)}")
    benches, progress = QUICK if arguments.quick else BENCHES, Console(stderr=True)
    end_on_sigterm()
    figures: list[Figure] = []
    for name in arguments.names or BENCHES:
        with progress.status(f"{name} …"):
            figures += benches[name]()
    if arguments.json:
        print(as_json(figures))
    else:
        show(Console(), figures)


if __name__ == "__main__":
    main()
