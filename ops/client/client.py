"""A typed client of the edge: a method a route. Commands are sent until they are answered, and done once.

async with Client("http://…") as client:
    await client.login("ada", "correct horse battery")
    order = await (await client.place_order("BTC", "buy", notional="100.00")).wait()
"""

from collections.abc import AsyncIterator, Callable, Mapping
from decimal import Decimal
from time import time
from typing import Any, Literal, Self, TypeVar
from urllib.parse import quote
from uuid import uuid4

import httpx2
from pydantic import BaseModel

from . import models
from .answers import Answer
from .asking import PATIENCE, Wire
from .errors import Problem
from .tokens import InMemory, Keeper, Session

T = TypeVar("T", bound=BaseModel)
Side = Literal["buy", "sell"]
Amount = str | Decimal
LONGEST_WAIT, WAIT = 30, 5  # s for a command's outcome: at most, and where the caller says nothing
SLACK = 5  # s that an answer may take beyond what was waited for


class Client:
    """url: of the edge; keeper: of the session's tokens; http: with the edge's base_url, closed by whoever made it;
    patience: s for which a request is sent again; now: s since the epoch.
    """

    def __init__(
        self,
        url: str,
        *,
        keeper: Keeper | None = None,
        http: httpx2.AsyncClient | None = None,
        patience: float = PATIENCE,
        now: Callable[[], float] = time,
    ) -> None:
        self._is_own = http is None
        self._http = http or httpx2.AsyncClient(base_url=url, timeout=LONGEST_WAIT + SLACK)
        self._wire = Wire(self._http, patience)
        self.session = Session(self._wire, keeper or InMemory(), now)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._is_own:
            await self._http.aclose()

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
            await self._ask("POST", "/auth/logout")
        except Problem as refused:
            if refused.status != 401:
                raise
        self.session.keeper.save(None)

    async def me(self) -> models.UserView:
        return await self._get(models.UserView, "/auth/me")

    async def deposit(
        self, amount: Amount, *, key: str | None = None, wait: int = WAIT
    ) -> Answer[models.TransactionView]:
        """Returns the movement, done or pending. amount: USD; key: the command's name, for ever; wait: s."""
        body = {"amount": spelled(amount)}
        return await self._command(models.TransactionView, "/balance/deposit", body, key, wait)

    async def withdraw(
        self, amount: Amount, *, key: str | None = None, wait: int = WAIT
    ) -> Answer[models.TransactionView]:
        """Returns the movement, done or pending. amount: USD; key: the command's name, for ever; wait: s."""
        body = {"amount": spelled(amount)}
        return await self._command(models.TransactionView, "/balance/withdraw", body, key, wait)

    async def balance(self) -> models.BalanceView:
        return await self._get(models.BalanceView, "/balance")

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
        return await self._command(models.OrderView, "/orders", body, key, wait)

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
        answer = await self._ask("POST", "/orders/preview", body=body)
        return models.PreviewView.model_validate_json(answer.content)

    async def order(self, order_id: str) -> models.OrderView:
        return await self._get(models.OrderView, f"/orders/{quoted(order_id)}")

    async def order_by_client_id(self, client_order_id: str) -> models.OrderView:
        path = f"/orders/by-client-id/{quoted(client_order_id)}"
        return await self._get(models.OrderView, path)

    async def timeline(self, order_id: str) -> models.TimelineView:
        return await self._get(models.TimelineView, f"/orders/{quoted(order_id)}/timeline")

    def orders(
        self,
        *,
        status: str | None = None,
        asset_id: str | None = None,
        side: Side | None = None,
    ) -> AsyncIterator[models.OrderView]:
        """Returns an iterator over the orders, newest first; status: also `open`."""
        query = {"status": status, "asset_id": asset_id, "side": side}
        return self._pages(models.OrderView, "/orders", query)

    def trades(self, *, asset_id: str | None = None) -> AsyncIterator[models.TradeView]:
        """Returns an iterator over the fills, newest first."""
        return self._pages(models.TradeView, "/trades", {"asset_id": asset_id})

    def transactions(
        self, *, kind: str | None = None, asset_id: str | None = None
    ) -> AsyncIterator[models.TransactionView]:
        """Returns an iterator over the movements of the balance, newest first."""
        query = {"type": kind, "asset_id": asset_id}
        return self._pages(models.TransactionView, "/balance/transactions", query)

    def assets(
        self,
        *,
        search: str | None = None,
        category: str | None = None,
        sort: str | None = None,
    ) -> AsyncIterator[models.AssetView]:
        """Returns an iterator over the catalogue; it takes no session."""
        query = {"search": search, "category": category, "sort": sort}
        return self._pages(models.AssetView, "/inventory/assets", query, public=True)

    async def asset(self, asset_id: str) -> models.OneAsset:
        """Returns one of the catalogue; it takes no session."""
        answer = await self._wire.ask("GET", f"/inventory/assets/{quoted(asset_id)}")
        return models.OneAsset.model_validate_json(answer.content)

    async def holdings(self) -> models.Holdings:
        return await self._get(models.Holdings, "/assets/balances")

    async def portfolio(self, username: str | None = None) -> models.PortfolioView:
        """Returns the worth of everything; username: of somebody else, for an admin."""
        path = f"/portfolio/{quoted(username or self.session.username)}"
        return await self._get(models.PortfolioView, path)

    async def _get(self, model: type[T], path: str) -> T:
        return model.model_validate_json((await self._ask("GET", path)).content)

    async def _pages(
        self, model: type[T], path: str, query: Mapping[str, Any], *, public: bool = False
    ) -> AsyncIterator[T]:
        """Yields each of a list, page by page."""
        ask, cursor = self._wire.ask if public else self._ask, None
        while True:
            page = (await ask("GET", path, query={**query, "cursor": cursor})).json()
            for item in page["items"]:
                yield model.model_validate(item)
            if (cursor := page["next_cursor"]) is None:
                return

    async def _command(
        self, model: type[T], path: str, body: Mapping[str, Any], key: str | None, wait: int
    ) -> Answer[T]:
        name = key or uuid4().hex

        async def send(wait: int) -> Answer[T]:
            headers = {"Idempotency-Key": name, "Prefer": f"wait={wait}"}
            answer = await self._ask("POST", path, body=body, headers=headers)
            return Answer(
                resource=model.model_validate_json(answer.content),
                key=name,
                pending=answer.status_code == httpx2.codes.ACCEPTED,
                replayed=answer.headers.get("idempotency-replayed") == "true",
                request_id=answer.headers["x-request-id"],
                again=send,
            )

        return await send(wait)

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        query: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """Returns the answer to the session's user; a token that ended early, by the edge's clock, is renewed once."""
        token = await self.session.access()
        for last in (False, True):
            bearer = {"Authorization": f"Bearer {token}", **(headers or {})}
            try:
                return await self._wire.ask(method, path, body=body, query=query, headers=bearer)
            except Problem as refused:
                if last or refused.code != "token_expired":
                    raise
            token = await self.session.access(not_this=token)
        raise AssertionError("a try returns or raises")


def order(
    asset_id: str, side: Side, quantity: Amount | None, notional: Amount | None
) -> dict[str, str]:
    """Returns the body of a market order."""
    body: dict[str, str] = {"asset_id": asset_id, "side": side, "type": "market"}
    sized = {"quantity": quantity, "notional": notional}
    return body | {name: spelled(size) for name, size in sized.items() if size is not None}


def spelled(amount: Amount) -> str:
    """Returns the amount as the edge takes it, without an exponent."""
    return f"{amount:f}" if isinstance(amount, Decimal) else amount


def quoted(part: str) -> str:
    """Returns the text as one part of a path."""
    return quote(part, safe="")
