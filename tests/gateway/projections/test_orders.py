"""What an order's row and a fill's line say after each event."""

from typing import Any

from events.codec import encode, stamp
from events.order import (
    OrderCommandRefused,
    OrderExpired,
    OrderOpened,
    OrderReplaced,
    OrderReplacePending,
)
from gateway.projections.orders import ORDER, TRADE, OrderRow, apply, trade
from gateway.projections.projection import Place
from tests.messages import orders
from tests.messages.envelope import ACCOUNT, NOW, numbered, stamped

BUY = orders.place("buy", quantity=100)
ACCEPTED = orders.accepted(BUY, hold=700)
AT = Place(offset=12, time=NOW)
OPENED = OrderOpened(account_id=ACCOUNT, order_id=BUY.id, revision=1)
PENDING = OrderReplacePending(
    account_id=ACCOUNT, order_id=BUY.id, side="buy", asset_id="BTC", revision=2, hold=900
)
REPLACED = OrderReplaced(
    account_id=ACCOUNT,
    order_id=BUY.id,
    side="buy",
    asset_id="BTC",
    revision=2,
    quantity=120,
    limit_price=55,
    hold=900,
    fingerprint="f",
)
NOT_REPLACED = OrderCommandRefused(
    account_id=ACCOUNT, order_id=BUY.id, reason="insufficient_funds", fingerprint="f"
)


def after(*events: Any) -> OrderRow:
    """Returns the row, each event being appended one offset and one second after the last."""
    row: OrderRow | None = None
    for n, event in enumerate(events):
        row = apply(row, stamped(event, at=NOW + 1_000 * n), Place(AT.offset + n, NOW))
    assert row
    assert ORDER.decode(encode(row)) == row
    return row


def test_an_accepted_order_has_its_terms_and_its_place() -> None:
    row = after(ACCEPTED)
    assert (row.status, row.quantity, row.filled_quantity) == ("pending_new", 100, 0)
    assert (row.position, row.client_order_id, row.scale) == (12, "mine-1", 8)
    assert (row.created_at, row.updated_at) == (NOW, NOW)


def test_an_order_s_row_has_every_term_of_its_first_event() -> None:
    terms = {"notional": 7, "limit_price": 8, "stop_price": 9}
    taken = stamp(ACCEPTED, **terms, expires_at=NOW + 5, revision=3)
    same = ["order_id", "client_order_id", "asset_id", "side", "order_type", "time_in_force"]
    same += ["quantity", "notional", "limit_price", "stop_price", "fingerprint"]
    counted = ["scale", "price_scale", "expires_at", "revision"]
    row, refused = after(taken), stamp(orders.rejected(BUY, "asset_unknown"), **terms)
    for name in (*same, *counted):
        assert getattr(row, name) == getattr(taken, name)
    over = after(refused)
    for name in same:
        assert getattr(over, name) == getattr(refused, name)
    assert [getattr(over, name) for name in counted] == [None, None, None, 1]
    assert (row.reason, row.exact, row.cost, row.fee, row.fills) == (None, "0", 0, 0, 0)


def test_a_fill_adds_up() -> None:
    first = orders.filled(BUY, 60, cost=36, fee=1, price=6_000_001, leaves=40)
    last = orders.filled(BUY, 40, cost=24, fee=0, price=6_000_002, fill=2)
    half, whole = after(ACCEPTED, first), after(ACCEPTED, first, last)
    assert (half.status, half.fills, half.cost, half.fee) == ("partially_filled", 1, 36, 1)
    assert (whole.status, whole.fills, whole.cost, whole.fee) == ("filled", 2, 60, 1)
    assert int(whole.exact) == 60 * 6_000_001 + 40 * 6_000_002
    assert (whole.position, whole.created_at, whole.updated_at) == (12, NOW, NOW + 2_000)


def test_the_exact_total_outgrows_a_json_integer() -> None:
    huge = 2**53 - 1
    fill = orders.filled(BUY, huge, cost=1, fee=1, price=huge)
    assert after(ACCEPTED, fill).exact == str(huge * huge)


def test_a_rejected_order_has_its_reason_and_no_scale() -> None:
    row = after(orders.rejected(BUY, "asset_unknown"))
    assert (row.status, row.reason, row.scale) == ("rejected", "asset_unknown", None)


def test_a_hold_that_was_refused_rejects_what_was_accepted() -> None:
    row = after(ACCEPTED, orders.rejected(BUY, "insufficient_funds"))
    assert (row.status, row.reason, row.scale) == ("rejected", "insufficient_funds", 8)
    assert row.position == 12


def test_an_order_is_over_with_its_reason() -> None:
    assert after(ACCEPTED, orders.canceled(BUY, "price_stale")).reason == "price_stale"
    expired = OrderExpired(account_id=ACCOUNT, order_id=BUY.id, side="buy", asset_id="BTC")
    assert after(ACCEPTED, OPENED, expired).status == "expired"


def test_a_replaced_order_rests_on_its_new_terms() -> None:
    assert after(ACCEPTED, OPENED, PENDING).status == "pending_replace"
    row = after(ACCEPTED, OPENED, PENDING, REPLACED)
    assert (row.status, row.quantity, row.limit_price, row.revision) == ("new", 120, 55, 2)


def test_a_replace_that_was_refused_leaves_the_order_as_it_was() -> None:
    row = after(ACCEPTED, OPENED, PENDING, NOT_REPLACED)
    assert (row.status, row.quantity) == ("new", 100)
    half = orders.filled(BUY, 60, cost=36, fee=1, leaves=40)
    assert after(ACCEPTED, OPENED, half, PENDING, NOT_REPLACED).status == "partially_filled"
    untouched = after(ACCEPTED, OPENED)
    assert apply(untouched, stamped(NOT_REPLACED), AT) is untouched


def test_an_answer_that_belongs_to_no_order_makes_none() -> None:
    assert apply(None, stamped(NOT_REPLACED), AT) is None


def test_open_orders_are_told_apart() -> None:
    rows = [after(ACCEPTED), after(ACCEPTED, OPENED), after(ACCEPTED, OPENED, PENDING)]
    assert all(map(ORDER.is_open, rows))
    assert not ORDER.is_open(after(ACCEPTED, orders.canceled(BUY, "price_stale")))


def test_a_fill_s_line_is_its_own() -> None:
    fill = stamp(stamped(orders.filled(BUY, 60, cost=36, fee=1, leaves=40)), id=numbered(7))
    line = trade(None, fill, AT)
    assert (line.trade_id, line.position, line.cost, line.quantity) == (numbered(7), 12, 36, 60)
    assert TRADE.decode(encode(line)) == line
