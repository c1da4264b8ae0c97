"""What the seed has clients ask: deposits, withdrawals and orders, many of them sent again."""

from random import Random
from typing import Any, NamedTuple
from uuid import UUID

from events.balance import Deposit, Withdraw
from events.order import CancelAllOrders, PlaceOrder
from events.topics import BALANCE_COMMANDS, ORDER_COMMANDS, Topic
from infra.shell.repeats import SLACK

ASSET_IDS = ("BTC", "DOGE", "BTC", "DOGE", "BTC", "DOGE", "HALT", "NOPE")
LONG_MS = 20 * 60_000
"""Longer than a command may still be sent."""


class Sending(NamedTuple):
    """A command sent at a moment, ms after the start. created_at in the command is that of its first sending."""

    at: int
    topic: Topic[Any]
    command: Any


def workload(rng: Random, start_ms: int, length_ms: int) -> list[Sending]:
    """Returns every sending of a run, by time."""
    accounts = [str(UUID(int=rng.getrandbits(128), version=4)) for _ in range(rng.randint(1, 5))]
    sendings: list[Sending] = []
    for account_id in accounts:
        sendings += _again(rng, Sending(0, BALANCE_COMMANDS, deposit(rng, account_id, start_ms)))
    for _ in range(rng.randint(5, 40)):
        at = rng.randrange(length_ms)
        topic, command = _command(rng, rng.choice(accounts), start_ms + at)
        sendings += _again(rng, Sending(at, topic, command))
    return sorted(sendings, key=lambda sending: sending.at)


def _again(rng: Random, sending: Sending) -> list[Sending]:
    """Returns the sending and its repeats: at once, soon, or after an outage."""
    delays = [rng.choice((0, 1, 50, 3_000, 20_000)) for _ in range(rng.choice((0, 0, 0, 1, 1, 3)))]
    return [sending, *(sending._replace(at=sending.at + delay) for delay in delays)]


def _command(rng: Random, account_id: str, now: int) -> tuple[Topic[Any], Any]:
    match rng.randrange(12):
        case 0 | 8:
            return BALANCE_COMMANDS, deposit(rng, account_id, now)
        case 2:
            return ORDER_COMMANDS, CancelAllOrders(**_asking(rng, account_id, now))
        case 1:
            amount = rng.choice((0, 1, rng.randrange(10**6), rng.randrange(10**8)))
            return BALANCE_COMMANDS, Withdraw(**_asking(rng, account_id, now), amount=amount)
        case _:
            return ORDER_COMMANDS, _order(rng, account_id, now)


def deposit(rng: Random, account_id: str, now: int) -> Deposit:
    amount = rng.choice((0, 1, rng.randrange(10**6), rng.randrange(10**7), 10**9))
    return Deposit(**_asking(rng, account_id, now), amount=amount)


def _order(rng: Random, account_id: str, now: int) -> PlaceOrder:
    by_notional = rng.random() < 0.4
    notional = rng.choice((99, 100, rng.randrange(10**6), rng.randrange(10**9 + 10)))
    quantity = rng.choice((0, 1, 10_001, rng.randrange(10**7), rng.randrange(10**12)))
    both = rng.random() < 0.04
    return PlaceOrder(
        **_asking(rng, account_id, now),
        asset_id=rng.choice(ASSET_IDS),
        side=rng.choice(("buy", "buy", "sell")),
        order_type=rng.choice(("market",) * 9 + ("limit",)),
        notional=notional if by_notional or both else None,
        quantity=None if by_notional and not both else quantity,
    )


def _asking(rng: Random, account_id: str, now: int) -> dict[str, Any]:
    ids = str(UUID(int=rng.getrandbits(128), version=4))
    ahead = rng.choice((0,) * 20 + (SLACK - 1_000, SLACK + 30_000))  # a client's clock
    return {
        "id": ids,
        "account_id": account_id,
        "occurred_at": now,
        "created_at": now + ahead,
        "correlation_id": ids,
        "fingerprint": ids,
    }
