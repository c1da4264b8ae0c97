"""What the seed has clients ask: a mix of its own, of which much is sent again."""

from collections.abc import Callable
from functools import partial
from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from events.balance import Deposit, Withdraw
from events.money import Side
from events.order import (
    CancelAllOrders,
    CancelOrder,
    FreezeAccount,
    OrderCommand,
    PlaceOrder,
    ReplaceOrder,
    UnfreezeAccount,
)
from events.topics import BALANCE_COMMANDS, ORDER_COMMANDS, Topic
from infra.shell.repeats import SLACK

ASSET_IDS = ("BTC", "DOGE", "BTC", "DOGE", "BTC", "DOGE", "HALT", "NOPE")
DELAYS_MS = (0, 1, 50, 3_000, 20_000)
LONG_MS = 20 * 60_000
"""Longer than a command may still be sent."""


class Sending(NamedTuple):
    """A command sent at a moment, ms after the start. created_at in the command is that of its first sending."""

    at: int
    topic: Topic[Any]
    command: Any


class Asking:
    """Who asks, in what mood: some kinds of commands, resent or not, with a clock that is right or not."""

    def __init__(self, rng: Random) -> None:
        self.rng = rng
        self.accounts = [new_id(rng) for _ in range(rng.randint(1, 5))]
        self.kinds = rng.sample(KINDS, k=rng.randint(1, len(KINDS)))
        self.resent = rng.choice((0, 1, 3))
        self.ahead = rng.choice(((0,), (0,) * 20 + (SLACK - 1_000, SLACK + 30_000)))

    def envelope(self, account_id: str, now: int) -> dict[str, Any]:
        id_ = new_id(self.rng)
        return {
            "id": id_,
            "account_id": account_id,
            "occurred_at": now,
            "created_at": now + self.rng.choice(self.ahead),
            "correlation_id": id_,
            "fingerprint": id_,
        }

    def sendings(self, at: int, topic: Topic[Any], command: Any) -> list[Sending]:
        """Returns the sending and its repeats: at once, soon, or after an outage."""
        times = self.rng.choice((0, 0, 0, self.resent, self.resent))
        delays = (0, *(self.rng.choice(DELAYS_MS) for _ in range(times)))
        return [Sending(at + delay, topic, command) for delay in delays]


def workload(rng: Random, start_ms: int, length_ms: int) -> list[Sending]:
    """Returns every sending of a run, by time."""
    asking = Asking(rng)
    sendings: list[Sending] = []
    for account_id in asking.accounts:
        given = deposit(rng, asking.envelope(account_id, start_ms))
        sendings += asking.sendings(0, BALANCE_COMMANDS, given)
    for _ in range(rng.randint(2, 40)):
        at = rng.randrange(length_ms)
        topic, make = rng.choice(asking.kinds)
        envelope = asking.envelope(rng.choice(asking.accounts), start_ms + at)
        sendings += asking.sendings(at, topic, make(rng, envelope))
    return sorted(sendings, key=lambda sending: sending.at)


def new_id(rng: Random) -> str:
    return str(UUID(int=rng.getrandbits(128), version=4))


def deposit(rng: Random, envelope: dict[str, Any]) -> Deposit:
    amount = rng.choice((0, 1, rng.randrange(10**6), rng.randrange(10**7), 10**9))
    return Deposit(**envelope, amount=amount, daily_limit=daily_limit(rng))


def withdraw(rng: Random, envelope: dict[str, Any]) -> Withdraw:
    amount = rng.choice((0, 1, rng.randrange(10**6), rng.randrange(10**8)))
    return Withdraw(**envelope, amount=amount, daily_limit=daily_limit(rng))


def daily_limit(rng: Random) -> int | None:
    return rng.choice((None, None, None, 10**9, 10**12, 10**12, rng.randrange(10**7), 0))


def place(rng: Random, envelope: dict[str, Any], side: Side) -> PlaceOrder:
    by_notional, both = rng.random() < 0.4, rng.random() < 0.04
    notional = rng.choice((99, 100, rng.randrange(10**6), rng.randrange(10**9 + 10)))
    quantity = rng.choice((0, 1, 10_001, rng.randrange(10**7), rng.randrange(10**12)))
    return PlaceOrder(
        **envelope,
        asset_id=rng.choice(ASSET_IDS),
        side=side,
        order_type=rng.choice(("market",) * 9 + ("limit",)),
        notional=notional if by_notional or both else None,
        quantity=None if by_notional and not both else quantity,
    )


def steer(rng: Random, envelope: dict[str, Any]) -> OrderCommand:
    """Returns what is asked of orders and of the account itself."""
    order_id, actor = new_id(rng), new_id(rng)
    return rng.choice(
        (
            CancelAllOrders(**envelope),
            CancelOrder(**envelope, order_id=order_id),
            ReplaceOrder(**envelope, order_id=order_id, quantity=1),
            FreezeAccount(**envelope, reason="inquiry", actor=actor),
            UnfreezeAccount(**envelope, reason="cleared", actor=actor),
        )
    )


Make = Callable[[Random, dict[str, Any]], Any]
KINDS: tuple[tuple[Topic[Any], Make], ...] = (
    (BALANCE_COMMANDS, deposit),
    (BALANCE_COMMANDS, withdraw),
    (ORDER_COMMANDS, partial(place, side="buy")),
    (ORDER_COMMANDS, partial(place, side="buy")),
    (ORDER_COMMANDS, partial(place, side="sell")),
    (ORDER_COMMANDS, steer),
)
