"""The walk of a new customer: what is asked, what must come of it, and in whose words it is told."""

from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

API = "/api/v1"
BOUGHT = {"place_order", "order_accepted", "funds_reserved"}
SOLD = {"place_order", "order_accepted", "assets_reserved"}
SETTLED = {"order_filled", "funds_settled", "position_changed", "trade_executed"}


class Step(NamedTuple):
    """A request. causes: the types of the messages that it must leave in the log; told: its answer in words."""

    name: str
    method: str
    path: str
    body: dict[str, str] | None
    causes: frozenset[str]
    told: Callable[[Any], str]

    @property
    def shown_body(self) -> dict[str, str] | None:
        """Returns the body as it may be seen."""
        return self.body and {
            name: "…" if name == "password" else value for name, value in self.body.items()
        }


def steps() -> tuple[Step, ...]:
    """Returns the steps of a customer whom nobody has met yet."""
    name = f"demo-{uuid4().hex[:8]}"
    secret = uuid4().hex
    who = {"username": name, "email": f"{name}@example.org", "password": secret}
    return (
        post("register", "/auth/register", who, {"user_registered"}, registered),
        post("log in", "/auth/login", without(who, "email"), {"logged_in"}, logged_in),
        post(
            "deposit",
            "/balance/deposit",
            {"amount": "10000.00"},
            {"deposit", "funds_deposited"},
            moved,
        ),
        post("buy", "/orders", order("buy", "0.05"), BOUGHT | SETTLED, filled),
        post("sell", "/orders", order("sell", "0.02"), SOLD | SETTLED, filled),
        Step("portfolio", "GET", f"{API}/portfolio/{name}", None, frozenset(), worth),
        post(
            "withdraw",
            "/balance/withdraw",
            {"amount": "2500.00"},
            {"withdraw", "funds_withdrawn"},
            moved,
        ),
    )


def post(
    name: str, path: str, body: dict[str, str], causes: set[str], told: Callable[[Any], str]
) -> Step:
    return Step(name, "POST", API + path, body, frozenset(causes), told)


def without(body: dict[str, str], name: str) -> dict[str, str]:
    return {key: value for key, value in body.items() if key != name}


def order(side: str, quantity: str) -> dict[str, str]:
    """Returns the body of a market order that has a name of its own."""
    named = {"client_order_id": f"demo-{side}"}
    return {"asset_id": "BTC", "side": side, "type": "market", "quantity": quantity} | named


def registered(user: Any) -> str:
    return f"account {user['id']}"


def logged_in(session: Any) -> str:
    return f"a token for {session['expires_in'] // 60} minutes"


def moved(line: Any) -> str:
    return f"{line['amount']} USD, balance {line['balance_after']} USD"


def filled(order: Any) -> str:
    """Returns what was traded for how much."""
    return (
        f"{order['status']}: {order['filled_quantity']} {order['asset_id']} at"
        f" {order['average_price']} USD, cost {order['cost']}, fee {order['fee']}"
    )


def worth(portfolio: Any) -> str:
    """Returns the whole value and its parts."""
    held = ", ".join(
        f"{position['quantity']} {position['asset_id']} worth {position['market_value']}"
        for position in portfolio["positions"]
    )
    cash, realized = portfolio["cash"]["total"], portfolio["realized_pnl"]
    return f"{portfolio['total_value']} USD: cash {cash}, {held}; realized {realized}"
