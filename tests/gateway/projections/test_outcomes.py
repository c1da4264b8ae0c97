"""What a command came to, and when a client may be told of it."""

from typing import Any

from events.codec import encode, stamp
from events.order import AllOrdersCanceled, OrderExpired, OrderOpened
from gateway.projections.outcomes import (
    BALANCE_OUTCOME,
    ORDER_OUTCOME,
    Allowance,
    OrderOutcome,
    Settlement,
    answer,
    command,
    command_id,
    is_known,
    order,
    settlement,
    tells_all,
)
from gateway.projections.projection import Place
from tests.messages import balances as funds
from tests.messages import orders
from tests.messages import positions as assets
from tests.messages.envelope import ACCOUNT, NOW, numbered, stamped

AT = Place(offset=3, time=NOW)
BUY = orders.place("buy", quantity=100, n=1)
SELL = orders.place("sell", quantity=100, n=1)
FILLED, SOLD = orders.filled(BUY, 100, cost=60, fee=1), orders.filled(SELL, 100, cost=60, fee=1)
HALF = orders.filled(BUY, 50, cost=30, fee=1, leaves=50)
OPENED = OrderOpened(account_id=ACCOUNT, order_id=BUY.id, revision=1)
EXPIRED = OrderExpired(account_id=ACCOUNT, order_id=BUY.id, side="buy", asset_id="BTC")
RESERVED = funds.reserved(BUY, 62, available=0, held=62)
PAID = funds.settled(stamped(FILLED), available=0, held=1, hold_left=1)
PAID_HALF = funds.settled(stamped(HALF), available=0, held=31, hold_left=31)
RELEASED = funds.released(BUY, 1, available=1)
TOOK = assets.changed(stamped(FILLED), available=100, cost_basis=61)
TOOK_HALF = assets.changed(stamped(HALF), available=50, cost_basis=31)


def o(*events: Any) -> OrderOutcome | None:
    row = None
    for event in events:
        row = order(row, stamped(event), AT)
        assert ORDER_OUTCOME.decode(encode(row)) == row
    return row


def s(*events: Any) -> Settlement | None:
    row = None
    for event in events:
        row = settlement(row, stamped(event), AT)
    assert row is None or BALANCE_OUTCOME.decode(encode(row)) == row
    return row


ACCEPTED = orders.accepted(BUY, hold=62)


def test_an_outcome_says_of_its_order_what_the_first_event_said() -> None:
    pending = OrderOutcome(
        status="pending",
        reason=None,
        side="buy",
        fills=0,
        order_id=BUY.id,
        fingerprint="fingerprint-1",
        position=3,
        over_at=None,
    )
    assert o(ACCEPTED) == pending
    assert o(ACCEPTED, OPENED) == stamp(pending, status="resting")
    assert o(ACCEPTED, HALF) == stamp(pending, status="resting", fills=1)
    assert o(ACCEPTED, OPENED, HALF, EXPIRED) == stamp(
        pending, status="expired", fills=1, over_at=NOW
    )
    assert o(orders.rejected(BUY, "price_stale")) == stamp(
        pending, status="rejected", reason="price_stale", over_at=NOW
    )


def test_an_order_on_its_way_is_not_known() -> None:
    assert not is_known(None, None, None)
    assert not is_known(o(ACCEPTED), s(RESERVED), None)


def test_a_rejection_is_known_at_once() -> None:
    assert is_known(o(orders.rejected(BUY, "price_stale")), None, None)
    assert is_known(
        o(ACCEPTED, orders.rejected(BUY, "insufficient_funds")),
        s(funds.funds_refused(BUY, 62)),
        None,
    )


def test_a_filled_buy_is_known_once_money_and_assets_moved_and_nothing_is_held() -> None:
    filled = o(ACCEPTED, FILLED)
    assert not is_known(filled, None, None)
    assert not is_known(filled, s(RESERVED), s(TOOK))
    assert not is_known(filled, s(RESERVED, PAID), s(TOOK))
    assert not is_known(filled, s(RESERVED, PAID, RELEASED), None)
    assert is_known(filled, s(RESERVED, PAID, RELEASED), s(TOOK))


def test_a_filled_sell_is_known_once_its_assets_left_the_hold() -> None:
    sold = o(orders.accepted(SELL, hold=100), SOLD)
    earned = s(funds.settled(stamped(SOLD), available=59, held=0))
    held = s(assets.reserved(SELL, 100, available=0, held=100))
    gave = s(assets.changed(stamped(SOLD), available=0, cost_basis=0))
    assert not is_known(sold, earned, held)
    assert is_known(sold, earned, gave)
    rest = s(assets.changed(stamped(SOLD), available=0, cost_basis=0, hold_left=1))
    assert not is_known(sold, earned, rest)


def test_a_command_that_was_refused_is_known_at_once() -> None:
    refused = command(None, stamped(orders.refused(BUY, "command_expired")), AT)
    assert is_known(refused, None, None)


def test_a_resting_order_is_known_with_all_fills_so_far() -> None:
    assert is_known(o(ACCEPTED, OPENED), s(RESERVED), None)
    half = o(ACCEPTED, OPENED, HALF)
    assert not is_known(half, s(RESERVED), None)
    assert is_known(half, s(RESERVED, PAID_HALF), s(TOOK_HALF))


