"""Every route of the document but the streams, as a customer and an admin ask it, in classes that fare alike."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple, Self
from uuid import uuid4

import httpx2

from ops.admins import created
from tests.e2e.customer import PASSWORD

BASE = "/api/v1"
DOCUMENT = Path(__file__).parents[2] / "docs/openapi.json"
LEFT_OUT = {"stream", "past", "market_stream", "ready"}
"""The streams, and what is asked by itself."""
CLASSES: Mapping[str, tuple[str, ...]] = {
    "alive": ("alive",),
    "public": ("list_assets", "one_asset"),
    "account": (
        "balance",
        "balance_transactions",
        "list_orders",
        "one_order",
        "order_by_client_id",
        "order_timeline",
        "list_trades",
        "asset_balances",
        "asset_balance",
        "asset_transactions",
        "portfolio",
        "preview_order",
    ),
    "open orders": ("list_orders:open",),
    "older pages": ("balance_transactions:older",),
    "commands": ("deposit", "withdraw", "place_order"),
    "named commands": ("deposit:named", "withdraw:named", "place_order:named"),
    "sessions": ("refresh", "logout", "list_sessions", "end_session"),
    "users": ("register", "login", "me", "change_me", "change_password", "close_account"),
    "admin": ("list_users", "one_user", "freeze", "unfreeze", "set_role", "audit_trail"),
}
"""By class, operations; what stands behind a colon is a way of asking one."""
AT_ONCE = {
    "public": "list_assets",
    "account": "balance",
    "open orders": "list_orders:open",
    "older pages": "balance_transactions:older",
    "commands": "deposit",
    "named commands": "deposit:named",
    "sessions": "list_sessions",
    "users": "me",
    "admin": "list_users",
}
"""One of each class, to be asked many times at once."""
CENT = {"amount": "0.01"}
BUY = {"asset_id": "BTC", "side": "buy", "notional": "1.00"}
WHY = {"reason": "test"}
ONE = {"username": "{other}", "password": PASSWORD}
FAREWELL = {"password": PASSWORD}
SAME = {"current_password": PASSWORD, "password": PASSWORD}
NEW = {"username": "{new}", "email": "{new}@example.org", "password": PASSWORD}
OVER = ("filled", "canceled", "rejected")
LINES = 210
"""More than a live view keeps of an account."""
CALLS: Mapping[str, tuple[str, str, dict[str, str] | None]] = {
    "alive": ("nobody", "GET /health", None),
    "list_assets": ("nobody", "GET {v1}/inventory/assets", None),
    "one_asset": ("nobody", "GET {v1}/inventory/assets/BTC", None),
    "balance": ("customer", "GET {v1}/balance", None),
    "balance_transactions": ("customer", "GET {v1}/balance/transactions?limit=5", None),
    "balance_transactions:older": (
        "customer",
        "GET {v1}/balance/transactions?limit=200&cursor={older}",
        None,
    ),
    "list_orders": ("customer", "GET {v1}/orders?limit=1", None),
    "list_orders:open": ("customer", "GET {v1}/orders?status=open", None),
    "one_order": ("customer", "GET {v1}/orders/{order}", None),
    "order_by_client_id": ("customer", "GET {v1}/orders/by-client-id/known", None),
    "order_timeline": ("customer", "GET {v1}/orders/{order}/timeline", None),
    "list_trades": ("customer", "GET {v1}/trades?limit=1", None),
    "asset_balances": ("customer", "GET {v1}/assets/balances", None),
    "asset_balance": ("customer", "GET {v1}/assets/BTC/balance", None),
    "asset_transactions": ("customer", "GET {v1}/assets/BTC/transactions?limit=1", None),
    "portfolio": ("customer", "GET {v1}/portfolio/{customer}", None),
    "preview_order": ("customer", "POST {v1}/orders/preview", BUY),
    "deposit": ("customer", "POST {v1}/balance/deposit", CENT),
    "withdraw": ("customer", "POST {v1}/balance/withdraw", CENT),
    "place_order": ("customer", "POST {v1}/orders", BUY),
    "deposit:named": ("customer", "POST {v1}/balance/deposit", CENT),
    "withdraw:named": ("customer", "POST {v1}/balance/withdraw", CENT),
    "place_order:named": ("customer", "POST {v1}/orders", BUY | {"client_order_id": "{new}"}),
    "refresh": ("nobody", "POST {v1}/auth/refresh", {"refresh_token": "{refresh}"}),
    "logout": ("leaving", "POST {v1}/auth/logout", None),
    "list_sessions": ("customer", "GET {v1}/auth/sessions", None),
    "end_session": ("other", "DELETE {v1}/auth/sessions/{session}", None),
    "register": ("nobody", "POST {v1}/auth/register", NEW),
    "login": ("nobody", "POST {v1}/auth/login", ONE),
    "me": ("customer", "GET {v1}/auth/me", None),
    "change_me": ("customer", "PATCH {v1}/auth/me", {"first_name": "{new}"}),
    "change_password": ("customer", "POST {v1}/auth/password", SAME),
    "close_account": ("parting", "POST {v1}/auth/close", FAREWELL),
    "list_users": ("admin", "GET {v1}/admin/users?limit=5", None),
    "one_user": ("admin", "GET {v1}/admin/users/{user}", None),
    "freeze": ("admin", "POST {v1}/admin/users/{user}/freeze", WHY),
    "unfreeze": ("admin", "POST {v1}/admin/users/{user}/unfreeze", WHY),
    "set_role": ("admin", "PUT {v1}/admin/users/{user}/role", {"role": "customer"}),
    "audit_trail": ("admin", "GET {v1}/admin/audit?account_id={user}&limit=5", None),
}
"""By operation: who asks, what, with which body."""


def operations() -> set[str]:
    """Returns every operation of the document."""
    paths = json.loads(DOCUMENT.read_text())["paths"]
    return {asked["operationId"] for path in paths.values() for asked in path.values()}


class Answered(NamedTuple):
    """retry: its Retry-After; seconds: that it took."""

    status: int
    retry: str | None
    seconds: float
    body: Any


class People:
    """A customer with more than a live view keeps, another whose sessions and standing are of no matter, an admin, and
    one who has nothing and may go.

    orders: those taken that are not known to be over; moves: deposits and withdrawals taken, by the ids that they have
    once they are done; passwords: of those whose it is not PASSWORD.
    """

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self.http = http
        self.names = {who: f"{who}-{uuid4().hex[:8]}" for who in ("customer", "other", "admin")}
        self.passwords: dict[str, str] = {}
        self.tokens: dict[str, str] = {}
        self.known = self.names | {"v1": BASE}
        self.orders: list[str] = []
        self.moves: set[str] = set()

    @classmethod
    async def made(cls, http: httpx2.AsyncClient, dynamodb: str) -> Self:
        """Returns who has all that is asked for."""
        people = cls(http)
        for who in ("customer", "other"):
            people.known["user"] = await people.register(people.names[who])
        admin = people.names["admin"]
        people.passwords[admin] = await created(dynamodb, admin, f"{admin}@example.org")
        await people.log_in()
        await people.post("/balance/deposit", {"amount": "1000.00"})
        for _ in range(0, LINES, 30):
            await asyncio.gather(*(people.post("/balance/deposit", CENT) for _ in range(30)))
        known = await people.post("/orders", BUY | {"client_order_id": "known"})
        people.known["order"] = known["id"]
        page = await people.get("/balance/transactions?limit=200")
        people.known["older"] = page["next_cursor"]
        return people

    async def register(self, name: str) -> str:
        """Returns the account's id."""
        new = {"username": name, "email": f"{name}@example.org", "password": PASSWORD}
        told = await self.http.post(f"{BASE}/auth/register", json=new)
        assert told.status_code == 201, told.text
        account_id: str = told.json()["id"]
        return account_id

    async def post(self, path: str, body: dict[str, str]) -> dict[str, Any]:
        """Returns the customer's 201."""
        headers = self.headers("customer") | {"Prefer": "wait=30"}
        answer = await self.http.post(BASE + path, json=body, headers=headers)
        assert answer.status_code == 201, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def get(self, path: str) -> dict[str, Any]:
        """Returns the customer's 200."""
        answer = await self.http.get(BASE + path, headers=self.headers("customer"))
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    async def log_in(self) -> None:
        """Has everybody have a new session, and three more that are there to be ended; who parts is another each time.

        Raises: AssertionError.
        """
        for who, name in self.names.items():
            self.tokens[who] = (await self.session(name))["access_token"]
        await self.register(parting := f"parting-{uuid4().hex[:8]}")
        self.tokens["parting"] = (await self.session(parting))["access_token"]
        self.tokens["leaving"] = (await self.session(other := self.names["other"]))["access_token"]
        self.known["refresh"] = (await self.session(other))["refresh_token"]
        ended = (await self.session(other))["access_token"]
        mine = {"Authorization": f"Bearer {ended}"}
        listed = await self.http.get(f"{BASE}/auth/sessions", headers=mine)
        assert listed.status_code == 200, listed.text
        self.known["session"] = next(s["id"] for s in listed.json()["items"] if s["current"])

    async def session(self, name: str) -> dict[str, Any]:
        body = {"username": name, "password": self.passwords.get(name, PASSWORD)}
        answer = await self.http.post(f"{BASE}/auth/login", json=body)
        assert answer.status_code == 200, answer.text
        told: dict[str, Any] = answer.json()
        return told

    def headers(self, who: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[who]}"} if who in self.tokens else {}

    async def ask(self, operation: str) -> Answered:
        """Returns what it is answered with, and notes what shall have come of it."""
        who, line, body = CALLS[operation]
        told = self.known | {"new": uuid4().hex[:20]}
        method, path = line.format(**told).split()
        headers = self.headers(who)
        if operation.endswith(":named"):
            headers["Idempotency-Key"] = uuid4().hex
        said = body and {name: value.format(**told) for name, value in body.items()}
        began = monotonic()
        answer = await self.http.request(method, path, headers=headers, json=said)
        seconds = monotonic() - began
        found = answer.json() if answer.content else None
        if answer.status_code in (201, 202):
            self._note(operation.partition(":")[0], found)
        return Answered(answer.status_code, answer.headers.get("retry-after"), seconds, found)

    def _note(self, operation: str, found: Any) -> None:
        if operation == "place_order":
            self.orders.append(found["id"])
        if operation in ("deposit", "withdraw"):
            self.moves.add(found["id"])

    async def has_all(self) -> bool:
        """Returns whether every order that was taken is over, and every deposit and withdrawal done."""
        with suppress(AssertionError):
            while self.orders:
                if (await self.get(f"/orders/{self.orders[-1]}"))["status"] not in OVER:
                    return False
                self.orders.pop()
            cursor = ""
            while cursor is not None:
                page = await self.get(f"/balance/transactions?limit=200{cursor}")
                self.moves -= {line["id"] for line in page["items"]}
                cursor = page["next_cursor"] and f"&cursor={page['next_cursor']}"
            return not self.moves
        return False
