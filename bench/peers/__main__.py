"""python -m bench.peers [drain|hop …] [--quick] [--json]: races our shell against Kafka Streams and Quix Streams."""

import argparse
from collections.abc import Callable, Mapping
from functools import partial

from rich.console import Console

from bench.apart import end_on_sigterm
from bench.peers.contestants import kafka_streams, missing_tools, quix_streams, shell
from bench.peers.race import drains, hops
from bench.report import Figure, as_json, show

NAMES = ("drain", "hop")
Race = Callable[[], list[Figure]]


def races(quick: bool) -> Mapping[str, Race]:
    """Returns them, their contestants built."""
    streams = kafka_streams()
    rivals = [shell(), streams, quix_streams()]
    paced = [shell(), streams, kafka_streams(commit_ms=10), quix_streams(commit_ms=100)]
    rounds, count, seconds = (1, 100_000, 3) if quick else (3, 1_000_000, 20)
    return {
        "drain": partial(drains, rivals, rounds, count),
        "hop": partial(hops, paced, seconds),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench.peers", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="|".join(NAMES))
    parser.add_argument("--quick", action="store_true", help="no figures to keep")
    parser.add_argument("--json", action="store_true", help="one JSON object in place of the table")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(NAMES):
        parser.error(f"no race is named {', '.join(sorted(unknown))}: {', '.join(NAMES)}")
    if missing := missing_tools():
        print(f"the race did not run: Kafka Streams needs a JDK and Maven, no {missing[0]} is here")
        return
    end_on_sigterm()
    figures: list[Figure] = []
    with Console(stderr=True).status("racing …"):
        found = races(arguments.quick)
        for name in arguments.names or NAMES:
            figures += found[name]()
    if arguments.json:
        print(as_json(figures))
    else:
        show(Console(), figures)


if __name__ == "__main__":
    main()
