"""Bad input on the real stack: each a documented problem, and nothing moved."""

import time
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from events.topics import BALANCE_COMMANDS, ORDER_COMMANDS
from gateway.auth import TOKEN_LIFE, Tokens
from gateway.keys import FIRST_KEY, load_keys
from gateway.problems import PROBLEMS
from ops.stack.folder import RunFolder
from tests.e2e.customer import Customer
from tests.e2e.reader import read_books

pytestmark = pytest.mark.stack
BUY = {"asset_id": "BTC", "side": "buy", "quantity": "0.01"}
JSON = {"Content-Type": "application/json"}


def deposit(amount: Any) -> tuple[str, dict[str, Any]]:
    return "/balance/deposit", {"amount": amount}


def order(**terms: Any) -> tuple[str, dict[str, Any]]:
    return "/orders", BUY | terms


AT_THE_EDGE: dict[str, tuple[str, dict[str, Any]]] = {
    "a list for a string": deposit(["1"]),
    "an object for a string": deposit({}),
    "true for money": deposit(amount=True),
    "null for money": deposit(None),
    "a JSON integer for money": deposit(10),
    "a JSON fraction for money": deposit(10.5),
    "a JSON number for a quantity": order(quantity=1),
    "an exponent": deposit("1e3"),
    "NaN in a string": deposit("NaN"),
    "too many digits of money": deposit("1.001"),
    "too many digits of a quantity": order(quantity="0.000000001"),
    "too large": deposit("90071992547409.92"),
    "zero money": deposit("0.00"),
    "a zero quantity": order(quantity="0"),
    "a negative amount": deposit("-1.00"),
    "a negative quantity": order(quantity="-1"),
    "an unknown field": order(price="1.00"),
    "somebody else's account": order(account_id="00000000-0000-7000-8000-000000000000"),
    "quantity and notional": order(notional="5.00"),
    "neither of them": ("/orders", {"asset_id": "BTC", "side": "buy"}),
    "a side that is none": order(side="hold"),
    "a name that is none": order(client_order_id="a b"),
    "nothing at all": ("/orders", {}),
}
RAW: dict[str, tuple[bytes, str]] = {
    "NaN": (b'{"amount":NaN}', "malformed_json"),
    "a key twice": (b'{"amount":"1","amount":"9"}', "malformed_json"),
    "no JSON": (b"amount=1", "malformed_json"),
    "half of it": (b'{"amount":"1"', "malformed_json"),
    "a mebibyte": (b'{"amount":"' + b"1" * 2**20 + b'"}', "body_too_large"),
}


async def commands(stack: RunFolder, customer: Customer) -> int:
    """Returns how many commands of the customer the log has."""
    account_id = (await customer.get("/auth/me"))["id"]
    read = await read_books(stack.endpoints()["kafka"])
    asked = [*read.of(ORDER_COMMANDS), *read.of(BALANCE_COMMANDS)]
    return sum(command.account_id == account_id for command in asked)


def problem(answer: httpx2.Response, status: int, code: str) -> None:
    """Raises: AssertionError unless the answer is that documented problem."""
    assert (answer.status_code, answer.json().get("code")) == (status, code), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert PROBLEMS[code][0] == status
    assert answer.headers["x-request-id"] == answer.json()["request_id"]


async def test_what_the_edge_refuses_never_comes_to_the_log(
    customer: Customer, stack: RunFolder
) -> None:
    http, headers = customer.http, customer.headers()
    for path, body in AT_THE_EDGE.values():
        answer = await http.post(f"/api/v1{path}", json=body, headers=headers)
        problem(answer, 422, "validation_failed")
        assert answer.json()["errors"][0]["pointer"].startswith("#")
    for content, code in RAW.values():
        answer = await http.post("/api/v1/balance/deposit", content=content, headers=headers | JSON)
        problem(answer, PROBLEMS[code][0], code)
    answer = await http.post("/api/v1/balance/deposit", content=b"{}", headers=headers)
    problem(answer, 415, "unsupported_media_type")
    answer = await http.post("/api/v1/orders", json=BUY | {"asset_id": "NOPE"}, headers=headers)
    problem(answer, 422, "asset_unknown")

    assert await commands(stack, customer) == 0
    assert (await customer.get("/balance"))["total"] == "0.00"
    assert (await customer.get("/orders"))["items"] == []


async def test_what_is_not_there_can_not_be_spent(customer: Customer, stack: RunFolder) -> None:
    await customer.deposit("100.00")
    headers = customer.headers(Prefer="wait=30")
    for path, body, code in (
        ("/balance/withdraw", {"amount": "100.01"}, "insufficient_funds"),
        ("/orders", BUY, "insufficient_funds"),
        ("/orders", BUY | {"side": "sell"}, "insufficient_assets"),
        ("/orders", BUY | {"quantity": "0.00000001"}, "quantity_below_minimum"),
        ("/orders", BUY | {"quantity": "0.00001"}, "notional_below_minimum"),
        ("/orders", BUY | {"quantity": "1000"}, "limit_exceeded"),
    ):
        answer = await customer.http.post(f"/api/v1{path}", json=body, headers=headers)
        problem(answer, 422, code)
    balance = await customer.get("/balance")
    assert (balance["available"], balance["held"]) == ("100.00", "0.00")
    assert (await customer.get("/assets/balances"))["items"] == []
    assert len((await customer.get("/balance/transactions"))["items"]) == 1
    assert await commands(stack, customer) == 7


async def test_no_token_no_command(customer: Customer, stack: RunFolder) -> None:
    now = time.time_ns() // 1_000_000
    keys = load_keys(stack.path / "keys")
    claims = Tokens(keys, lambda: now).verify(customer.token)
    old = Tokens(keys, lambda: now - (TOKEN_LIFE + 60) * 1_000).issue(claims.sub, claims.sid)
    foreign = Tokens({FIRST_KEY: Ed25519PrivateKey.generate()}, lambda: now)
    for token, code in (
        (None, "authentication_required"),
        ("nonsense", "invalid_token"),
        (customer.token[:-2], "invalid_token"),
        (old, "token_expired"),
        (foreign.issue(claims.sub, claims.sid), "invalid_token"),
    ):
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        for path, body in (deposit("1.00"), order()):
            answer = await customer.http.post(f"/api/v1{path}", json=body, headers=headers)
            problem(answer, 401, code)
            assert answer.headers["www-authenticate"].startswith("Bearer")
    assert await commands(stack, customer) == 0
