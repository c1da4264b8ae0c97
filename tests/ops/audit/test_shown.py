"""The auditor's folds are a second implementation: of every event they say what the product's projections say."""

from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from events.codec import encode
from events.envelope import Value
from events.order import (
    OrderAccepted,
    OrderCommandRefused,
    OrderExpired,
    OrderOpened,
    OrderRejected,
    OrderReplaced,
    OrderReplacePending,
)
from events.topics import ORDER_EVENTS
from gateway.projections import accounts, outcomes
from gateway.projections import orders as rows
from gateway.projections.projection import Place
from infra.log.port import Record
from ops.audit import shown
from tests.messages import balances as funds
from tests.messages import orders
from tests.messages import positions as assets
from tests.messages.envelope import ACCOUNT, NOW, stamped

BUY = orders.place("buy", quantity=100)
ACCEPTED = orders.accepted(BUY, hold=700)
HALF = orders.filled(BUY, 60, cost=36, fee=1, leaves=40)
REST = orders.filled(BUY, 40, cost=24, fee=0, fill=2)
OF: dict[str, Any] = {"account_id": ACCOUNT, "order_id": BUY.id}
TERMS = OF | {"side": "buy", "asset_id": "BTC"}
OPENED = OrderOpened(**OF, revision=1)
EXPIRED = OrderExpired(**TERMS)
PENDING = OrderReplacePending(**TERMS, revision=2, hold=900)
REPLACED = OrderReplaced(
    **TERMS, revision=2, quantity=120, limit_price=55, hold=900, fingerprint="f"
)
NOT_REPLACED = OrderCommandRefused(**OF, reason="insufficient_funds", fingerprint="f")
CANCELED = orders.canceled(BUY, "canceled_by_client")
LIVES = [
    (ACCEPTED, HALF, REST),
    (orders.rejected(BUY, "asset_unknown"),),
    (ACCEPTED, orders.rejected(BUY, "insufficient_funds")),
    (ACCEPTED, OPENED, HALF, CANCELED),
    (ACCEPTED, OPENED, EXPIRED),
    (ACCEPTED, OPENED, PENDING, REPLACED, REST),
    (ACCEPTED, OPENED, HALF, PENDING, REPLACED),
    (CANCELED, EXPIRED),
]


def told(event: Any, n: int) -> tuple[Any, Place, Record]:
    """Returns the n-th event as it stands in the log."""
    record = Record(ORDER_EVENTS.name, 0, n, NOW + n, ACCOUNT.encode(), b"")
    return stamped(event, at=NOW + n), Place(n, NOW + n), record


def plain(row: Value | None) -> Any:
    return None if row is None else msgspec.json.decode(encode(row))


def after(row: shown.Row, event: Any, record: Record) -> shown.Row:
    opens = isinstance(event, OrderAccepted | OrderRejected)
    return (shown.opened if opens else shown.followed)(row, event, record)


def alike(
    steps: tuple[Any, ...], theirs: Callable[..., Value | None], ours: Callable[..., shown.Row]
) -> None:
    """Raises: AssertionError unless both folds have the same row after each step."""
    row, mine = None, None
    for n, each in enumerate(steps):
        event, place, record = told(each, n)
        row, mine = theirs(row, event, place), ours(mine, event, record)
        assert mine == plain(row)


REFUSED = [
    (ACCEPTED, OPENED, NOT_REPLACED),
    (ACCEPTED, OPENED, HALF, PENDING, NOT_REPLACED),
    (NOT_REPLACED,),
]


@pytest.mark.parametrize("life", [*LIVES, *REFUSED])
def test_an_order_is_shown_alike(life: tuple[Any, ...]) -> None:
    alike(life, rows.apply, after)


@pytest.mark.parametrize("life", LIVES)
def test_an_order_s_outcome_is_shown_alike(life: tuple[Any, ...]) -> None:
    alike(life, outcomes.order, shown.outcome)


@pytest.mark.parametrize(
    "steps",
    [
        (funds.reserved(BUY, 62, available=0, held=62), funds.released(BUY, 62, available=62)),
        (
            funds.reserved(BUY, 62, available=0, held=62),
            funds.funds_refused(BUY, 90, revision=2),
            funds.settled(stamped(HALF), available=0, held=25, hold_left=25),
        ),
        (assets.assets_refused(BUY, 100, available=3),),
    ],
)
def test_a_settlement_is_shown_alike(steps: tuple[Any, ...]) -> None:
    alike(steps, outcomes.settlement, shown.settlement)


FREEZE, THAW = orders.frozen(orders.freeze()), orders.unfrozen(orders.unfreeze())


@pytest.mark.parametrize("steps", [(FREEZE, FREEZE, THAW), (THAW, THAW, FREEZE, THAW)])
def test_whether_an_account_is_frozen_is_shown_alike(steps: tuple[Any, ...]) -> None:
    alike(steps, accounts.apply, shown.account_told)


GIVEN, MORE = funds.deposit(60, limit=100), funds.deposit(41, limit=100)


@pytest.mark.parametrize(
    "event",
    [
        funds.deposited(GIVEN, available=60, used=60),
        funds.refused(MORE, "limit_exceeded", available=60, held=0, used=60),
        funds.refused(MORE, "limit_exceeded", available=60, held=0),
        funds.refused(MORE, "command_expired"),
    ],
)
def test_an_answer_is_shown_alike(event: Any) -> None:
    alike((event,), outcomes.answer, shown.answered)
