"""An order filled in parts: balance and portfolio settle each part, and the books are right after each."""

from hypothesis import assume, given
from hypothesis import strategies as st

from events.market import Seen
from events.money import MAX_NOTIONAL
from events.order import PlaceOrder
from events.topics import BALANCE_EVENTS, ORDER_COMMANDS, ORDER_EVENTS, PORTFOLIO_EVENTS
from services.order.domain import ORDERS, fill
from services.portfolio.domain import Position
from tests.messages.balances import deposit
from tests.messages.drawn import Case, cases, collar, partitions
from tests.messages.envelope import ACCOUNT
from tests.messages.orders import place
from tests.services.exchange import Exchange


@given(case=cases(side="buy", by="quantity"), data=st.data())
def test_what_is_bought_and_sold_in_parts_leaves_no_remainder(
    case: Case, data: st.DataObject
) -> None:
    quantity, asset_id = case.order.quantity, case.asset.asset_id
    assert quantity
    exchange = Exchange()
    exchange.market = case.now.market
    exchange.submit(deposit(MAX_NOTIONAL))
    exchange.run(lambda _: 0)

    fill_in_parts(exchange, place("buy", asset_id, quantity=quantity, n=1), case, data)
    position, paid = holdings(exchange, asset_id)
    assert position == Position(available=quantity, cost_basis=paid)

    fill_in_parts(exchange, place("sell", asset_id, quantity=quantity, n=2), case, data)
    position, lost = holdings(exchange, asset_id)
    assert position == Position(realized_pnl=-lost)
    exchange.close()


def holdings(exchange: Exchange, asset_id: str) -> tuple[Position, int]:
    """Returns the position and the cents that are gone; nothing may still be held."""
    balance = exchange.balance.rows["balance", ACCOUNT]
    assert balance.held == 0
    return exchange.portfolio.rows["position", ACCOUNT, asset_id], MAX_NOTIONAL - balance.available


def fill_in_parts(exchange: Exchange, order: PlaceOrder, case: Case, data: st.DataObject) -> None:
    """Fills the order in several parts, each at a price inside its collar, settled before the next or not."""
    answers = BALANCE_EVENTS if order.side == "buy" else PORTFOLIO_EVENTS
    owner = exchange.balance if order.side == "buy" else exchange.portfolio
    exchange.submit(order)
    exchange.take(exchange.order, ORDER_COMMANDS.name)
    exchange.take(owner, ORDER_EVENTS.name)
    answer = exchange.log[answers.name][-1]
    assume(answer.type in ("funds_reserved", "assets_reserved"))
    exchange.order.positions[answers.name] = len(exchange.log[answers.name])
    leaves = order.quantity or 0
    for part in data.draw(partitions(leaves)):
        leaves -= part
        row = ORDERS.of(exchange.order.rows, order.account_id, order.id)
        assert row
        seen = Seen(data.draw(collar(case.price)), exchange.now, 7)
        exchange.write(exchange.order, fill(row, answer, seen, part, leaves), answer)
        if data.draw(st.booleans()):
            exchange.run(lambda _: 0)
    exchange.run(lambda _: 0)
