"""/orders: place one, follow it, list them."""

from contextlib import suppress
from functools import partial
from typing import Annotated, Any, Literal, Self

from fastapi import Path
from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator
from pydantic_core import PydanticCustomError

from events.ids import command_id
from events.money import Side, notional_limit
from events.order import OrderType, PlaceOrder, TimeInForce
from events.reasons import Reason
from events.topics import ORDER_COMMANDS
from gateway.as_of import AsOfView, shown
from gateway.asking import NAME, Asker, Asking
from gateway.catalogue import Catalogue
from gateway.command_route import command
from gateway.decimals import USD_SCALE, DecimalString, UsdAmount, from_minor, scaled, usd
from gateway.edge import Taken
from gateway.limits import Allowed
from gateway.listing import Listing, Lists
from gateway.problems import Fault, Refused
from gateway.projections.orders import ORDER, OrderRow, Status
from gateway.projections.outcomes import Settlement
from gateway.read_route import read
from gateway.reading import Reader, Reads
from gateway.route import Body, resource
from gateway.routes.balance import shortage
from gateway.times import Timestamp
from gateway.waiting import PLACING, Rows
from infra.unavailable import Unavailable
from infra.views.port import AsOf, Lagging, NotReady, One

router = resource("orders")
OrderId = Annotated[str, Path(pattern=r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")]
ClientOrderId = Annotated[str, Field(pattern=NAME)]


def given(field: str) -> dict[str, JsonValue]:
    """Returns the schema of an object that has the field, and no null there."""
    return {"required": [field], "properties": {field: {"type": "string"}}}


class OrderBody(Body):
    """A market order by quantity, in units of the asset, or by notional, in USD: a buy's includes the fee.

    client_order_id: the account's own name for it, for ever; a repeat is answered with the same order.
    """

    model_config = ConfigDict(
        json_schema_extra={
            "oneOf": [given("quantity"), given("notional")],
            "examples": [
                {"asset_id": "BTC", "side": "buy", "notional": "100.00"},
                {"asset_id": "BTC", "side": "sell", "quantity": "0.001", "client_order_id": "mine"},
            ],
        }
    )

    asset_id: str = Field(pattern=r"^[A-Z0-9]{1,16}$", examples=["BTC"])
    side: Side
    type: Literal["market"] = "market"
    quantity: DecimalString | None = None
    notional: UsdAmount | None = None
    client_order_id: ClientOrderId | None = None

    @model_validator(mode="after")
    def name_one(self) -> Self:
        """Returns the body. Raises: PydanticCustomError."""
        if (self.quantity is None) == (self.notional is None):
            raise PydanticCustomError("one_of_two", "Either quantity or notional must be there")
        return self


class OrderView(BaseModel):
    """quantity: null for a buy by notional; average_price: of its fills, rounded down; as_of: null in a list, which
    has its own, and while the order is not in view.
    """

    id: str
    client_order_id: str | None
    asset_id: str
    side: Side
    type: OrderType
    time_in_force: TimeInForce
    quantity: str | None
    notional: str | None
    limit_price: str | None
    stop_price: str | None
    filled_quantity: str
    average_price: str | None
    cost: str
    fee: str
    status: Status
    reject_reason: str | None
    created_at: Timestamp
    updated_at: Timestamp
    expires_at: Timestamp | None
    as_of: AsOfView | None


class Orders(Listing[OrderView]):
    """Newest first, each where it was placed."""


@command(router, "", *Reason)
async def place_order(body: OrderBody, asking: Asking) -> OrderView:
    """Returns 201 and the order once its money and assets have moved and are in view, 202 and the order as
    pending if that takes longer than the client waits.

    Raises: Refused with the reason that the order, balance or portfolio service gave.
    """
    envelope = asking.envelope(body, body.client_order_id)
    command = placing(body, envelope, asking.parts.catalogue, asking.allowed)
    taken = await asking.submit(ORDER_COMMANDS, PLACING, command, body.client_order_id)
    return await outcome(asking, taken)


@read(router, "", "invalid_cursor")
async def list_orders(
    lists: Lists,
    status: Status | Literal["open"] | None = None,
    asset_id: str | None = None,
    side: Side | None = None,
) -> Orders:
    """Returns the account's orders that are in view; `open`: those that are not over, whatever their status."""
    is_open = status == "open"
    found = await lists.find(
        ORDER,
        is_open=is_open,
        status=None if is_open else status,
        asset_id=asset_id,
        side=side,
    )
    return Orders(
        items=[order(row, lists.reads.parts.catalogue) for row in found.rows],
        next_cursor=found.cursor,
        as_of=shown(found.as_of),
    )


@read(router, "/by-client-id/{client_order_id}", "not_found")
async def order_by_client_id(
    client_order_id: Annotated[str, Path(pattern=NAME)], reads: Reads
) -> OrderView:
    """Returns the order that the account has given this name. Raises: Refused with not_found."""
    order_id = command_id(reads.account.id, client_order_id=client_order_id, key=None)
    return await find(reads, str(order_id))


@read(router, "/{order_id}", "not_found")
async def one_order(order_id: OrderId, reads: Reads) -> OrderView:
    """Returns the order, as pending if it is not in view yet. Raises: Refused with not_found."""
    return await find(reads, order_id)


async def outcome(asking: Asker, taken: Taken[PlaceOrder]) -> OrderView:
    """Returns the order that the command led to, or shall. Raises: Refused."""
    command, rows, _ = taken
    catalogue = asking.parts.catalogue
    if rows is not None:
        with suppress(Unavailable, NotReady, Lagging):  # it has taken effect: no error
            as_of, row = await asking.parts.view.read(asking.account.id, One(ORDER, command.id))
            if row is not None and came_to_nothing(row):
                detail = lacking(row, rows, catalogue) or too_much(command, row.reason)
                raise asking.refused(str(row.reason), order(row, catalogue, as_of), detail)
            if row is not None:
                return order(row, catalogue, as_of)
            if rows[0] is not None and rows[0].reason:  # it came too late to become an order
                raise asking.refused(rows[0].reason, meant(command, catalogue, rows[0].reason))
    asking.accept(f"/orders/{command.id}")
    return meant(command, catalogue)


def came_to_nothing(row: OrderRow) -> bool:
    """Returns whether the order ended without a fill, and not because its client wished it."""
    ended = row.reason is not None and row.reason != Reason.CANCELED_BY_CLIENT
    return ended and row.filled_quantity == 0


def lacking(row: OrderRow, rows: Rows, catalogue: Catalogue) -> str | None:
    """Returns what of the hold's asset was needed and what there was, if it was refused for that."""
    for settlement in rows[1:]:
        if isinstance(settlement, Settlement) and settlement.reason == row.reason:
            scale = USD_SCALE if row.side == "buy" else scales(row.asset_id, catalogue)[0]
            return shortage(settlement, partial(from_minor, scale=scale))
    return None


def too_much(command: PlaceOrder, reason: str | None) -> str | None:
    """Returns what an order may be worth, if that is why."""
    if reason != Reason.LIMIT_EXCEEDED:
        return None
    return f"An order may be worth {usd(notional_limit(command.notional_limit))} at most."


async def find(reads: Reader, order_id: str) -> OrderView:
    """Returns the reader's order. Raises: Refused; NotReady, Lagging, Unavailable if nobody can tell."""
    account_id, parts = reads.account.id, reads.parts
    unseen: Exception = Refused("not_found")
    try:
        as_of, row = await reads.view.read(account_id, One(ORDER, order_id))
    except (NotReady, Lagging, Unavailable) as failure:
        row, unseen = None, failure
    if row is not None:
        return order(row, parts.catalogue, as_of)
    command = await parts.edge.pending(ORDER_COMMANDS, account_id, order_id)
    if isinstance(command, PlaceOrder):
        return meant(command, parts.catalogue)
    raise unseen


def placing(
    body: OrderBody, envelope: dict[str, Any], catalogue: Catalogue, allowed: Allowed
) -> PlaceOrder:
    """Returns the command. Raises: Refused."""
    return PlaceOrder(
        **envelope,
        asset_id=body.asset_id,
        side=body.side,
        order_type=body.type,
        quantity=quantity(body, catalogue),
        notional=body.notional,
        client_order_id=body.client_order_id,
        notional_limit=allowed.order,
    )


def quantity(body: OrderBody, catalogue: Catalogue) -> int | None:
    """Returns the quantity in the asset's minor units. Raises: Refused if that can't be, or nobody lists it."""
    quoted = catalogue.quote(body.asset_id)
    if quoted is None:
        fault = Fault(pointer="#/asset_id", code="asset_unknown", message="Not listed")
        raise Refused("asset_unknown", errors=[fault])
    return (
        None if body.quantity is None else scaled(body.quantity, quoted.asset.scale, "#/quantity")
    )


def order(row: OrderRow, catalogue: Catalogue, as_of: AsOf | None = None) -> OrderView:
    scale, price_scale = row.scale, row.price_scale
    if scale is None or price_scale is None:
        scale, price_scale = scales(row.asset_id, catalogue)
    average = int(row.exact) // row.filled_quantity if row.filled_quantity else None
    return OrderView(
        **terms(row, scale, price_scale),
        id=row.order_id,
        filled_quantity=from_minor(row.filled_quantity, scale),
        average_price=decimal(average, price_scale),
        cost=usd(row.cost),
        fee=usd(row.fee),
        status=row.status,
        reject_reason=row.reason,
        updated_at=row.updated_at,
        as_of=shown(as_of) if as_of else None,
    )


def meant(command: PlaceOrder, catalogue: Catalogue, refused: str | None = None) -> OrderView:
    """Returns the order that the command asks for; refused: why there will be none."""
    scale, price_scale = scales(command.asset_id, catalogue)
    return OrderView(
        **terms(command, scale, price_scale),
        id=command.id,
        filled_quantity=from_minor(0, scale),
        average_price=None,
        cost=usd(0),
        fee=usd(0),
        status="rejected" if refused else "pending_new",
        reject_reason=refused,
        updated_at=command.created_at,
        as_of=None,
    )


def terms(ordered: OrderRow | PlaceOrder, scale: int, price_scale: int) -> dict[str, Any]:
    """Returns what was ordered and when."""
    return {
        "client_order_id": ordered.client_order_id,
        "asset_id": ordered.asset_id,
        "side": ordered.side,
        "type": ordered.order_type,
        "time_in_force": ordered.time_in_force,
        "quantity": decimal(ordered.quantity, scale),
        "notional": decimal(ordered.notional, USD_SCALE),
        "limit_price": decimal(ordered.limit_price, price_scale),
        "stop_price": decimal(ordered.stop_price, price_scale),
        "created_at": ordered.created_at,
        "expires_at": ordered.expires_at,
    }


def scales(asset_id: str, catalogue: Catalogue) -> tuple[int, int]:
    """Returns the scales of quantity and price. Raises: NotReady; what was ever ordered stays listed."""
    quoted = catalogue.quote(asset_id)
    if quoted is None:
        raise NotReady(asset_id)
    return quoted.asset.scale, quoted.asset.price_scale


def decimal(amount: int | None, scale: int) -> str | None:
    return None if amount is None else from_minor(amount, scale)
