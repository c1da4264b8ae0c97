"""`orderstream trade`: what a customer does, from a shell. Each command is a request or two to the edge."""

from typing import TYPE_CHECKING, Annotated

import typer

from ops.as_customer import AsJson, At, Password, Where, first, listed, run, told
from ops.lists import Most, orders, trades, transactions
from ops.profile import password, profile, sessions
from ops.watch import past, prices, watch
from ops.where import HERE, RunDir

if TYPE_CHECKING:
    from pydantic import BaseModel

    from ops.client.client import Client
    from ops.client.spelling import Side

app = typer.Typer(no_args_is_help=True, help="Deposit, buy, sell, look: as a customer.")

Usd = Annotated[str, typer.Argument(help="USD, such as 100.00")]
AssetId = Annotated[str, typer.Argument(help="Such as BTC.")]
Quantity = Annotated[str | None, typer.Option(help="Units of the asset, such as 0.001")]
Notional = Annotated[str | None, typer.Option(help="USD, such as 100.00; a buy's fee is inside.")]
Name = Annotated[str | None, typer.Option("--client-order-id", help="Your own name for it.")]
Key = Annotated[str | None, typer.Option("--key", help="Its name: twice is once.")]
OrderId = Annotated[str, typer.Argument(help="As `orders` shows it.")]


@app.command()
def register(
    *,
    username: str,
    email: str,
    password: Password,
    run_dir: RunDir = HERE,
    at: At = "",
    as_json: AsJson = False,
) -> None:
    """Become a customer, and log in."""

    async def act(client: "Client") -> "BaseModel":
        await client.register(username, email, password)
        return await client.login(username, password)

    told(run(act, Where(run_dir, at, as_json)), as_json)


@app.command()
def login(
    username: str, password: Password, run_dir: RunDir = HERE, at: At = "", as_json: AsJson = False
) -> None:
    """Log in: the commands that follow are yours. The session is kept in the run folder."""
    told(run(lambda client: client.login(username, password), Where(run_dir, at, as_json)), as_json)


@app.command()
def logout(run_dir: RunDir = HERE, at: At = "", as_json: AsJson = False) -> None:
    """End the session."""
    run(lambda client: client.logout(), Where(run_dir, at, as_json))


@app.command()
def deposit(
    amount: Usd, key: Key = None, run_dir: RunDir = HERE, at: At = "", as_json: AsJson = False
) -> None:
    """Pay in."""
    answer = run(lambda client: client.deposit(amount, key=key), Where(run_dir, at, as_json))
    told(answer.resource, as_json)


@app.command()
def withdraw(
    amount: Usd, key: Key = None, run_dir: RunDir = HERE, at: At = "", as_json: AsJson = False
) -> None:
    """Pay out."""
    answer = run(lambda client: client.withdraw(amount, key=key), Where(run_dir, at, as_json))
    told(answer.resource, as_json)


@app.command()
def buy(
    *,
    asset_id: AssetId,
    quantity: Quantity = None,
    notional: Notional = None,
    name: Name = None,
    run_dir: RunDir = HERE,
    at: At = "",
    as_json: AsJson = False,
) -> None:
    """Buy at the market's price: --quantity or --notional."""
    place(
        side="buy",
        asset_id=asset_id,
        quantity=quantity,
        notional=notional,
        name=name,
        where=Where(run_dir, at, as_json),
    )


@app.command()
def sell(
    *,
    asset_id: AssetId,
    quantity: Quantity = None,
    notional: Notional = None,
    name: Name = None,
    run_dir: RunDir = HERE,
    at: At = "",
    as_json: AsJson = False,
) -> None:
    """Sell at the market's price: --quantity or --notional."""
    place(
        side="sell",
        asset_id=asset_id,
        quantity=quantity,
        notional=notional,
        name=name,
        where=Where(run_dir, at, as_json),
    )


@app.command()
def preview(
    *,
    side: Annotated[str, typer.Argument(help="buy or sell")],
    asset_id: AssetId,
    quantity: Quantity = None,
    notional: Notional = None,
    run_dir: RunDir = HERE,
    at: At = "",
    as_json: AsJson = False,
) -> None:
    """Show what an order would come to; nothing is ordered."""
    if side not in ("buy", "sell"):
        raise typer.BadParameter(f"side is buy or sell, not {side}")
    wanted: Side = "buy" if side == "buy" else "sell"
    require_one(quantity, notional)
    found = run(
        lambda client: client.preview(asset_id, wanted, quantity=quantity, notional=notional),
        Where(run_dir, at, as_json),
    )
    told(found, as_json)


@app.command()
def order(order_id: OrderId, run_dir: RunDir = HERE, at: At = "", as_json: AsJson = False) -> None:
    """Show an order."""
    told(run(lambda client: client.order(order_id), Where(run_dir, at, as_json)), as_json)


@app.command()
def timeline(
    order_id: OrderId, run_dir: RunDir = HERE, at: At = "", as_json: AsJson = False
) -> None:
    """Show what an order went through: where each step lies in the log, and how long it took."""
    found = run(lambda client: client.timeline(order_id), Where(run_dir, at, as_json))
    if as_json:
        told(found, as_json)
        return
    listed(found.steps, ("type", "topic", "partition", "offset", "time", "latency_ms"), as_json)
    more = f", {found.left_out} more" if found.left_out else ""
    print(f"{found.status} after {found.latency_ms} ms in {len(found.steps)} steps{more}")


@app.command()
def balance(run_dir: RunDir = HERE, at: At = "", as_json: AsJson = False) -> None:
    """Show what there is in USD."""
    told(run(lambda client: client.balance(), Where(run_dir, at, as_json)), as_json)


@app.command()
def portfolio(run_dir: RunDir = HERE, at: At = "", as_json: AsJson = False) -> None:
    """Show all that you have, at the prices of the moment."""
    found = run(lambda client: client.portfolio(), Where(run_dir, at, as_json))
    if as_json:
        told(found, as_json)
        return
    columns = ("asset_id", "quantity", "average_cost", "last_price", "market_value")
    listed(found.positions, (*columns, "unrealized_pnl", "realized_pnl"), as_json)
    print(f"{found.total_value} USD, of it {found.cash.total} in cash")


@app.command()
def assets(
    search: Annotated[str | None, typer.Option(help="Part of a name or symbol.")] = None,
    most: Most = 20,
    run_dir: RunDir = HERE,
    at: At = "",
    as_json: AsJson = False,
) -> None:
    """Show what can be traded, and at what price."""
    found = run(
        lambda client: first(most, client.assets(search=search)), Where(run_dir, at, as_json)
    )
    listed(found, ("id", "name", "category", "price", "min_quantity", "tradable"), as_json)


def place(
    *,
    side: "Side",
    asset_id: str,
    quantity: str | None,
    notional: str | None,
    name: str | None,
    where: Where,
) -> None:
    """Places an order of one size, and shows it."""
    require_one(quantity, notional)
    answer = run(
        lambda client: client.place_order(
            asset_id, side, quantity=quantity, notional=notional, client_order_id=name
        ),
        where,
    )
    told(answer.resource, where.as_json)


def require_one(quantity: str | None, notional: str | None) -> None:
    """Raises: typer.BadParameter if there is not one size."""
    if (quantity is None) == (notional is None):
        raise typer.BadParameter("an order has one size: --quantity 0.001 or --notional 100.00")


app.command()(orders)
app.command()(trades)
app.command()(transactions)
app.command()(watch)
app.command()(past)
app.command()(prices)
app.command()(sessions)
app.command()(password)
app.command()(profile)
