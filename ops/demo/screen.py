"""What the demo shows, as it happens."""

import json
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape

from events.topics import TRADE_EVENTS
from ops.demo.books import Books
from ops.demo.client import Answer
from ops.demo.traces import Trace
from ops.demo.walk import Step

INDENT = " " * 11


class Screen:
    def __init__(self, console: Console) -> None:
        self.console = console

    def asked(self, step: Step) -> None:
        """Shows a request that was just sent."""
        body = f" {json.dumps(step.shown_body, ensure_ascii=False)}" if step.body else ""
        self._print(f"\n[bold]{step.name:10}[/] {step.method} {step.path}[dim]{escape(body)}")

    def answered(self, step: Step, answer: Answer) -> None:
        """Shows the answer to a request that went well."""
        took = f"{answer.status} in {milliseconds(answer.took_us)}"
        self._print(f"{INDENT}[green]{took}[/]  {escape(step.told(answer.body))}")

    def lies(self, traces: Sequence[Trace], sent_ms: int) -> None:
        """Shows where the messages of a request lie, and how long after it each was there."""
        for trace in traces:
            place, after = f"{trace.partition}:{trace.offset}", max(0, trace.time - sent_ms)
            self._print(
                f"{INDENT}[cyan]{trace.topic:20}[/] [dim]{place:9}[/] {trace.type:17} +{after} ms"
            )

    def added_up(self, books: Books) -> None:
        """Shows the books."""
        accounts = "1 account" if len(books.balances) == 1 else f"{len(books.balances):,} accounts"
        verdict = "[green]exact[/]" if books.are_exact else "[bold red]NOT EXACT[/]"
        self._print(
            f"\n[bold]books[/]      {verdict}: {books.events:,} events of {accounts},"
            " added up from the topics alone"
        )
        self._print(
            f"{INDENT}deposits {usd(books.deposits)} - withdrawals {usd(books.withdrawals)}"
            f" - bought {usd(books.bought)} + sold {usd(books.sold)} - fees {usd(books.fees)}"
            f" = [bold]{usd(books.money)} USD[/], what the accounts have"
        )
        fills = len(books.fills["OrderFilled"])
        self._print(
            f"{INDENT}{fills} fills of this walk: each settled once in money, once in assets, once"
            " on the tape"
        )

    def goes_on(
        self, endpoints: Mapping[str, str], command: str, seconds: Mapping[str, str]
    ) -> None:
        """Shows where everything is, what to do next, and how long it all took."""
        took = ", ".join(f"{name} {value} s" for name, value in seconds.items())
        lines = {
            "gateway": endpoints["gateway"],
            "docs": f"{endpoints['gateway']}/docs",
            "kafka": endpoints["kafka"],
            "trades": f"{command} tail {TRADE_EVENTS.name}",
            "topics": f"{command} topics",
            "stop": f"{command} down",
        }
        self._print("")
        for name, line in lines.items():
            self._print(f"[bold]{name:10}[/] {line}")
        self._print(f"\n[bold green]done[/]       {took}")

    def _print(self, line: str) -> None:
        self.console.print(line, highlight=False, soft_wrap=True)


def milliseconds(us: int) -> str:
    return f"{us // 1_000}.{us % 1_000 // 100} ms"


def usd(cents: int) -> str:
    return f"{cents // 100:,}.{cents % 100:02}"
