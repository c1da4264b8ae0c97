"""Crash points: armed in tests alone, passed all of them, deadly at the named passing."""

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from signal import SIGKILL

import pytest

from infra import crash
from infra.crash import Crash, Point, passed
from infra.process.settings import Settings, load
from infra.shell.partition import HOUR_MS
from tests.infra.shell.stepper import Bench
from tests.messages.envelope import ACCOUNT

DIES = """
from infra.crash import Crash, Point, arm, passed
arm(Crash.parse("acknowledged:2").dies())
for point in (Point.ACKNOWLEDGED, Point.FETCHED, Point.ACKNOWLEDGED):
    print(point, flush=True)
    passed(point)
print("alive")
"""


MANY = 10_000
"""Commands whose rows make a snapshot of several batches."""


@pytest.fixture
def seen() -> Iterator[Counter[Point]]:
    """Returns how often each point is passed."""
    counted: Counter[Point] = Counter()
    crash.arm(lambda point: counted.update([point]))
    yield counted
    crash.arm(None)


def test_a_process_dies_at_the_named_passing() -> None:
    process = subprocess.run([sys.executable, "-c", DIES], stdout=subprocess.PIPE, check=False)
    assert process.returncode == -SIGKILL
    assert process.stdout.split() == [b"acknowledged", b"fetched", b"acknowledged"]


@pytest.mark.parametrize("env", ["production", "development"])
def test_a_process_that_is_no_tests_refuses_to_start_with_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], env: str
) -> None:
    monkeypatch.setenv("ORDERSTREAM_ENV", env)
    monkeypatch.setenv("ORDERSTREAM_CRASH", "acknowledged:1")
    with pytest.raises(SystemExit) as ended:
        load(Settings)
    assert ended.value.code == 78
    said = f"ORDERSTREAM_CRASH is for ORDERSTREAM_ENV=test, this is {env}"
    assert said in capsys.readouterr().err


def test_a_tests_process_is_told_where_to_die(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ORDERSTREAM_ENV", "test")
    monkeypatch.setenv("ORDERSTREAM_CRASH", "rows_read:2")
    assert load(Settings).crash == Crash(Point.ROWS_READ, 2)


@pytest.mark.parametrize("text", ["", "nowhere:1", "decided", "decided:0", "decided:-1", ":1"])
def test_what_names_no_crash_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no crash is"):
        Crash.parse(text)


async def test_every_point_of_a_shell_is_passed(seen: Counter[Point]) -> None:
    bench = Bench()
    bench.ask(1, 7, 4, *(1,) * MANY)
    bench.put(b"poison", ACCOUNT)
    await bench.live(rest_ms=2 * HOUR_MS)
    bench.ask(1, first=MANY + 9)
    await bench.live()
    assert set(seen) == {point for point in Point if not point.startswith(("edge_", "view_"))}


async def test_points_are_passed_by_turns_not_by_records(seen: Counter[Point]) -> None:
    bench = Bench(size=1_000)
    bench.ask(*(1,) * 2_000)
    await bench.live()
    assert len(bench.events()) == 2_000
    assert max(seen.values()) < 200


def test_unarmed_a_point_does_nothing() -> None:
    for point in Point:
        passed(point)


def test_a_process_lives_till_the_passing_that_was_named() -> None:
    pass_by = Crash.parse("decided:3").dies()
    for point in (Point.DECIDED, Point.FETCHED, Point.DECIDED, Point.ENCODED):
        pass_by(point)  # the third would kill this process
