"""/portfolio: all that the account has, at the prices of the moment. Integers add up; what divides is for display."""

from typing import Annotated, NamedTuple

from fastapi import Path
from pydantic import BaseModel

from events.market import AssetListed
from events.money import rounded, unit
from gateway.as_of import AsOfView, shown
from gateway.catalogue import Catalogue
from gateway.decimals import from_minor, usd
from gateway.problems import Refused
from gateway.projections.positions import PositionRow
from gateway.read_route import read
from gateway.reading import Reader, Reads
from gateway.route import resource
from gateway.routes.assets import POSITIONS
from gateway.routes.balance import FUNDS
from infra.views.port import NotReady

WEIGHT_SCALE = 6
router = resource("portfolio")


class CashView(BaseModel):
    available: str
    held: str
    total: str
    weight: str


class PositionView(BaseModel):
    """average_cost: USD a whole unit, fees included, rounded down; market_value, unrealized_pnl: at last_price;
    realized_pnl: of all sales; weight: of the total value, from 0 to 1, rounded down.
    """

    asset_id: str
    quantity: str
    available: str
    held: str
    average_cost: str
    last_price: str
    market_value: str
    unrealized_pnl: str
    realized_pnl: str
    weight: str


class PortfolioView(BaseModel):
    """total_value = cash + the market values; realized_pnl: also of what is sold to the last; prices_as_of: where
    the market stood.
    """

    username: str
    total_value: str
    unrealized_pnl: str
    realized_pnl: str
    cash: CashView
    positions: list[PositionView]
    as_of: AsOfView
    prices_as_of: AsOfView


class Valued(NamedTuple):
    """A position at its last price. value: cents, rounded down."""

    row: PositionRow
    asset: AssetListed
    price: int
    value: int

    @property
    def quantity(self) -> int:
        return self.row.available + self.row.held


@read(router, "/{username}", "not_found")
async def portfolio(username: Annotated[str, Path(max_length=64)], reads: Reads) -> PortfolioView:
    """Returns the caller's portfolio, or anybody's if he is an admin.

    Raises: Refused with not_found for any other name; NotReady while a price is missing: a total that leaves something
    out would be wrong.
    """
    parts, name = reads.parts, username.lower()
    account_id = await owner(reads, name)
    as_of, balance, rows = await reads.view.read(account_id, FUNDS, POSITIONS)
    available, held = (balance.available, balance.held) if balance else (0, 0)
    valued = [value(row, parts.catalogue) for row in rows.values() if row.available + row.held]
    valued.sort(key=lambda each: (-each.value, each.row.asset_id))
    total = available + held + sum(each.value for each in valued)
    return PortfolioView(
        username=name,
        total_value=usd(total),
        unrealized_pnl=usd(sum(each.value - each.row.cost_basis for each in valued)),
        realized_pnl=usd(sum(row.realized_pnl for row in rows.values())),
        cash=CashView(
            available=usd(available),
            held=usd(held),
            total=usd(available + held),
            weight=weight(available + held, total),
        ),
        positions=[position(each, total) for each in valued],
        as_of=shown(as_of),
        prices_as_of=shown(parts.catalogue.as_of),
    )


async def owner(reads: Reader, name: str) -> str:
    """Returns the id of the account of that name, if the reader may see it. Raises: Refused."""
    if name == reads.account.username:
        return reads.account.id
    user = await reads.parts.users.by_name(name) if reads.account.role == "admin" else None
    if user is None:
        raise Refused("not_found")
    return user.account_id


def value(row: PositionRow, catalogue: Catalogue) -> Valued:
    """Returns the position at its last price. Raises: NotReady."""
    quoted = catalogue.quote(row.asset_id)
    if quoted is None or quoted.seen is None:
        raise NotReady(row.asset_id)
    asset, price = quoted.asset, quoted.seen.price
    exact = (row.available + row.held) * price
    cents = rounded("sell", exact, unit(asset.scale, asset.price_scale))
    return Valued(row, asset, price, cents)


def position(valued: Valued, total: int) -> PositionView:
    row, asset, price, cents = valued
    average = row.cost_basis * unit(asset.scale, asset.price_scale) // valued.quantity
    return PositionView(
        asset_id=row.asset_id,
        quantity=from_minor(valued.quantity, asset.scale),
        available=from_minor(row.available, asset.scale),
        held=from_minor(row.held, asset.scale),
        average_cost=from_minor(average, asset.price_scale),
        last_price=from_minor(price, asset.price_scale),
        market_value=usd(cents),
        unrealized_pnl=usd(cents - row.cost_basis),
        realized_pnl=usd(row.realized_pnl),
        weight=weight(cents, total),
    )


def weight(part: int, total: int) -> str:
    return from_minor(part * 10**WEIGHT_SCALE // total if total else 0, WEIGHT_SCALE)
