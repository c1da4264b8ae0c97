"""What the edge is sent and answers, made of docs/openapi.json by `make contract`.

What is an enumeration there is a plain string here: a later edge may know more words, and fields.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, RootModel


class ActView(BaseModel):
    """
    type: the event's; actor: the admin's account; session: what tells the account's sessions apart; request_id:
    of the request that it came by.
    """

    id: str
    type: str
    actor: str | None
    session: str | None
    fields: str | None
    before: str | None
    after: str | None
    reason: str | None
    request_id: str
    created_at: AwareDatetime


class Amount(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    amount: Annotated[str, Field(pattern="^(0|[1-9][0-9]{0,15})(\\.[0-9]{1,18})?$")]


class AsOfView(BaseModel):
    """
    time: of the newest record shown; position: by topic, the next offset to be shown.
    """

    time: AwareDatetime | None
    position: str


class AssetTransactionView(BaseModel):
    """
    One movement of the asset. quantity: signed; quantity_after: what there was then.
    """

    id: str
    asset_id: str
    side: str
    quantity: str
    quantity_after: str
    price: str
    cost: str
    fee: str
    order_id: str
    created_at: AwareDatetime


class AssetTransactions(BaseModel):
    """
    Newest first; they add up to the quantity.
    """

    items: list[AssetTransactionView]
    next_cursor: str | None
    as_of: AsOfView


class AssetView(BaseModel):
    """
    price: USD a whole unit, null before the first; scale, price_scale: how many digits may follow the point of
    a quantity and of a price; tradable: false while it is halted; supply: units in circulation, where known.
    """

    id: str
    name: str
    symbol: str
    category: str
    scale: int
    price_scale: int
    tick_size: str
    min_quantity: str
    min_notional: str
    price: str | None
    price_time: AwareDatetime | None
    price_position: int | None
    tradable: bool
    supply: int | None
    rank: int | None


class Assets(BaseModel):
    """
    In the order that is asked for, the highest ranked first if none is; what has no rank or no price comes last.
    """

    items: list[AssetView]
    next_cursor: str | None
    as_of: AsOfView


class BalanceView(BaseModel):
    """
    available + held = total, always. held: for open orders.
    """

    currency: Literal["USD"] = "USD"
    available: str
    held: str
    total: str
    as_of: AsOfView


class CashView(BaseModel):
    available: str
    held: str
    total: str
    weight: str


class EndView(BaseModel):
    """
    more: there may be more from the event's id on.
    """

    more: bool


class ErrorView(BaseModel):
    code: str


class Farewell(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    password: Annotated[str, Field(max_length=128)]


class FreezeView(BaseModel):
    """
    by: the account of the admin who said so last; since: when what is so began, null if it never changed.
    """

    frozen: bool
    reason: str | None = None
    by: str | None = None
    since: AwareDatetime | None = None


class Health(BaseModel):
    status: str


class HoldingView(BaseModel):
    """
    available + held = quantity. held: for open sells.
    """

    asset_id: str
    quantity: str
    available: str
    held: str


class Holdings(BaseModel):
    items: list[HoldingView]
    as_of: AsOfView


class Login(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    username: Annotated[str, Field(max_length=254)]
    password: Annotated[str, Field(max_length=128)]


class NewPasswordBody(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    current_password: Annotated[str, Field(max_length=128)]
    password: Annotated[str, Field(max_length=128, min_length=8)]


class NewRole(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    role: str


class Nothing(BaseModel):
    pass


class OneAsset(BaseModel):
    id: str
    name: str
    symbol: str
    category: str
    scale: int
    price_scale: int
    tick_size: str
    min_quantity: str
    min_notional: str
    price: str | None
    price_time: AwareDatetime | None
    price_position: int | None
    tradable: bool
    supply: int | None
    rank: int | None
    as_of: AsOfView


class OneHolding(BaseModel):
    asset_id: str
    quantity: str
    available: str
    held: str
    as_of: AsOfView


class Quantity(RootModel[str]):
    root: Annotated[str, Field(pattern="^(0|[1-9][0-9]{0,15})(\\.[0-9]{1,18})?$")]


class Notional(RootModel[str]):
    root: Annotated[str, Field(pattern="^(0|[1-9][0-9]{0,15})(\\.[0-9]{1,18})?$")]


class ClientOrderId(RootModel[str]):
    root: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,64}$")]


class OrderBody(BaseModel):
    """
    A market order by quantity, in units of the asset, or by notional, in USD: a buy's includes the fee.

    client_order_id: the account's own name for it, for ever; a repeat is answered with the same order.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    asset_id: Annotated[str, Field(pattern="^[A-Z0-9]{1,16}$")]
    side: str
    type: Literal["market"] = "market"
    quantity: Quantity | None = None
    notional: Notional | None = None
    client_order_id: ClientOrderId | None = None


