"""`orderstream trade` on a real stack: a customer's day from a shell."""

import json
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from ops.cli import app
from ops.kept_session import FILE, FileKeeper
from ops.lists import moment
from ops.stack.folder import RunFolder
from ops.where import INTERRUPTED, NOT_UP

ENV = {"ORDERSTREAM_PASSWORD": "correct horse battery"}
WITHIN_S = 10
Trade = Callable[..., Result]


def run(*words: str, env: Mapping[str, str] = ENV) -> Result:
    return CliRunner().invoke(app, ["trade", *words], env=env)


@pytest.fixture
def trade(stack: RunFolder, tmp_path: Path) -> Trade:
    """Returns what runs a command of a customer of the stack, whose session lies in a folder of the test's own."""
    at = stack.endpoints()["gateway"]
    return lambda *words, env=ENV: run(*words, "--at", at, "--run-dir", str(tmp_path), env=env)


@contextmanager
def watching(stack: RunFolder, folder: Path, *words: str) -> Iterator[IO[str]]:
    """Yields the lines of a command that goes on, and ends it as Ctrl-C does: it has nothing to complain of."""
    where = ("--at", stack.endpoints()["gateway"], "--run-dir", str(folder))
    begun = [sys.executable, "-m", "ops.cli", "trade", *words, *where]
    with subprocess.Popen(
        begun, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout
            assert process.stderr
            yield process.stdout
            process.send_signal(signal.SIGINT)
            assert process.wait(WITHIN_S) == INTERRUPTED
            assert process.stderr.read() == ""
        finally:
            process.kill()


def said(ran: Result) -> Any:
    """Returns what a command has printed as JSON."""
    assert ran.exit_code == 0, ran.output
    return json.loads(ran.stdout)


@pytest.mark.stack
def test_a_day_of_a_customer(trade: Trade, tmp_path: Path) -> None:
    name = f"u-{uuid4().hex[:12]}"
    assert said(trade("register", name, f"{name}@example.org", "--json"))["username"] == name
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    assert said(trade("deposit", "1000.00", "--key", "d1", "--json"))["status"] == "done"
    assert said(trade("deposit", "1000.00", "--key", "d1", "--json"))["balance_after"] == "1000.00"
    assert said(trade("preview", "buy", "BTC", "--notional", "100", "--json"))["refusal"] is None
    bought = said(trade("buy", "BTC", "--notional", "100", "--client-order-id", "b1", "--json"))
    sold = said(trade("sell", "BTC", "--quantity", "0.0001", "--json"))
    assert (bought["status"], sold["status"]) == ("filled", "filled")
    assert [one["id"] for one in said(trade("orders", "--json"))] == [sold["id"], bought["id"]]
    assert said(trade("order", bought["id"], "--json"))["client_order_id"] == "b1"
    tomorrow = f"{datetime.now(UTC) + timedelta(days=1):%Y-%m-%d}"
    for name_of, shown in (("orders", sold["id"]), ("trades", "BTC"), ("transactions", "sell")):
        assert shown in trade(name_of, "--asset", "BTC", "--to", tomorrow).stdout
        assert said(trade(name_of, "--from", tomorrow, "--json")) == []
    [first] = said(trade("orders", "--to", sold["created_at"], "--json"))
    assert first["id"] == bought["id"]
    steps = said(trade("timeline", bought["id"], "--json"))["steps"]
    shown = trade("timeline", bought["id"]).stdout
    for step in steps:
        assert f"{step['offset']}" in shown
        assert step["type"] in shown
    assert "filled after" in shown
    assert said(trade("withdraw", "100.00", "--json"))["amount"] == "-100.00"
    cash = said(trade("balance", "--json"))["total"]
    assert re.search(r"^as_of +2\S+Z b:[0-9,:opu]+$", trade("balance").stdout, re.MULTILINE)
    assert said(trade("portfolio", "--json"))["cash"]["total"] == cash
    assert f"of it {cash} in cash" in trade("portfolio").stdout
    assert said(trade("assets", "--search", "bitcoin", "--json"))[0]["id"] == "BTC"
    assert trade("assets", "-n", "3").stdout.count("\n") == 4
    assert trade("logout").exit_code == 0
    assert not (tmp_path / FILE).exists()
    assert said(trade("login", name, "--json"))["username"] == name


@pytest.mark.stack
def test_a_customer_sees_and_changes_himself(trade: Trade) -> None:
    name = f"u-{uuid4().hex[:12]}"
    trade("register", name, f"{name}@example.org")
    assert said(trade("profile", "--first-name", "Ada", "--json"))["first_name"] == "Ada"
    assert said(trade("profile", "--first-name", "", "--json"))["first_name"] is None
    assert trade("login", name).exit_code == 0
    [here, there] = said(trade("sessions", "--json"))
    assert (here["current"], there["current"]) == (True, False)
    assert trade("sessions", "--end", there["id"]).exit_code == 0
    assert [one["id"] for one in said(trade("sessions", "--json"))] == [here["id"]]
    new = ENV | {"ORDERSTREAM_NEW_PASSWORD": "another correct horse battery"}
    assert trade("password", env=new).exit_code == 0
    assert "invalid_credentials" in trade("login", name).output


@pytest.mark.stack
def test_what_comes_is_watched_until_ctrl_c(trade: Trade, stack: RunFolder, tmp_path: Path) -> None:
    name = f"u-{uuid4().hex[:12]}"
    trade("register", name, f"{name}@example.org")
    with watching(stack, tmp_path, "watch", "balance", "--json") as lines:
        first = json.loads(lines.readline())
        trade("deposit", "7.00")
        second = json.loads(lines.readline())
        assert (first["event"], second["event"]) == ("snapshot", "balance")
        assert second["data"]["total"] == "7.00"
    with watching(stack, tmp_path, "watch", "balance", "--last-id", first["id"]) as lines:
        assert lines.readline().endswith("available=7.00 held=0.00 total=7.00\n")
    with watching(stack, tmp_path, "watch") as lines:
        standing = "total=7.00 held=0.00 open_orders=0 positions=0 frozen=False\n"
        assert lines.readline().endswith(f" snapshot    {standing}")
        bought = said(trade("buy", "BTC", "--notional", "5", "--json"))
        filled = f" order       id={bought['id']} status=filled side=buy asset_id=BTC"
        assert any(filled in line for line in iter(lines.readline, ""))
    while len(told := trade("past").stdout.splitlines()) < 3:
        assert len(told) > 0  # the history is some moments behind
    by_name = {
        name: [line for line in told if line.split()[2] == name]
        for name in ("transaction", "trade")
    }
    assert "type=deposit" in by_name["transaction"][0]
    assert all(f" order_id={bought['id']}" in by_name[name][-1] for name in by_name)
    with watching(stack, tmp_path, "prices", "BTC") as lines:
        assert " prices      BTC=" in lines.readline()
    ran = trade("watch", "no_such", "--json")
    assert (ran.exit_code, json.loads(ran.stdout)["code"]) == (1, "validation_failed")


@pytest.mark.stack
def test_a_refusal_says_what_where_and_what_would_be_right(trade: Trade, tmp_path: Path) -> None:
    ran = trade("balance")
    assert ran.exit_code == 1
    assert "`orderstream trade login NAME`" in ran.output
    name = f"u-{uuid4().hex[:12]}"
    trade("register", name, f"{name}@example.org")
    ran = trade("withdraw", "5.00")
    assert ran.exit_code == 1
    assert "Needed 5.00, available 0.00. (422 insufficient_funds, request" in ran.output
    ran = trade("withdraw", "5.00", "--json")
    assert (ran.exit_code, json.loads(ran.stdout)["code"]) == (1, "insufficient_funds")
    assert "#/notional" in trade("buy", "BTC", "--notional", "1e3").output
    assert FileKeeper(tmp_path, "http://elsewhere.example.org").load() is None


@pytest.mark.parametrize(
    "words", [("buy", "BTC"), ("sell", "BTC", "--quantity", "1", "--notional", "1")]
)
def test_an_order_has_one_size(words: tuple[str, ...]) -> None:
    ran = run(*words)
    assert ran.exit_code == 2
    assert "--quantity 0.001 or --notional 100.00" in ran.output


def test_a_preview_has_a_side() -> None:
    ran = run("preview", "hold", "BTC", "--quantity", "1")
    assert ran.exit_code == 2
    assert "buy or sell, not hold" in ran.output


@pytest.mark.parametrize("name", ["orders", "trades", "transactions"])
@pytest.mark.parametrize("option", ["--from", "--to"])
@pytest.mark.parametrize(
    "text", ["yesterday", "2026-13-01", "20261124", "2026-11-24T23:29:00", "1732490940", ""]
)
def test_what_is_no_time_is_told_what_would_be(name: str, option: str, text: str) -> None:
    ran = run(name, option, text)
    assert ran.exit_code == 2
    assert f"'{option}': {text!r} is no time such as 2026-11-24T23:29:00Z" in ran.output
    assert "a date such as 2026-11-24" in ran.output


def test_a_time_has_a_zone_and_a_date_begins_in_utc() -> None:
    assert moment("2026-11-24") == datetime(2026, 11, 24, tzinfo=UTC)
    there = datetime(2026, 11, 24, 22, 29, tzinfo=UTC)
    assert moment("2026-11-24T23:29:00+01:00") == there


def test_without_a_stack_it_says_so(tmp_path: Path) -> None:
    ran = run("balance", "--run-dir", str(tmp_path))
    assert ran.exit_code == NOT_UP
    assert "no gateway is up" in ran.output
