"""An order's life as an audit follows it, also by events that this release does not write."""

from typing import Any

import pytest

from events.codec import stamp
from events.control import RecordQuarantined
from events.order import OrderExpired, OrderOpened, OrderReplaced
from events.topics import ORDER_EVENTS, PRICES
from infra.log.port import Record
from ops.audit.trading import Lives, SettledOnce
from tests.messages.envelope import ACCOUNT, NOW, stamped
from tests.messages.markets import ticked
from tests.messages.orders import accepted, canceled, filled, place

BUY = place("buy", quantity=1_000_000)
ACCEPTED = accepted(BUY, hold=61_262)
FILLED = filled(BUY, 1_000_000, cost=60_000, fee=60)
OPENED = OrderOpened(account_id=ACCOUNT, order_id=BUY.id, revision=1)
EXPIRED = OrderExpired(account_id=ACCOUNT, order_id=BUY.id, side="buy", asset_id="BTC")
LARGER = OrderReplaced(
    account_id=ACCOUNT,
    order_id=BUY.id,
    side="buy",
    asset_id="BTC",
    revision=2,
    quantity=1_000_001,
    hold=61_262,
    fingerprint="f",
)
HALF = filled(BUY, 500_000, cost=30_000, fee=30, leaves=500_000)
LIMITED = stamp(ACCEPTED, order_type="limit", limit_price=5_999_999)
SELL = place("sell", quantity=1_000_000)
SOLD = filled(SELL, 1_000_000, cost=60_000, fee=60)
DEAR = stamp(accepted(SELL, hold=1_000_000), order_type="limit", limit_price=6_000_001)


def lived(*events: Any) -> Lives:
    """Returns the check after these events of one partition."""
    lives, handlers = Lives(), Lives().handlers()
    for n, event in enumerate(events):
        record = Record(ORDER_EVENTS.name, 0, n, NOW, ACCOUNT.encode(), b"")
        getattr(lives, handlers[type(event)].__name__)(record, stamped(event))
    return lives


@pytest.mark.parametrize(
    "events",
    [
        (ACCEPTED, FILLED),
        (ACCEPTED, OPENED, EXPIRED),
        (ACCEPTED, OPENED, HALF, canceled(BUY, "canceled_by_client")),
        (ACCEPTED, OPENED, HALF, filled(BUY, 500_000, cost=30_000, fee=30, fill=2)),
    ],
)
def test_a_legal_life_is_nothing_to_tell(events: tuple[Any, ...]) -> None:
    lives = lived(*events)
    assert (lives.told, lives.checked) == ([], len(events))
    assert not lives.open


@pytest.mark.parametrize(
    ("events", "said"),
    [
        ((OPENED,), "which is unknown"),
        ((EXPIRED,), "which is unknown"),
        ((LARGER,), "which is unknown"),
        ((ACCEPTED, EXPIRED, OPENED), "which is over"),
        ((ACCEPTED, OPENED, LARGER, FILLED), "0 left of 1000001 after 1000000"),
        ((stamp(ACCEPTED, hold=60_059), FILLED), "60060 paid, 60059 held"),
        ((LIMITED, FILLED), "filled at 6000000, 5999999 was the limit"),
        ((DEAR, SOLD), "filled at 6000000, 6000001 was the limit"),
        ((ACCEPTED, stamp(FILLED, asset_id="DOGE")), "filled as another order"),
    ],
)
def test_what_no_life_has_is_told(events: tuple[Any, ...], said: str) -> None:
    [told] = lived(*events).told
    assert said in told.what


def test_a_price_that_no_tick_told_is_noticed() -> None:
    lives = lived(ACCEPTED, FILLED)
    lives.ticked(Record(PRICES.name, 0, 3, NOW, None, b""), ticked(BTC=5_900_000))
    lives.settle()
    [told] = lives.told
    assert f"prices quoted of {PRICES.name} at 7: no such record" in told.what


def test_without_any_tick_no_price_is_asked_for() -> None:
    lives = lived(ACCEPTED, FILLED)
    lives.settle()
    assert lives.told == []


@pytest.mark.parametrize(("held", "lacking"), [(None, 3), (ACCOUNT, 0)])
def test_what_waits_behind_poison_is_not_settled_yet(held: str | None, lacking: int) -> None:
    check, record = SettledOnce(), Record(ORDER_EVENTS.name, 0, 1, NOW, None, b"")
    check.settled(record, stamped(FILLED))
    note = RecordQuarantined(
        topic=ORDER_EVENTS.name, partition=0, offset=1, reason="malformed", account_id=held
    )
    check.quarantined(record, note)
    check.settle()
    assert len(check.told) == lacking
