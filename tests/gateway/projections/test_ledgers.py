"""Balances and positions, and the lines that add up to them."""

from events.codec import encode, stamp
from gateway.projections import balances, positions
from gateway.projections.balances import BALANCE, LEDGER
from gateway.projections.positions import ASSET_LINE, POSITION
from gateway.projections.projection import Place
from tests.messages import balances as funds
from tests.messages import orders
from tests.messages import positions as assets
from tests.messages.envelope import ACCOUNT, NOW, stamped

AT = Place(offset=7, time=NOW)
BUY = orders.place("buy", quantity=100, n=1)
SELL = orders.place("sell", quantity=40, n=2)
BOUGHT = stamped(orders.filled(BUY, 100, cost=600, fee=1))
SOLD = stamped(orders.filled(SELL, 40, cost=260, fee=1))
DEPOSITED = stamped(funds.deposited(funds.deposit(1_000), available=1_000))
RESERVED = stamped(funds.reserved(BUY, 620, available=380, held=620))
PAID = stamped(funds.settled(BOUGHT, available=380, held=19, hold_left=19))
RELEASED = stamped(funds.released(BUY, 19, available=399))
EARNED = stamped(funds.settled(SOLD, available=658, held=0))
WITHDRAWN = stamped(funds.withdrawn(funds.withdraw(58), available=600))
TOOK = stamped(assets.changed(BOUGHT, available=100, cost_basis=601))
HELD = stamped(assets.reserved(SELL, 40, available=60, held=40))
GAVE = stamped(assets.changed(SOLD, available=60, cost_basis=361, realized_pnl=18))


def test_the_balance_is_what_the_last_event_told() -> None:
    row = balances.balance(balances.balance(None, DEPOSITED, AT), RESERVED, Place(9, NOW))
    assert row == balances.BalanceRow(position=9, available=380, held=620, updated_at=NOW)
    assert BALANCE.decode(encode(row)) == row


def test_a_refusal_leaves_the_balance_as_it_was() -> None:
    refused = stamped(funds.refused(funds.withdraw(5), "command_expired"))
    row = balances.balance(None, DEPOSITED, AT)
    assert balances.balance(row, refused, AT) is row
    assert balances.balance(None, refused, AT) is None


def test_each_line_of_the_ledger_leads_to_the_next() -> None:
    events = (DEPOSITED, PAID, EARNED, WITHDRAWN)
    lines = [balances.line(None, event, AT) for event in events]
    assert [line.movement for line in lines] == ["deposit", "buy", "sell", "withdrawal"]
    assert [line.amount for line in lines] == [1_000, -601, 259, -58]
    total = 0
    for line in lines:
        total += line.amount
        assert line.balance_after == total
        assert LEDGER.decode(encode(line)) == line


def test_a_trade_s_line_names_order_and_asset() -> None:
    line = balances.line(None, PAID, AT)
    assert (line.asset_id, line.order_id, line.trade_id) == ("BTC", BUY.id, BOUGHT.id)
    assert balances.line(None, DEPOSITED, AT).order_id is None


def test_a_position_keeps_its_cost_while_a_part_is_held() -> None:
    later = stamp(HELD, occurred_at=NOW + 1)
    row = positions.position(positions.position(None, TOOK, AT), later, Place(9, NOW))
    assert row
    assert (row.available, row.held, row.cost_basis, row.position) == (60, 40, 601, 9)
    assert row.updated_at == NOW + 1
    sold = positions.position(row, GAVE, AT)
    assert sold
    assert (sold.available, sold.held, sold.cost_basis, sold.realized_pnl) == (60, 0, 361, 18)
    assert POSITION.decode(encode(sold)) == sold


def test_an_asset_never_held_is_no_position() -> None:
    assert positions.position(None, stamped(assets.assets_refused(SELL, 40)), AT) is None


def test_each_line_of_an_asset_leads_to_the_next() -> None:
    lines = [positions.line(None, event, AT) for event in (TOOK, GAVE)]
    assert [line.quantity for line in lines] == [100, -40]
    assert [line.quantity_after for line in lines] == [100, 60]
    assert positions.line(None, stamp(GAVE, held=5), AT).quantity_after == 65
    assert ASSET_LINE.decode(encode(lines[1])) == lines[1]
    assert positions.owner(TOOK) == f"{ACCOUNT}/BTC"
