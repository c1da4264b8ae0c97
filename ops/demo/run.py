"""`orderstream demo`: a new customer's whole walk through the running product, each step's traces shown."""

import asyncio
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from time import perf_counter
from typing import Any
from uuid import uuid4

from rich.console import Console

from infra.log import listing
from infra.log.kafka import KafkaLog
from infra.process.settings import Settings, load
from ops.demo.books import Books, add_up
from ops.demo.client import Answer, Client, NoAnswer
from ops.demo.screen import Screen
from ops.demo.traces import Missing, Trace, Traces
from ops.demo.walk import Step, steps
from ops.stack import console as stack_console
from ops.stack import lifecycle
from ops.stack.folder import RunFolder


class Failed(Exception):
    """A step did not go as it must; the message says which and how. The stack stays up."""


@dataclass
class Walked:
    """What came of the walk. steps: request, answer and traces of each."""

    endpoints: Mapping[str, str]
    steps: list[tuple[Step, Answer, list[Trace]]] = field(default_factory=list)
    books: Books | None = None
    seconds: dict[str, str] = field(default_factory=dict)
    started: bool = False

    def as_json(self) -> dict[str, Any]:
        return {
            "endpoints": dict(self.endpoints),
            "started": self.started,
            "seconds": self.seconds,
            "steps": [step_json(*walked) for walked in self.steps],
            "books": self.books and books_json(self.books),
        }


def step_json(step: Step, answer: Answer, traces: list[Trace]) -> dict[str, Any]:
    return {
        "step": step.name,
        "request": f"{step.method} {step.path}",
        "status": answer.status,
        "took_us": answer.took_us,
        "answer": step.told(answer.body),
        "records": [
            trace._asdict() | {"after_ms": trace.time - answer.sent_ms} for trace in traces
        ],
    }


def books_json(books: Books) -> dict[str, Any]:
    names = ("events", "deposits", "withdrawals", "bought", "sold", "fees", "money")
    return {name: getattr(books, name) for name in names} | {
        "accounts": len(books.balances),
        "exact": books.are_exact,
    }


def demo(folder: RunFolder, console: Console, *, any_ports: bool = False) -> Walked:
    """Returns what came of the walk, on the stack in the folder: it stays up, whoever started it.

    Interrupted, it stops the stack if it has started it. Raises: Failed; NotUp, Unavailable.
    """
    began, was_up = perf_counter(), folder.is_up
    try:
        endpoints = bring_up(folder, console, was_up=was_up, any_ports=any_ports)
        up_after = perf_counter() - began
        walked = asyncio.run(walk(endpoints, Screen(console)))
    except KeyboardInterrupt:
        if not was_up:
            lifecycle.down(folder)
        raise
    whole = perf_counter() - began
    walked.started = not was_up
    walked.seconds = {
        "up": f"{up_after:.1f}",
        "walk": f"{whole - up_after:.1f}",
        "in all": f"{whole:.1f}",
    }
    Screen(console).goes_on(endpoints, command(), walked.seconds)
    return walked


def bring_up(
    folder: RunFolder, console: Console, *, was_up: bool, any_ports: bool
) -> Mapping[str, str]:
    """Returns where the stack listens, once all of it is ready. Raises: NotUp, Unavailable."""
    with stack_console.starting(console) as shown:
        seen = lifecycle.unseen if was_up else shown.seen
        return lifecycle.up(
            folder, any_ports=any_ports, progress=shown.progress, seen=seen
        ).endpoints


def command() -> str:
    """Returns how this program was called, as short as it can be typed here."""
    called = Path(sys.argv[0])
    if which("orderstream") == str(called) or called.name != "orderstream":
        return "orderstream"
    return str(called.relative_to(Path.cwd()) if called.is_relative_to(Path.cwd()) else called)


def demo_at(gateway: str, console: Console) -> Walked:
    """Returns what came of the walk through a deployment whose edge has this URL; Kafka is the one of the settings.

    Raises: Failed; Unavailable.
    """
    return asyncio.run(walk({"gateway": gateway, "kafka": load(Settings).kafka}, Screen(console)))


async def walk(endpoints: Mapping[str, str], screen: Screen) -> Walked:
    """Returns what came of each step and of the books after them. Raises: Failed."""
    cluster = await listing.topics(endpoints["kafka"])
    log, client, walked = (
        KafkaLog(endpoints["kafka"]),
        Client(endpoints["gateway"]),
        Walked(endpoints),
    )
    traces = await Traces.begin(log, cluster)
    account_id = ""
    try:
        for step in steps():
            answer, found = await take(step, client, traces, screen)
            walked.steps.append((step, answer, found))
            if step.name == "register":
                account_id = answer.body["id"]
            elif step.name == "log in":
                client.token = answer.body["access_token"]
        walked.books = await add_up(log, cluster, account_id)
        screen.added_up(walked.books)
    finally:
        await traces.stop()
        await log.stop()
    if not walked.books.are_exact:
        raise Failed("the books are not exact")
    return walked


async def take(
    step: Step, client: Client, traces: Traces, screen: Screen
) -> tuple[Answer, list[Trace]]:
    """Returns the answer of one step and where its messages lie. Raises: Failed."""
    request_id = f"demo-{uuid4().hex}"
    screen.asked(step)
    try:
        answer = await asyncio.to_thread(client.ask, step.method, step.path, step.body, request_id)
        if answer.status not in (200, 201):
            raise Failed(f"{step.name} failed: {answer.status} {answer.body}")
        screen.answered(step, answer)
        found = await traces.of(request_id, step.causes)
    except asyncio.CancelledError:
        client.hang_up()  # its thread would wait for the answer
        raise
    except (NoAnswer, Missing) as fault:
        raise Failed(f"{step.name} failed: {fault}") from fault
    screen.lies(found, answer.sent_ms)
    return answer, found