class OrderView(BaseModel):
    """
    quantity: null for a buy by notional; average_price: of its fills, rounded down; as_of: null in a list, which
    has its own, and while the order is not in view.
    """

    id: str
    client_order_id: str | None
    asset_id: str
    side: str
    type: str
    time_in_force: str
    quantity: str | None
    notional: str | None
    limit_price: str | None
    stop_price: str | None
    filled_quantity: str
    average_price: str | None
    cost: str
    fee: str
    status: str
    reject_reason: str | None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    expires_at: AwareDatetime | None
    as_of: AsOfView | None


class Orders(BaseModel):
    """
    Newest first, each where it was placed.
    """

    items: list[OrderView]
    next_cursor: str | None
    as_of: AsOfView


class PositionEvent(BaseModel):
    event: Literal["position"]
    id: str
    data: HoldingView


class PositionView(BaseModel):
    """
    average_cost: USD a whole unit, fees included, rounded down; market_value, unrealized_pnl: at last_price;
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


class PriceView(BaseModel):
    """
    price: USD a whole unit.
    """

    id: str
    price: str
    price_time: AwareDatetime
    price_position: int


class PricesView(BaseModel):
    """
    What was told since the position before.
    """

    items: list[PriceView]
    as_of: AsOfView


class Email(RootModel[str]):
    root: Annotated[
        str,
        Field(
            max_length=254,
            pattern='^[^\\u0000-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff@<>()\\[\\],;:"\\\\]{1,64}@([A-Za-z0-9-]{1,63}\\.)+[A-Za-z0-9-]{2,63}$',
        ),
    ]


class FirstName(RootModel[str]):
    root: Annotated[str, Field(max_length=64, min_length=1)]


class LastName(RootModel[str]):
    root: Annotated[str, Field(max_length=64, min_length=1)]


class Profile(BaseModel):
    """
    What is absent stays as it is; a name that is null goes.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    email: Email | None = None
    first_name: FirstName | None = None
    last_name: LastName | None = None


class ReadinessView(BaseModel):
    status: str
    components: dict[str, str]


class RefreshToken(RootModel[str]):
    root: Annotated[str, Field(max_length=4096)]


