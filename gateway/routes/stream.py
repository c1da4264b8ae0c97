"""/stream: the account's balance, open orders and positions, and from then on every change of them."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import Header, Query
from pydantic import BaseModel

from gateway.as_of import AsOfView, shown
from gateway.catalogue import Catalogue
from gateway.deps import Account, Customer, Parts, PartsDep
from gateway.following import Channel, Following, Guard
from gateway.listing import MOST
from gateway.problems import Responses, refusals
from gateway.projections.accounts import ACCOUNT, ONLY, AccountRow
from gateway.projections.balances import BALANCE, BalanceRow
from gateway.projections.orders import ORDER, OrderRow
from gateway.projections.positions import POSITION, PositionRow
from gateway.route import resource
from gateway.routes.assets import POSITIONS, HoldingView, holding
from gateway.routes.balance import FUNDS, BalanceView, balance_view
from gateway.routes.orders import OrderView, order
from gateway.sse import EventStream
from gateway.streaming import Caller, ErrorView, Source
from gateway.times import Timestamp
from infra.views.port import AsOf, Listed, One, Page

router = resource("stream")
FROZEN = Guard(ACCOUNT, lambda row: row.frozen)
NAME = "(account|balance|orders|positions)"
Channels = Annotated[
    str,
    Query(
        pattern=f"^{NAME}(,{NAME})*$",
        max_length=64,
        examples=["balance,orders"],
        description="What to follow, with commas.",
    ),
]
Resume = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        description="The id of the last event that was seen. What can't be gone on from is answered with "
        "`reset` and a new snapshot.",
    ),
]


class StandingView(BaseModel):
    """frozen: neither orders nor withdrawals are taken; since: when that began, or ended; null: it never was."""

    frozen: bool
    since: Timestamp | None


class SnapshotView(BaseModel):
    """orders: the open ones, newest first; more_orders: there are others, to be found in the list. null: not among
    the channels.
    """

    account: StandingView | None = None
    balance: BalanceView | None = None
    orders: list[OrderView] | None = None
    more_orders: bool = False
    positions: list[HoldingView] | None = None
    as_of: AsOfView


class Nothing(BaseModel):
    pass


class SnapshotEvent(BaseModel):
    """The first, and after each reset."""

    event: Literal["snapshot"]
    id: str
    data: SnapshotView


class AccountEvent(BaseModel):
    event: Literal["account"]
    id: str
    data: StandingView


class BalanceEvent(BaseModel):
    event: Literal["balance"]
    id: str
    data: BalanceView


class OrderEvent(BaseModel):
    event: Literal["order"]
    id: str
    data: OrderView


class PositionEvent(BaseModel):
    event: Literal["position"]
    id: str
    data: HoldingView


class ResetEvent(BaseModel):
    """There is no going on from where the client was: a snapshot follows."""

    event: Literal["reset"]
    data: Nothing


class AuthExpiredEvent(BaseModel):
    """The last: the session or its token is over, or the account was frozen: come back with a good token."""

    event: Literal["auth_expired"]
    data: Nothing


class ErrorEvent(BaseModel):
    """The last: come back a moment later."""

    event: Literal["error"]
    data: ErrorView


Event = (
    SnapshotEvent
    | AccountEvent
    | BalanceEvent
    | OrderEvent
    | PositionEvent
    | ResetEvent
    | AuthExpiredEvent
    | ErrorEvent
)
EVENTS: Responses = {200: {"model": list[Event], "description": "Events, one after the other."}}


@router.get(
    "",
    status_code=200,
    response_class=EventStream,
    responses=refusals("too_many_streams", "overloaded") | EVENTS,
)
async def stream(
    account: Customer,
    parts: PartsDep,
    channels: Channels = "account,balance,orders,positions",
    resume: Resume = None,
) -> EventStream:
    """Returns server-sent events: a snapshot, then one event for each change, without a gap and none twice.

    An event's id is where the log's topics stood: `Last-Event-ID` goes on exactly there. A comment comes every ten
    seconds. Raises: Refused with too_many_streams, overloaded; NotReady, Unavailable.
    """
    known = channels_of(parts.catalogue)
    names = [name for name in known if name in channels.split(",")]
    following = Following(
        parts.streams.live,
        account.id,
        [known[name] for name in names],
        partial(snapshot, parts.catalogue, names),
        guard=FROZEN,
        resume=resume,
    )
    return await opened(parts, account, following)


async def opened(parts: Parts, account: Account, source: Source) -> EventStream:
    """Returns the account's stream of the source. Raises: Refused with too_many_streams, overloaded; NotReady,
    Unavailable.
    """
    caller = Caller(account.id, account.session_id, account.token_ends)
    return EventStream(await parts.streams.hub.admit(source, caller).begin())


def channels_of(catalogue: Catalogue) -> Mapping[str, Channel]:
    """Returns what can be followed, by the names that clients know."""
    return {
        "account": Channel(ACCOUNT, "account", One(ACCOUNT, ONLY), lambda row, _: standing(row)),
        "balance": Channel(BALANCE, "balance", FUNDS, balance_view),
        "orders": Channel(
            ORDER,
            "order",
            Page(ORDER, MOST, open=True),
            lambda row, _: order(row, catalogue),
        ),
        "positions": Channel(
            POSITION, "position", POSITIONS, lambda row, _: HoldingView(**holding(row))
        ),
    }


def snapshot(
    catalogue: Catalogue, names: Sequence[str], as_of: AsOf, answers: Sequence[Any]
) -> SnapshotView:
    """Returns what the account has. answers: to what the channels of these names ask."""
    found = dict(zip(names, answers, strict=True))
    view = SnapshotView(as_of=shown(as_of))
    if "account" in found:
        view.account = standing(found["account"])
    if "balance" in found:
        row: BalanceRow | None = found["balance"]
        view.balance = balance_view(row, as_of)
    if "orders" in found:
        orders: Listed[OrderRow] = found["orders"]
        view.orders = [order(row, catalogue) for row in orders.rows]
        view.more_orders = orders.more
    if "positions" in found:
        positions: Mapping[str, PositionRow] = found["positions"]
        held = [row for _, row in sorted(positions.items()) if row.available + row.held]
        view.positions = [HoldingView(**holding(row)) for row in held]
    return view


def standing(row: AccountRow | None) -> StandingView:
    return StandingView(frozen=row is not None and row.frozen, since=row.since if row else None)
