"""`orderstream trade watch`, `past` and `prices`: what comes, or came, a line an event."""

# ruff: noqa: PLC0415 - a command imports what it needs, so that --help is there at once

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from ops.as_customer import AsJson, At, Where, run
from ops.where import HERE, RunDir

if TYPE_CHECKING:
    from ops.client.client import Channel, Client, PastChannel
    from ops.client.models import PricesEvent
    from ops.client.stream import AccountNews, PastNews, Stream

    News = AccountNews | PastNews | PricesEvent

LastId = Annotated[
    str | None, typer.Option(help="Go on after the event with this id, as --json shows it.")
]
ORDER = ("id", "status", "side", "asset_id", "filled_quantity", "average_price", "cost", "fee")


def watch(
    channels: Annotated[
        list[str] | None, typer.Argument(help="account, balance, orders, positions: all of them.")
    ] = None,
    last_id: LastId = None,
    run_dir: RunDir = HERE,
    at: At = "",
    as_json: AsJson = False,
) -> None:
    """Follow your account, until Ctrl-C: how it stands, then every change. --json: one object a line."""
    wanted = cast("list[Channel]", channels or [])
    show(lambda client: client.follow(*wanted, last_id=last_id), Where(run_dir, at, as_json))


def past(
    channels: Annotated[
        list[str] | None, typer.Argument(help="transactions, trades: both of them.")
    ] = None,
    last_id: LastId = None,
    run_dir: RunDir = HERE,
    at: At = "",
    as_json: AsJson = False,
) -> None:
    """Show what moved your money and filled your orders, the oldest first. --json: one object a line."""
    wanted = cast("list[PastChannel]", channels or [])
    show(lambda client: client.past(*wanted, last_id=last_id), Where(run_dir, at, as_json))


def prices(
    asset_ids: Annotated[list[str] | None, typer.Argument(help="Such as BTC; all of them.")] = None,
    last_id: LastId = None,
    run_dir: RunDir = HERE,
    at: At = "",
    as_json: AsJson = False,
) -> None:
    """Follow prices, until Ctrl-C. --json: one object a line."""
    wanted = asset_ids or []
    show(lambda client: client.prices(*wanted, last_id=last_id), Where(run_dir, at, as_json))


def show(
    begin: "Callable[[Client], Stream[AccountNews] | Stream[PastNews] | Stream[PricesEvent]]",
    where: Where,
) -> None:
    """Shows what comes, until that ends or somebody ends the command."""

    async def act(client: "Client") -> None:
        async with begin(client) as stream:
            async for event in stream:
                print(event.model_dump_json() if where.as_json else line(event), flush=True)

    run(act, where)


def line(event: "News") -> str:
    """Returns one line: when it was, or is here, in UTC, what changed, how it is now."""
    said = [f"{name}={value}" for name, value in fields(event).items() if value is not None]
    return f"{when(event)} {event.event:11} {' '.join(said)}".rstrip()


def when(event: "News") -> str:
    from ops.client import models

    match event:
        case models.TransactionEvent() | models.TradeEvent():
            return f"{event.data.created_at:%Y-%m-%d %H:%M:%S}"
        case _:
            return f"{datetime.now(UTC):%H:%M:%S}"


def fields(event: "News") -> dict[str, Any]:
    """Returns what is worth a look."""
    from ops.client import models

    match event:
        case models.PricesEvent():
            return {one.id: one.price for one in event.data.items}
        case models.OrderEvent():
            return {name: getattr(event.data, name) for name in ORDER}
        case models.SnapshotEvent(data=now):
            return {
                "total": now.balance and now.balance.total,
                "held": now.balance and now.balance.held,
                "open_orders": None if now.orders is None else len(now.orders),
                "positions": None if now.positions is None else len(now.positions),
                "frozen": now.account and now.account.frozen,
            }
        case _:
            return event.data.model_dump(mode="json", exclude={"as_of", "created_at"})
