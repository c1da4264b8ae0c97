"""`orderstream trade` on a real stack: a customer's day from a shell."""

import json
import stat
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from typer.testing import CliRunner, Result

from ops.cli import app
from ops.kept_session import FILE, FileKeeper
from ops.stack.folder import RunFolder
from ops.where import NOT_UP

ENV = {"ORDERSTREAM_PASSWORD": "correct horse battery"}
Trade = Callable[..., Result]


def run(*words: str, env: Mapping[str, str] = ENV) -> Result:
    return CliRunner().invoke(app, ["trade", *words], env=env)


@pytest.fixture
def trade(stack: RunFolder, tmp_path: Path) -> Trade:
    """Returns what runs a command of a customer of the stack, whose session lies in a folder of the test's own."""
    at = stack.endpoints()["gateway"]
    return lambda *words: run(*words, "--at", at, "--run-dir", str(tmp_path))


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
    steps = said(trade("timeline", bought["id"], "--json"))["steps"]
    shown = trade("timeline", bought["id"]).stdout
    for step in steps:
        assert f"{step['offset']}" in shown
        assert step["type"] in shown
    assert "filled after" in shown
    assert said(trade("withdraw", "100.00", "--json"))["amount"] == "-100.00"
    cash = said(trade("balance", "--json"))["total"]
    assert said(trade("portfolio", "--json"))["cash"]["total"] == cash
    assert f"of it {cash} in cash" in trade("portfolio").stdout
    assert said(trade("assets", "--search", "bitcoin", "--json"))[0]["id"] == "BTC"
    assert trade("assets", "-n", "3").stdout.count("\n") == 4
    assert trade("logout").exit_code == 0
    assert not (tmp_path / FILE).exists()
    assert said(trade("login", name, "--json"))["username"] == name


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


def test_without_a_stack_it_says_so(tmp_path: Path) -> None:
    ran = run("balance", "--run-dir", str(tmp_path))
    assert ran.exit_code == NOT_UP
    assert "no gateway is up" in ran.output