def test_an_order_that_ends_unfilled_is_known_once_its_hold_is_released() -> None:
    released = s(RESERVED, funds.released(BUY, 62, available=62))
    canceled = o(ACCEPTED, orders.canceled(BUY, "price_left_collar"))
    expired = o(ACCEPTED, OPENED, EXPIRED)
    for ended, status in ((canceled, "canceled"), (expired, "expired")):
        assert ended
        assert ended.status == status
        assert not is_known(ended, s(RESERVED), None)
        assert is_known(ended, released, None)


def test_an_order_canceled_half_filled_is_known_with_its_fills() -> None:
    ended = o(ACCEPTED, OPENED, HALF, orders.canceled(BUY, "canceled_by_client"))
    released = s(RESERVED, PAID_HALF, funds.released(BUY, 31, available=31))
    assert released
    assert (released.fills, released.hold_over) == (1, True)
    assert not is_known(ended, released, None)
    assert is_known(ended, released, s(TOOK_HALF))


def test_a_hold_that_is_refused_says_what_was_missing() -> None:
    poor = s(funds.funds_refused(BUY, 62, available=7))
    assert poor == Settlement(
        fills=0,
        hold_over=True,
        reason="insufficient_funds",
        fingerprint=None,
        position=3,
        over_at=NOW,
        needed=62,
        available=7,
    )
    empty = s(assets.assets_refused(SELL, 100, available=9))
    assert empty
    assert (empty.reason, empty.needed, empty.available) == ("insufficient_assets", 100, 9)


def test_a_settlement_tells_all_unless_it_goes_on_from_another() -> None:
    first = assets.reserved(SELL, 100, available=0, held=100)
    for event in (RESERVED, first, PAID, TOOK, funds.funds_refused(BUY, 62)):
        assert tells_all(stamped(event))
    second = funds.reserved(BUY, 90, available=0, held=90, revision=2)
    given_back = assets.released(SELL, 100, available=100)
    for other in (second, funds.funds_refused(BUY, 90, revision=2), RELEASED, given_back):
        assert not tells_all(stamped(other))


def test_a_larger_hold_that_is_refused_leaves_the_first() -> None:
    row = s(RESERVED)
    refused = stamped(funds.funds_refused(BUY, 90, revision=2))
    assert settlement(row, refused, AT) is row


def test_an_outcome_is_over_when_nothing_more_comes_of_it() -> None:
    for row, over in (
        (o(ACCEPTED, OPENED, HALF), None),
        (o(ACCEPTED, FILLED), NOW),
        (o(ACCEPTED, OPENED, EXPIRED), NOW),
        (s(RESERVED, PAID), None),
        (s(RESERVED, PAID, RELEASED), NOW),
    ):
        assert row
        assert row.over_at == over


def test_a_command_of_its_own_has_an_outcome_of_its_own() -> None:
    by_client = stamped(orders.canceled(BUY, "canceled_by_client"), command_id=numbered(2))
    assert command_id(by_client, AT) == numbered(2)
    assert command_id(stamped(orders.canceled(BUY, "price_stale")), AT) is None
    all_canceled = AllOrdersCanceled(account_id=ACCOUNT, canceled=3, fingerprint="f")
    done = command(None, stamped(all_canceled), AT)
    assert (done.status, done.over_at, done.fingerprint) == ("done", NOW, "f")


def test_the_first_answer_holds() -> None:
    refusal = orders.refused(orders.cancel(), "order_closed", order_id=BUY.id)
    first = command(None, stamped(refusal), AT)
    assert (first.status, first.reason, first.order_id) == ("refused", "order_closed", BUY.id)
    assert command(first, stamped(refusal), Place(9, NOW + 9)) is first


def test_a_deposit_s_outcome_leads_to_its_line() -> None:
    row = answer(None, stamped(funds.deposited(funds.deposit(5), available=5)), AT)
    assert (row.reason, row.position, row.fingerprint) == (None, 3, "fingerprint-100")
    refused = stamped(funds.refused(funds.withdraw(5), "insufficient_funds", available=4, held=0))
    assert answer(None, refused, AT) == Settlement(
        fills=0,
        hold_over=True,
        reason="insufficient_funds",
        fingerprint="fingerprint-101",
        position=3,
        over_at=NOW,
        needed=5,
        available=4,
    )


def test_a_day_that_is_used_up_is_told_with_its_refusal_alone() -> None:
    more = funds.deposit(41, limit=100)
    refused = funds.refused(more, "limit_exceeded", available=60, held=0, used=60)
    row = answer(None, stamped(refused), AT)
    assert row.allowance == Allowance(limit=100, used=60, resets_at=funds.TODAY)
    assert BALANCE_OUTCOME.decode(encode(row)) == row
    done = answer(None, stamped(funds.deposited(more, available=41, used=41)), AT)
    total = answer(None, stamped(funds.refused(more, "limit_exceeded", available=9, held=0)), AT)
    assert done.allowance is total.allowance is None
