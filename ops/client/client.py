"""A typed client of the edge: a method a route. Commands are sent until they are answered, and done once.

async with Client("http://…") as client:
    await client.login("ada", "correct horse battery")
    order = await (await client.place_order("BTC", "buy", notional="100.00")).wait()
"""

from collections.abc import AsyncIterator, Callable
from copy import copy
from datetime import datetime
from time import time
from typing import Annotated, Literal, Self, TypedDict, Unpack

import httpx2
from pydantic import Field

from . import models
from .admin import Admin
from .answers import WAIT, Answer
from .asking import PATIENCE, Wire
from .calls import Calls, quoted
from .errors import Problem
from .reads import Kept, Reads
from .spelling import Amount, Side, order, sizes, span, spelled
from .stream import ACCOUNT, MARKET, PAST, AccountNews, PastNews, Stream
from .tokens import InMemory, Keeper, Session

Channel = Literal["account", "balance", "orders", "positions"]
PastChannel = Literal["transactions", "trades"]
LONGEST_WAIT = 30  # s for a command's outcome
SLACK = 5  # s that an answer may take beyond what was waited for


class Me(models.UserView):
    """tag: which state of the profile it is."""

    tag: Annotated[str, Field(exclude=True)]


class Changes(TypedDict, total=False):
    """What is absent stays as it is; a name that is None goes."""

    email: str
    first_name: str | None
    last_name: str | None