class Refresh(BaseModel):
    """
    refresh_token: absent from a browser, whose cookie has it.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    refresh_token: RefreshToken | None = None


class RefusalView(BaseModel):
    """
    code: that a problem would have.
    """

    code: str
    detail: str


class Registration(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
    )
    username: Annotated[str, Field(pattern="^[A-Za-z0-9_.-]{3,32}$")]
    email: Annotated[
        str,
        Field(
            max_length=254,
            pattern='^[^\\u0000-\\u0020\\u007f-\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ufeff@<>()\\[\\],;:"\\\\]{1,64}@([A-Za-z0-9-]{1,63}\\.)+[A-Za-z0-9-]{2,63}$',
        ),
    ]
    password: Annotated[str, Field(max_length=128, min_length=8)]
    first_name: FirstName | None = None
    last_name: LastName | None = None


class ResetEvent(BaseModel):
    """
    There is no going on from where the client was: a snapshot follows.
    """

    event: Literal["reset"]
    data: Nothing


class SessionView(BaseModel):
    """
    last_seen: a minute early at most; address: the network of where it was opened.
    """

    id: str
    created_at: AwareDatetime
    last_seen: AwareDatetime
    user_agent: str | None
    address: str | None
    current: bool


class SessionsView(BaseModel):
    """
    The newest first.
    """

    items: list[SessionView]


class StandingView(BaseModel):
    """
    frozen: neither orders nor withdrawals are taken; since: when that began, or ended; null: it never was.
    """

    frozen: bool
    since: AwareDatetime | None


class StepView(BaseModel):
    """
    An event, or at first the command. time: of its append; latency_ms: since the step before.
    """

    type: str
    topic: str
    partition: int
    offset: int | None
    time: AwareDatetime
    latency_ms: int


class TimelineView(BaseModel):
    """
    latency_ms: from the command to the last step, and so of all steps together. left_out: steps that are not shown:
    of an order with very many, the first and the newest of each topic are.
    """

    order_id: str
    status: str
    latency_ms: int
    steps: list[StepView]
    left_out: int
    as_of: AsOfView | None


class TokensView(BaseModel):
    """
    Both tokens are null for a browser, whose cookies have them. expires_in: s until the access token ends; the
    refresh token is good once, for the next two.
    """

    access_token: str | None
    token_type: Literal["bearer"] = "bearer"
    expires_in: int = 600
    refresh_token: str | None


class TradeView(BaseModel):
    """
    position: the fill's in its partition of order.events.
    """

    id: str
    order_id: str
    asset_id: str
    side: str
    quantity: str
    price: str
    cost: str
    fee: str
    position: int
    created_at: AwareDatetime


class Trades(BaseModel):
    """
    Newest first.
    """

    items: list[TradeView]
    next_cursor: str | None
    as_of: AsOfView


class TrailView(BaseModel):
    """
    Newest first.
    """

    items: list[ActView]
    next_cursor: str | None
    as_of: AsOfView


class TransactionView(BaseModel):
    """
    One movement of the total. amount: signed, a trade's fee inside it; balance_after: the total then, null
    for one that is pending or refused; asset_id: what was traded.
    """

    id: str
    type: str
    status: str = "done"
    amount: str
    balance_after: str | None
    asset_id: str | None = None
    order_id: str | None = None
    created_at: AwareDatetime


class Transactions(BaseModel):
    """
    They add up to the balance.
    """

    items: list[TransactionView]
    next_cursor: str | None
    as_of: AsOfView


class UserView(BaseModel):
    id: str
    username: str
    email: str
    first_name: str | None
    last_name: str | None
    role: str
    created_at: AwareDatetime


class UsersView(BaseModel):
    """
    By name. next_cursor: leads to the rest; null: that was all.
    """

    items: list[UserView]
    next_cursor: str | None


class Why(BaseModel):
    """
    reason: a word for the log, never anything of a person's.
    """

    model_config = ConfigDict(
        extra="forbid",
    )
    reason: Annotated[str, Field(pattern="^[a-z0-9_-]{1,64}$")]


class BaseModelModel(BaseModel):
    pass


class Fault(BaseModel):
    """
    What is wrong with one part of the input. pointer: `#/amount` in the body, else `query/limit`.
    """

    pointer: str
    code: str
    message: str


class Problem(BaseModel):
    """
    RFC 9457. code: of the documented list; resource: what a refused command came to.
    """

    type: str
    title: str
    status: int
    detail: str | None = None
    code: str
    request_id: str
    errors: list[Fault] | None = None
    resource: BaseModelModel | None = None


class AccountEvent(BaseModel):
    event: Literal["account"]
    id: str
    data: StandingView


class AccountView(BaseModel):
    id: str
    username: str
    email: str
    first_name: str | None
    last_name: str | None
    role: str
    created_at: AwareDatetime
    freeze: FreezeView


class AuthExpiredEvent(BaseModel):
    """
    The last: the session or its token is over, or the account was frozen: come back with a good token.
    """

    event: Literal["auth_expired"]
    data: Nothing


class BalanceEvent(BaseModel):
    event: Literal["balance"]
    id: str
    data: BalanceView


class EndEvent(BaseModel):
    """
    The last of these: another one goes on from its id.
    """

    event: Literal["end"]
    id: str
    data: EndView


class ErrorEvent(BaseModel):
    """
    The last: come back a moment later.
    """

    event: Literal["error"]
    data: ErrorView


class LoggedInView(BaseModel):
    access_token: str | None
    token_type: Literal["bearer"] = "bearer"
    expires_in: int = 600
    refresh_token: str | None
    user: UserView


class OrderEvent(BaseModel):
    event: Literal["order"]
    id: str
    data: OrderView


class PortfolioView(BaseModel):
    """
    total_value = cash + the market values; realized_pnl: also of what is sold to the last; prices_as_of: where
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


class PreviewView(BaseModel):
    """
    What the order would come to if it were filled at this moment.

    price: the reference; quantity, cost, fee: the fill's, null if there would be none; hold: what it needs, of
    hold_asset, null if it would not be accepted. The price may move before the order comes: by up to 2 % it is still
    filled, and costs no more than its hold.
    """

    asset_id: str
    side: str
    price: str | None
    quantity: str | None
    cost: str | None
    fee: str | None
    hold: str | None
    hold_asset: str
    refusal: RefusalView | None
    as_of: AsOfView
    prices_as_of: AsOfView


class PricesEvent(BaseModel):
    """
    Of each asset the newest price, if one was told since the event before.
    """

    event: Literal["prices"]
    id: str
    data: PricesView


class SnapshotView(BaseModel):
    """
    orders: the open ones, newest first; more_orders: there are others, to be found in the list. null: not among
    the channels.
    """

    account: StandingView | None = None
    balance: BalanceView | None = None
    orders: list[OrderView] | None = None
    more_orders: bool = False
    positions: list[HoldingView] | None = None
    as_of: AsOfView


class TradeEvent(BaseModel):
    event: Literal["trade"]
    id: str
    data: TradeView


class TransactionEvent(BaseModel):
    event: Literal["transaction"]
    id: str
    data: TransactionView


class SnapshotEvent(BaseModel):
    """
    The first, and after each reset.
    """

    event: Literal["snapshot"]
    id: str
    data: SnapshotView
