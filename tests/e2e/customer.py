"""A customer over REST who never gives up: the product's client, and what each of his commands came to."""

from typing import Any, Self
from uuid import uuid4

import httpx2

from ops.client.client import Client
from ops.client.errors import Problem
from ops.client.spelling import Side
from ops.client.tokens import InMemory

PATIENCE_S = 90
PASSWORD = "a long enough passphrase"


class Customer:
    """Registered and logged in. outcomes: the final answer to each command, by the name that it was sent under."""

    def __init__(self, http: httpx2.AsyncClient, name: str) -> None:
        self.http, self.name = http, name
        self.keeper = InMemory()
        self.outcomes: dict[str, tuple[int, dict[str, Any]]] = {}

    @classmethod
    async def registered(cls, http: httpx2.AsyncClient) -> Self:
        """Returns a new customer with an open session. Raises: Problem; NoAnswer."""
        customer = cls(http, f"u-{uuid4().hex[:12]}")
        await customer.client.register(customer.name, f"{customer.name}@example.com", PASSWORD)
        await customer.client.login(customer.name, PASSWORD)
        return customer

    @property
    def client(self) -> Client:
        return Client("", http=self.http, keeper=self.keeper, patience=PATIENCE_S)

    @property
    def token(self) -> str:
        held = self.keeper.load()
        assert held
        return held.access

    def headers(self, **more: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}", **more}

    async def get(self, path: str) -> dict[str, Any]:
        """Returns the body of a 200."""
        answer = await self.http.get(f"/api/v1{path}", headers=self.headers())
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def deposit(self, amount: str) -> None:
        name = uuid4().hex
        try:
            done = await (await self.client.deposit(amount, key=name)).wait(PATIENCE_S)
        except Problem as refused:
            self._is_refused(name, refused)
        else:
            self.outcomes[name] = (201, done.model_dump(mode="json"))

    async def order(
        self,
        *,
        asset_id: str,
        side: Side,
        quantity: str | None = None,
        notional: str | None = None,
    ) -> None:
        """Places an order under a name of its own, until its outcome is known."""
        name = uuid4().hex
        try:
            answer = await self.client.place_order(
                asset_id, side, quantity=quantity, notional=notional, client_order_id=name, key=name
            )
            done = await answer.wait(PATIENCE_S)
        except Problem as refused:
            self._is_refused(name, refused)
        else:
            self.outcomes[name] = (201, done.model_dump(mode="json"))

    def _is_refused(self, name: str, refused: Problem) -> None:
        """Raises: Problem if it is not the domain that said no."""
        if refused.status != 422:
            raise refused
        self.outcomes[name] = (refused.status, refused.as_json())