class Client:
    """url: of the edge; keeper: of the session's tokens; http: with the edge's base_url, closed by whoever made it;
    patience: s for which a request is sent again; keep: how many answers of reads are kept, for who asks the same again
    and again; now: s since the epoch.

    With keep, what has not changed is neither sent nor decoded anew: the read returns the very object that it returned
    before (`now is before`), not yours to change. Its as_of stays that of when it was first seen so. That is why
    nothing is kept unless you say so.
    """

    def __init__(
        self,
        url: str,
        *,
        keeper: Keeper | None = None,
        http: httpx2.AsyncClient | None = None,
        patience: float = PATIENCE,
        keep: int = 0,
        now: Callable[[], float] = time,
    ) -> None:
        self._is_own = http is None
        self._http = http or httpx2.AsyncClient(base_url=url, timeout=LONGEST_WAIT + SLACK)
        self._wire = Wire(self._http, patience)
        self.session = Session(self._wire, keeper or InMemory(), now)
        self._calls = Calls(self._wire, self.session)
        self._reads = Reads(self._calls, Kept(keep))
        self.admin = Admin(self._calls, self._reads)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._is_own:
            await self._http.aclose()

    def at_least(self, *positions: str, wait: int = WAIT) -> Self:
        """Returns this client, over the same session, but its reads and previews come only from views that have come to
        all that these positions show: none is older, on whatever device and through whatever gateway. Asked of what it
        returns, it adds to them. A view that is behind is waited for as long as any request is tried, then it is a
        Problem with view_behind.

        positions: `as_of.position` of answers or an event's id, of the same account; a price's (`m:`) holds for the
        catalogue, the others for the account; wait: s for which one request is kept open. Raises: ValueError if one is
        no position.
        """
        other = copy(self)
        other._is_own, other._reads = False, self._reads.at_least(positions, wait)
        other.admin = Admin(self._calls, other._reads)
        return other

    async def register(
        self,
        username: str,
        email: str,
        password: str,
        *,
        first_name: str | None = None,
        last_name: str | None = None,
    ) -> models.UserView:
        """Returns the new user, who is not logged in yet. Raises: Problem; NoAnswer, as all methods do."""
        who = {"username": username, "email": email, "password": password}
        named = {"first_name": first_name, "last_name": last_name}
        body = who | {key: name for key, name in named.items() if name is not None}
        answer = await self._wire.ask("POST", "/auth/register", body=body, repeatable=False)
        return models.UserView.model_validate_json(answer.content)

    async def login(self, username: str, password: str) -> models.UserView:
        """Returns the user; from now on the client acts for him and renews his tokens by itself."""
        body = {"username": username, "password": password}
        answer = await self._wire.ask("POST", "/auth/login", body=body)
        told = models.LoggedInView.model_validate_json(answer.content)
        self.session.begin(told)
        return told.user

    async def refresh(self) -> None:
        """Renews the tokens now, which happens by itself before they end."""
        await self.session.renew()

    async def logout(self) -> None:
        """Ends the session, here and at the edge, also one that is over already."""
        try:
            await self._calls.ask("POST", "/auth/logout")
        except Problem as refused:
            if refused.status != 401:
                raise
        self.session.keeper.save(None)

    async def me(self) -> Me:
        return mine(await self._calls.ask("GET", "/auth/me"))

    async def change_profile(self, seen: Me, **changes: Unpack[Changes]) -> Me:
        """Returns the profile as it is now. seen: as it was when the changes were thought of.

        Raises: Problem with changed_meanwhile if it is no longer so.
        """
        answer = await self._calls.ask(
            "PATCH", "/auth/me", body=changes, headers={"If-Match": seen.tag}, repeatable=False
        )
        return mine(answer)

    async def change_password(self, current: str, new: str) -> None:
        """Ends all other sessions of the user."""
        body = {"current_password": current, "password": new}
        await self._calls.ask("POST", "/auth/password", body=body, repeatable=False)

    async def close_account(self, password: str) -> None:
        """Has the edge forget the user, whose account must be empty; the session is over."""
        body = {"password": password}
        await self._calls.ask("POST", "/auth/close", body=body, repeatable=False)
        self.session.keeper.save(None)

    async def sessions(self) -> models.SessionsView:
        """Returns where the user is logged in."""
        return await self._calls.get(models.SessionsView, "/auth/sessions")

    async def end_session(self, session_id: str) -> None:
        """Logs the user out there."""
        where = f"/auth/sessions/{quoted(session_id)}"
        await self._calls.ask("DELETE", where, repeatable=False)

    async def deposit(
        self, amount: Amount, *, key: str | None = None, wait: int = WAIT
    ) -> Answer[models.TransactionView]:
        """Returns the movement, done or pending. amount: USD; key: the command's name, for ever; wait: s."""
        body = {"amount": spelled(amount)}
        return await self._calls.command(
            models.TransactionView, "/balance/deposit", body, key, wait
        )

    async def withdraw(
        self, amount: Amount, *, key: str | None = None, wait: int = WAIT
    ) -> Answer[models.TransactionView]:
        """Returns the movement, done or pending. amount: USD; key: the command's name, for ever; wait: s."""
        body = {"amount": spelled(amount)}
        return await self._calls.command(
            models.TransactionView, "/balance/withdraw", body, key, wait
        )

    async def balance(self) -> models.BalanceView:
        return await self._reads.one(models.BalanceView, "/balance")

    async def place_order(
        self,
        asset_id: str,
        side: Side,
        *,
        quantity: Amount | None = None,
        notional: Amount | None = None,
        client_order_id: str | None = None,
        key: str | None = None,
        wait: int = WAIT,
    ) -> Answer[models.OrderView]:
        """Returns the market order, done or pending. quantity: units, or notional: USD; key, client_order_id: the
        command's names, for ever; wait: s.
        """
        body = order(asset_id, side, quantity, notional)
        if client_order_id is not None:
            body["client_order_id"] = client_order_id
        return await self._calls.command(models.OrderView, "/orders", body, key, wait)

    async def preview(
        self,
        asset_id: str,
        side: Side,
        *,
        quantity: Amount | None = None,
        notional: Amount | None = None,
    ) -> models.PreviewView:
        """Returns what such an order would come to; nothing is ordered."""
        body = order(asset_id, side, quantity, notional)
        query, headers = self._reads.least()
        answer = await self._calls.ask(
            "POST", "/orders/preview", body=body, query=query, headers=headers
        )
        return models.PreviewView.model_validate_json(answer.content)

    async def order(self, order_id: str) -> models.OrderView:
        return await self._reads.one(models.OrderView, f"/orders/{quoted(order_id)}")

    async def order_by_client_id(self, client_order_id: str) -> models.OrderView:
        path = f"/orders/by-client-id/{quoted(client_order_id)}"
        return await self._reads.one(models.OrderView, path)

    async def timeline(self, order_id: str) -> models.TimelineView:
        return await self._reads.one(models.TimelineView, f"/orders/{quoted(order_id)}/timeline")

    def orders(
        self,
        *,
        status: str | None = None,
        asset_id: str | None = None,
        side: Side | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[models.OrderView]:
        """Returns an iterator over the orders, newest first; status: also `open`; made from since on, before until.

        Raises: ValueError for a time without a zone, as all lists do.
        """
        query = {"status": status, "asset_id": asset_id, "side": side, **span(since, until)}
        return self._reads.pages(models.OrderView, "/orders", query)

    def trades(
        self,
        *,
        order_id: str | None = None,
        asset_id: str | None = None,
        side: Side | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[models.TradeView]:
        """Returns an iterator over the fills, newest first; from since on, before until."""
        query = {"order_id": order_id, "asset_id": asset_id, "side": side, **span(since, until)}
        return self._reads.pages(models.TradeView, "/trades", query)

    def transactions(
        self,
        *,
        kind: str | None = None,
        asset_id: str | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[models.TransactionView]:
        """Returns an iterator over the movements of the balance, newest first; from since on, before until."""
        query = {"type": kind, "asset_id": asset_id, **span(since, until)}
        return self._reads.pages(models.TransactionView, "/balance/transactions", query)

    def assets(
        self,
        *,
        search: str | None = None,
        category: str | None = None,
        min_price: Amount | None = None,
        max_price: Amount | None = None,
        sort: str | None = None,
    ) -> AsyncIterator[models.AssetView]:
        """Returns an iterator over the catalogue; it takes no session. min_price, max_price: USD."""
        priced = {"min_price": min_price, "max_price": max_price}
        query = {"search": search, "category": category, "sort": sort, **sizes(priced)}
        return self._reads.pages(models.AssetView, "/inventory/assets", query, public=True)

    async def asset(self, asset_id: str) -> models.OneAsset:
        """Returns one of the catalogue; it takes no session."""
        path = f"/inventory/assets/{quoted(asset_id)}"
        return await self._reads.one(models.OneAsset, path, public=True)

    async def holdings(self) -> models.Holdings:
        return await self._reads.one(models.Holdings, "/assets/balances")

    async def holding(self, asset_id: str) -> models.OneHolding:
        """Returns what there is of one asset, be it nothing."""
        return await self._reads.one(models.OneHolding, f"/assets/{quoted(asset_id)}/balance")

    def asset_transactions(
        self,
        asset_id: str,
        *,
        side: Side | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> AsyncIterator[models.AssetTransactionView]:
        """Returns an iterator over the movements of one asset, newest first; from since on, before until."""
        path = f"/assets/{quoted(asset_id)}/transactions"
        query = {"side": side, **span(since, until)}
        return self._reads.pages(models.AssetTransactionView, path, query)

    async def portfolio(self, username: str | None = None) -> models.PortfolioView:
        """Returns the worth of everything; username: of somebody else, for an admin."""
        path = f"/portfolio/{quoted(username or self.session.username)}"
        return await self._reads.one(models.PortfolioView, path)

    def follow(self, *channels: Channel, last_id: str | None = None) -> Stream[AccountNews]:
        """Returns what goes over the account's events: a snapshot, then every change. channels: all, if none is named;
        last_id: of a stream of the same channels, to go on where it was.
        """
        query = {"channels": ",".join(channels) or None}
        return Stream(
            lambda headers: self._calls.open("/stream", query, headers),
            ACCOUNT,
            session=self.session,
            last_id=last_id,
        )

    def past(
        self, *channels: PastChannel, last_id: str | None = None, most: int | None = None
    ) -> Stream[PastNews]:
        """Returns what goes over the account's movements and fills, the oldest first, and ends with the newest.
        channels: both, if none is named; last_id: of an event, also of `follow`, after which to begin; most: events of
        one request, as the edge likes if None.
        """
        query = {"channels": ",".join(channels) or None, "limit": most}
        return Stream(
            lambda headers: self._calls.open("/stream/past", query, headers),
            PAST,
            session=self.session,
            last_id=last_id,
        )

    def prices(self, *asset_ids: str, last_id: str | None = None) -> Stream[models.PricesEvent]:
        """Returns what goes over the prices of these assets, of all if none is named; it takes no session. The newest
        are told, not each. last_id: as of `follow`.
        """
        query = {"assets": ",".join(asset_ids) or None}
        return Stream(
            lambda headers: self._wire.open("/market/stream", query=query, headers=headers),
            MARKET,
            last_id=last_id,
        )


def mine(answer: httpx2.Response) -> Me:
    return Me.model_validate({**answer.json(), "tag": answer.headers["etag"]})
