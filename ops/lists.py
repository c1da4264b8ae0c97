"""`orderstream trade orders`, `trades` and `transactions`: the newest of a list, or those of a time."""

# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is there at once

from datetime import datetime
from typing import Annotated

import typer

from ops.as_customer import AsJson, At, Where, first, listed, run
from ops.watch import ORDER
from ops.where import HERE, RunDir

TRADE = ("order_id", "asset_id", "side", "quantity", "price", "cost", "fee", "created_at")
TRANSACTION = ("id", "type", "status", "amount", "balance_after", "asset_id", "created_at")


def moment(text: str) -> datetime:
    """Returns the time that is meant, a date's first. Raises: typer.BadParameter."""
    from pydantic import TypeAdapter, ValidationError

    from gateway.times import Moment

    is_date = len(text) == len("2026-11-24")
    try:
        said = f"{text}T00:00:00Z" if is_date else text
        return TypeAdapter[datetime](Moment).validate_python(said)
    except ValidationError:
        right = "2026-11-24T23:29:00Z, or a date such as 2026-11-24, which begins at 00:00 UTC"
        raise typer.BadParameter(f"{text!r} is no time such as {right}") from None


Most = Annotated[int, typer.Option("-n", min=1, help="How many.")]
Since = Annotated[
    datetime | None,
    typer.Option("--from", parser=moment, metavar="TIME", help="From this time or date on (UTC)."),
]
Until = Annotated[
    datetime | None,
    typer.Option("--to", parser=moment, metavar="TIME", help="Before this time or date (UTC)."),
]
AssetId = Annotated[str | None, typer.Option("--asset", help="Of this one alone, such as BTC.")]


def orders(
    *,
    most: Most = 20,
    status: Annotated[str | None, typer.Option(help="filled, rejected …, or open.")] = None,
    asset_id: AssetId = None,
    since: Since = None,
    until: Until = None,
    run_dir: RunDir = HERE,
    at: At = "",
    as_json: AsJson = False,
) -> None:
    """Show the newest orders."""
    found = run(
        lambda client: first(
            most, client.orders(status=status, asset_id=asset_id, since=since, until=until)
        ),
        Where(run_dir, at, as_json),
    )
    listed(found, (*ORDER, "created_at"), as_json)


def trades(
    *,
    most: Most = 20,
    asset_id: AssetId = None,
    since: Since = None,
    until: Until = None,
    run_dir: RunDir = HERE,
    at: At = "",
    as_json: AsJson = False,
) -> None:
    """Show the newest fills of orders."""
    found = run(
        lambda client: first(most, client.trades(asset_id=asset_id, since=since, until=until)),
        Where(run_dir, at, as_json),
    )
    listed(found, TRADE, as_json)


def transactions(
    *,
    most: Most = 20,
    kind: Annotated[str | None, typer.Option("--type", help="deposit, buy …")] = None,
    asset_id: AssetId = None,
    since: Since = None,
    until: Until = None,
    run_dir: RunDir = HERE,
    at: At = "",
    as_json: AsJson = False,
) -> None:
    """Show what moved your money, the newest first."""
    found = run(
        lambda client: first(
            most, client.transactions(kind=kind, asset_id=asset_id, since=since, until=until)
        ),
        Where(run_dir, at, as_json),
    )
    listed(found, TRANSACTION, as_json)
