"""How a command of `orderstream trade` acts as a customer, and answers."""

# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is there at once

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple

import typer

from ops.where import FAILED, INTERRUPTED, endpoint, screen

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ops.client.client import Client

At = Annotated[str, typer.Option(help="The URL of a gateway that is up elsewhere.")]
AsJson = Annotated[bool, typer.Option("--json", help="As JSON, a refusal too.")]
Password = Annotated[
    str,
    typer.Option(
        prompt=True, hide_input=True, envvar="ORDERSTREAM_PASSWORD", help="Asked for if not given."
    ),
]
NO_CLIENT = "this needs httpx2: install orderstream with the extra `client`"
ADVICE = ": `orderstream trade login NAME` begins a session"
OVER = ("authentication_required", "session_revoked", "refresh_reused", "invalid_token")


class Where(NamedTuple):
    """Which edge, in whose folder the session is kept, and how it is answered."""

    run_dir: Path
    at: str
    as_json: bool


def run(act: Callable[["Client"], Awaitable[Any]], where: Where) -> Any:
    """Returns what comes of it. Ends the command if the edge refuses or does not answer."""
    try:
        from stamina.instrumentation import set_on_retry_hooks

        from ops.client.client import Client
        from ops.client.errors import NoAnswer, Problem
        from ops.kept_session import FileKeeper
    except ModuleNotFoundError as missing:
        if missing.name != "httpx2":
            raise
        sys.exit(NO_CLIENT)

    set_on_retry_hooks([])  # its log goes where the answer goes
    url = where.at or endpoint("gateway", where.run_dir)

    async def whole() -> Any:
        async with Client(url, keeper=FileKeeper(where.run_dir, where.at)) as it:
            return await act(it)

    try:
        return asyncio.run(whole())
    except Problem as refused:
        if where.as_json:
            print(json.dumps(refused.as_json()))
            raise typer.Exit(FAILED) from None
        sys.exit(f"{refused}{ADVICE if refused.code in OVER else ''}")
    except NoAnswer as silent:
        sys.exit(f"{silent}: `orderstream status` says more")
    except KeyboardInterrupt:
        sys.exit(INTERRUPTED)


async def first(most: int, items: AsyncIterator[Any]) -> list[Any]:
    """Returns the first of them."""
    found: list[Any] = []
    async for item in items:
        found.append(item)
        if len(found) == most:
            break
    return found


def told(model: "BaseModel", as_json: bool) -> None:
    """Shows one thing."""
    if as_json:
        print(model.model_dump_json(indent=1))
        return
    for name, value in model.model_dump(mode="json", exclude_none=True).items():
        said = " ".join(map(str, value.values())) if isinstance(value, dict) else value
        print(f"{name:16} {said}")


def listed(found: list[Any], columns: tuple[str, ...], as_json: bool) -> None:
    """Shows many, a line each."""
    if as_json:
        print(json.dumps([one.model_dump(mode="json") for one in found], indent=1))
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in columns:
        table.add_column(column.removesuffix("_id"), no_wrap=True)
    for one in found:
        row = one.model_dump(mode="json")
        table.add_row(*("" if row[column] is None else str(row[column]) for column in columns))
    screen().print(table)
