"""A customer over REST who never gives up: a try that was not answered is made again, under the same name."""

import asyncio
from typing import Any, Self
from uuid import uuid4

import httpx2

PATIENCE_S = 90


class Customer:
    """Registered and logged in. outcomes: the final answer to each command, by the name that it was sent under."""

    def __init__(self, http: httpx2.AsyncClient, name: str) -> None:
        self.http, self.name = http, name
        self.token = ""
        self.outcomes: dict[str, tuple[int, dict[str, Any]]] = {}

    @classmethod
    async def registered(cls, http: httpx2.AsyncClient) -> Self:
        """Returns a new customer with an open session."""
        customer = cls(http, f"u-{uuid4().hex[:12]}")
        who = {
            "username": customer.name,
            "email": f"{customer.name}@example.com",
            "password": "a long enough passphrase",
        }
        (await http.post("/api/v1/auth/register", json=who)).raise_for_status()
        who.pop("email")
        answer = await http.post("/api/v1/auth/login", json=who)
        answer.raise_for_status()
        customer.token = answer.json()["access_token"]
        return customer

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
        await self._insist("/balance/deposit", {"amount": amount}, name, {"Idempotency-Key": name})

    async def order(self, **terms: str) -> None:
        """Places an order under a name of its own, until its outcome is known."""
        name = uuid4().hex
        body = {"type": "market", "client_order_id": name, **terms}
        await self._insist("/orders", body, name, {"Prefer": "wait=5"})

    async def _insist(
        self, path: str, body: dict[str, str], name: str, more: dict[str, str]
    ) -> None:
        """Tries until the answer is final: done, or refused by the domain."""
        async with asyncio.timeout(PATIENCE_S):
            while True:
                try:
                    answer = await self.http.post(
                        f"/api/v1{path}", json=body, headers=self.headers(**more)
                    )
                except httpx2.HTTPError:
                    await asyncio.sleep(0.2)  # the gateway is being started again
                    continue
                if answer.status_code in (201, 422):
                    self.outcomes[name] = (answer.status_code, answer.json())
                    return
                assert answer.status_code in (202, 503), answer.text
                await asyncio.sleep(0.1)
