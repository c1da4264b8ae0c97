"""The benches, at sizes too small to measure anything: each checks its own outputs and prints its lines."""

import itertools
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from bench import report
from bench.drain import drain
from bench.edge import edge
from bench.fill import repeats, sendings
from bench.generator import Latencies, at_most, at_rate
from bench.hop import hop
from bench.lists import lists
from bench.logins import logins
from bench.projections import projections
from bench.report import Figure
from bench.streams import streams
from bench.way import way


@pytest.mark.stack
@pytest.mark.parametrize(
    ("bench", "lines"),
    [
        (
            lambda: drain(rounds=2, count=1_500),
            ["shell drain of 1,502 commands", "  CPU of the broker", "  snapshots written"],
        ),
        (
            lambda: hop(seconds=1),
            ["hop at 500/s: order → its event, p50", "  produce → its event, p99"],
        ),
        (
            lambda: edge(seconds=1),
            ["one account at 100/s, answered by an outcome", "GET /balance"],
        ),
        (
            lambda: lists(orders=400, times=2),
            ["its newest 50 orders, p50", "the catalogue, searched and sorted, p50", "  p99"],
        ),
        (
            lambda: streams(count=20, seconds=1),
            ["20 streams of 4 accounts: memory each", "  p99"],
        ),
        (
            lambda: logins(rounds=1),
            ["GET /balance while 300 log in at once, p50", "  memory the gateway grew by"],
        ),
        (
            lambda: projections(orders=20),
            ["  CPU of redis, comparing too", "  CPU of dynamodb, comparing too"],
        ),
        (
            lambda: way(seconds=1, rates=[20]),
            ["POST → settled at 20/s, p99", "settled, 64 connections", "  CPU of gateway"],
        ),
    ],
    ids=["drain", "hop", "edge", "lists", "streams", "logins", "projections", "way"],
)
def test_a_bench_checks_its_outputs_and_prints_its_lines(
    bench: Callable[[], list[Figure]], lines: list[str]
) -> None:
    figures = bench()
    assert set(lines) <= {figure.what for figure in figures}
    assert all(figure.value > 0 for figure in figures if figure.beside)


@pytest.mark.stack
def test_a_bench_that_is_stopped_leaves_nothing(tmp_path: Path) -> None:
    """TMPDIR: where its stack's folder is, which every server's command line names."""
    ours = [sys.executable, "-m", "bench", "drain"]
    bench = psutil.Popen(ours, env={**os.environ, "TMPDIR": str(tmp_path)})
    while not (
        contestants := [p for p in bench.children() if "spawn_main" in " ".join(p.cmdline())]
    ):
        assert bench.poll() is None, "it ended before anybody was at work"
    at_work = [*contestants, *working_in(tmp_path)]
    bench.send_signal(signal.SIGTERM)
    assert bench.wait(60) == 128 + signal.SIGTERM
    assert psutil.wait_procs(at_work, 10)[1] == []
    assert working_in(tmp_path) == []
    assert list(tmp_path.iterdir()) == []


def working_in(folder: Path) -> list[psutil.Process]:
    """Returns the processes that were started with a path inside the folder."""
    return [
        process
        for process in psutil.process_iter(["cmdline"])
        if any(str(folder) in word for word in process.info["cmdline"] or ())
    ]


@pytest.mark.parametrize("count", [1, 999, 1_000, 1_001, 2_500])
def test_every_order_is_sent_and_some_once_more(count: int) -> None:
    sent = list(sendings(count))
    assert set(sent) == set(range(count))
    assert len(sent) == count + repeats(count)


def test_a_quantile_is_a_latency_that_was_measured() -> None:
    latencies = Latencies(n / 1_000 for n in range(200, 0, -1))
    assert latencies.quantile(50) == pytest.approx(101)
    assert latencies.quantile(99) == pytest.approx(199)


async def test_the_rate_is_kept_whatever_the_acts_take() -> None:
    due: list[float] = []

    async def act(_: int, when: float) -> None:
        due.append(when)

    await at_rate(200, range(10), act)
    assert [round((b - a) * 200) for a, b in itertools.pairwise(due)] == [1] * 9


async def test_each_connection_acts_on() -> None:
    acted: list[int] = []

    async def act(connection: int) -> None:
        acted.append(connection)

    done, _ = await at_most(3, 0, act)
    assert done == len(acted)


def test_a_figure_is_shown_beside_its_yardstick(capsys: pytest.CaptureFixture[str]) -> None:
    figures = [Figure("drain", 30_000, "records/s", "bare consumer", 60_000), Figure("rows", 1, "")]
    report.show(Console(width=120), figures)
    assert "bare consumer 60,000" in capsys.readouterr().out
    assert [f["ratio"] for f in json.loads(report.as_json(figures))["figures"]] == [0.5, None]
