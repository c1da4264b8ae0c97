"""Customers over REST: who they are, what they order, and that their money is right in the end."""

import asyncio
from collections import Counter
from collections.abc import Set
from decimal import Decimal
from itertools import count
from typing import Any

from bench.http import Answer, Json, Server

PATIENCE_S = 600
PAGE = 200
OVER = frozenset({"filled", "canceled", "rejected"})
BEHIND = 503  # what it is answered while the history has not come so far
DEPOSIT = "5000000.00"
SPEND = "10.00"
UNDER_WAY = 16
"""More than a customer ever asks for at once: any of them may be the last in the log."""


class Customer:
    """Somebody with money. orders: the ids of those placed, in their order; refused: how many were not."""

    def __init__(self, edge: Server, name: str, token: str) -> None:
        self.edge, self.name = edge, name
        self.headers: Json = {"authorization": f"Bearer {token}"}
        self.orders: list[str] = []
        self.refused = 0
        self._numbers = count(1)

    @classmethod
    async def with_money(cls, edge: Server, name: str) -> "Customer":
        """Returns a new customer, logged in, whose deposit is in view."""
        who: dict[str, Any] = {"username": name, "password": "a long enough passphrase"}
        email = {"email": f"{name}@example.com"}
        expect(await edge.ask("POST", "/api/v1/auth/register", who | email), 201)
        logged_in = expect(await edge.ask("POST", "/api/v1/auth/login", who), 200)
        customer = cls(edge, name, logged_in["access_token"])
        deposit = {"amount": DEPOSIT}
        prefer = {**customer.headers, "prefer": "wait=30"}
        expect(await edge.ask("POST", "/api/v1/balance/deposit", deposit, prefer), 201)
        return customer

    def body(self, *, named: bool = False) -> Json:
        """Returns an order. named: under a client_order_id, so that a retry places no second one."""
        order = {"asset_id": "BTC", "side": "buy", "type": "market", "notional": SPEND}
        return order | {"client_order_id": f"{self.name}-{next(self._numbers)}"} if named else order

    async def place(self, *, named: bool) -> None:
        """Returns once the order has settled: its money and assets have moved and are in view."""
        placed = await self._post(self.body(named=named), "wait=30", 201)
        assert placed is None or placed["status"] == "filled", placed

    async def place_async(self, *, named: bool) -> None:
        """Returns once the order is in the log."""
        await self._post(self.body(named=named), "respond-async", 202)

    async def _post(self, body: Json, prefer: str, status: int) -> Any:
        """Returns the order placed, None if a store answered the edge too late: then nothing happened."""
        headers = {**self.headers, "prefer": prefer}
        answer = await self.edge.ask("POST", "/api/v1/orders", body, headers)
        if answer.status == 503 and answer.body["code"] == "dependency_unavailable":
            self.refused += 1
            return None
        placed = expect(answer, status)
        self.orders.append(placed["id"])
        return placed

    async def settled(self) -> None:
        """Returns once the newest orders and all money have moved and are in view. Raises: TimeoutError."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                newest = [await self.read(f"/orders/{id_}") for id_ in self.orders[-UNDER_WAY:]]
                held = (await self.read("/balance"))["held"]
                if {order["status"] for order in newest} <= OVER and Decimal(held) == 0:
                    return
                await asyncio.sleep(0.05)

    async def audit(self, ends: Set[str] = frozenset({"filled"})) -> None:
        """Raises: AssertionError unless each order stands there once, has one of the ends, and the balance is what
        they leave.
        """
        found = await self.listed("/orders")
        assert sorted(order["id"] for order in found) == sorted(self.orders)
        assert (came := Counter(order["status"] for order in found)).keys() <= ends, came
        paid = sum((Decimal(order["cost"]) + Decimal(order["fee"]) for order in found), Decimal(0))
        total = Decimal((await self.read("/balance"))["total"])
        assert total == Decimal(DEPOSIT) - paid, f"{total} after {paid}"

    async def listed(self, path: str) -> list[Json]:
        """Returns the whole list, once the history has come as far as the live view. Raises: TimeoutError."""
        found: list[Json] = []
        cursor = ""
        while True:
            page = await self.read(f"{path}?limit={PAGE}{cursor}")
            found += page["items"]
            if page["next_cursor"] is None:
                return found
            cursor = f"&cursor={page['next_cursor']}"

    async def read(self, path: str) -> Any:
        """Returns what is there, once somebody can tell. Raises: TimeoutError."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                answer = await self.edge.ask("GET", f"/api/v1{path}", headers=self.headers)
                if answer.status != BEHIND:
                    return expect(answer, 200)
                await asyncio.sleep(0.05)

    async def get(self, path: str) -> Any:
        return expect(await self.edge.ask("GET", f"/api/v1{path}", headers=self.headers), 200)


def expect(answer: Answer, status: int) -> Any:
    """Returns the answer's body. Raises: AssertionError if it is another answer."""
    assert answer.status == status, answer
    return answer.body
