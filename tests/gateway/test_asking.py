"""How long a client waits, and what makes two requests the same."""

import pytest

from gateway.asking import fingerprint, preference
from gateway.routes.balance import Amount
from gateway.routes.orders import OrderBody


@pytest.mark.parametrize(
    ("header", "wait", "applied"),
    [
        (None, 1, None),
        ("", 1, None),
        ("wait=5", 5, "wait=5"),
        ("wait=0", 0, "wait=0"),
        ('wait="5"', 5, "wait=5"),
        ("WAIT=5", 5, "wait=5"),
        ("wait=31", 30, "wait=30"),
        ("wait=5, wait=9", 5, "wait=5"),
        ("respond-async", 0, "respond-async"),
        ("Respond-Async", 0, "respond-async"),
        ("respond-async, wait=7", 7, "wait=7, respond-async"),
        ("wait=7,respond-async,return=minimal", 7, "wait=7, respond-async"),
        ("return=minimal", 1, None),
        ("wait=-1", 1, None),
        ("wait=1.5", 1, None),
        ("wait=٣", 1, None),
        ("wait=9999999999", 1, None),
        ("wait", 1, None),
        ("xwait=5", 1, None),
    ],
)
def test_a_preference_holds_as_far_as_it_is_one(
    header: str | None, wait: int, applied: str | None
) -> None:
    assert preference(header) == (wait, applied)


def order(**more: object) -> OrderBody:
    return OrderBody.model_validate({"asset_id": "BTC", "side": "buy", "notional": "5.00"} | more)


def test_a_fingerprint_tells_requests_apart_not_spellings() -> None:
    target = "POST /api/v1/orders"
    first = fingerprint(target, order())
    assert len(first) == 64
    assert fingerprint(target, order(notional="5")) == first
    others = [
        fingerprint("POST /api/v1/balance/deposit", order()),
        fingerprint(target, order(notional="5.01")),
        fingerprint(target, order(side="sell")),
        fingerprint(target, order(client_order_id="x")),
        fingerprint("POST /api/v1/balance/deposit", Amount.model_validate({"amount": "5.00"})),
    ]
    assert len({first, *others}) == 6
