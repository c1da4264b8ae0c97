"""/assets: what the account has of each asset, and every movement of it."""

from typing import Annotated

from fastapi import Path
from pydantic import BaseModel

from events.money import Side
from gateway.as_of import AsOfView, shown
from gateway.decimals import from_minor, usd
from gateway.listing import Listing, Lists
from gateway.problems import Refused
from gateway.projections.positions import ASSET_LINE, POSITION, AssetLineRow, PositionRow
from gateway.read_route import read
from gateway.reading import Reads
from gateway.route import resource
from gateway.times import Timestamp
from infra.views.port import All, One

POSITIONS = All(POSITION)
router = resource("assets")
AssetId = Annotated[str, Path(pattern=r"^[A-Z0-9]{1,16}$")]


class HoldingView(BaseModel):
    """available + held = quantity. held: for open sells."""

    asset_id: str
    quantity: str
    available: str
    held: str


class OneHolding(HoldingView):
    as_of: AsOfView


class Holdings(BaseModel):
    items: list[HoldingView]
    as_of: AsOfView


class AssetTransactionView(BaseModel):
    """One movement of the asset. quantity: signed; quantity_after: what there was then."""

    id: str
    asset_id: str
    side: Side
    quantity: str
    quantity_after: str
    price: str
    cost: str
    fee: str
    order_id: str
    created_at: Timestamp


class AssetTransactions(Listing[AssetTransactionView]):
    """Newest first; they add up to the quantity."""


@read(router, "/balances")
async def asset_balances(reads: Reads) -> Holdings:
    """Returns every asset of which the account has some, by name."""
    as_of, rows = await reads.view.read(reads.account.id, POSITIONS)
    held = [row for _, row in sorted(rows.items()) if row.available + row.held]
    return Holdings(items=[HoldingView(**holding(row)) for row in held], as_of=shown(as_of))


@read(router, "/{asset_id}/balance", "not_found")
async def asset_balance(asset_id: AssetId, reads: Reads) -> OneHolding:
    """Returns what the account has of a listed asset, be it nothing. Raises: Refused with not_found."""
    as_of, row = await reads.view.read(reads.account.id, One(POSITION, asset_id))
    if row is not None:
        return OneHolding(**holding(row), as_of=shown(as_of))
    quoted = reads.parts.catalogue.quote(asset_id)
    if quoted is None:
        raise Refused("not_found")
    nothing = from_minor(0, quoted.asset.scale)
    return OneHolding(
        asset_id=asset_id, quantity=nothing, available=nothing, held=nothing, as_of=shown(as_of)
    )


@read(router, "/{asset_id}/transactions", "not_found", "invalid_cursor")
async def asset_transactions(
    asset_id: AssetId, lists: Lists, side: Side | None = None
) -> AssetTransactions:
    """Returns the movements of a listed asset, newest first. Raises: Refused with not_found."""
    if lists.reads.parts.catalogue.quote(asset_id) is None:
        raise Refused("not_found")
    found = await lists.find(ASSET_LINE, scope=asset_id, side=side)
    return AssetTransactions(
        items=[line(row) for row in found.rows],
        next_cursor=found.cursor,
        as_of=shown(found.as_of),
    )


def holding(row: PositionRow) -> dict[str, str]:
    return {
        "asset_id": row.asset_id,
        "quantity": from_minor(row.available + row.held, row.scale),
        "available": from_minor(row.available, row.scale),
        "held": from_minor(row.held, row.scale),
    }


def line(row: AssetLineRow) -> AssetTransactionView:
    return AssetTransactionView(
        id=row.id,
        asset_id=row.asset_id,
        side=row.side,
        quantity=from_minor(row.quantity, row.scale),
        quantity_after=from_minor(row.quantity_after, row.scale),
        price=from_minor(row.price, row.price_scale),
        cost=usd(row.cost),
        fee=usd(row.fee),
        order_id=row.order_id,
        created_at=row.created_at,
    )
