"""Orders on their whole way, and what happens when one overtakes another."""

from events.money import PRICE_MAX_AGE
from events.topics import (
    BALANCE_COMMANDS,
    BALANCE_EVENTS,
    ORDER_COMMANDS,
    ORDER_EVENTS,
    PORTFOLIO_EVENTS,
    TRADE_EVENTS,
)
from services.balance.domain import Balance
from services.portfolio.domain import Position
from tests.messages import balances, orders
from tests.messages.envelope import ACCOUNT
from tests.messages.markets import BTC
from tests.services.exchange import Exchange

BUY = orders.place("buy", quantity=1_000_000, n=2)
SELL = orders.place("sell", quantity=500_000, n=3)


def funded() -> Exchange:
    """Returns an exchange on which the account has 1,000.00 USD."""
    exchange = Exchange()
    exchange.submit(balances.deposit(100_000, n=1))
    exchange.close()
    return exchange


def balance(exchange: Exchange) -> Balance:
    row: Balance = exchange.balance.rows["balance", ACCOUNT]
    return row


def position(exchange: Exchange) -> Position:
    row: Position = exchange.portfolio.rows["position", ACCOUNT, "BTC"]
    return row


def types(exchange: Exchange) -> list[str]:
    """Returns what stands on the spine."""
    return [event.type for event in exchange.log[ORDER_EVENTS.name]]


def test_what_is_bought_and_sold_dearer_is_a_gain() -> None:
    exchange = funded()
    exchange.submit(BUY)
    exchange.close()
    assert balance(exchange) == Balance(available=39_940)
    assert position(exchange) == Position(available=1_000_000, cost_basis=60_060)

    exchange.tick(BTC=BTC.listing_price * 2)
    exchange.submit(SELL)
    exchange.close()
    assert balance(exchange) == Balance(available=99_880)
    assert position(exchange) == Position(available=500_000, cost_basis=30_030, realized_pnl=29_910)


def test_a_sell_taken_after_the_fill_finds_what_was_bought() -> None:
    exchange = funded()
    exchange.submit(BUY)
    exchange.take(exchange.order, ORDER_COMMANDS.name)
    exchange.take(exchange.balance, ORDER_EVENTS.name)
    exchange.take(exchange.order, BALANCE_EVENTS.name)
    exchange.submit(SELL)
    exchange.take(exchange.order, ORDER_COMMANDS.name)
    assert types(exchange) == ["order_accepted", "order_filled", "order_accepted"]
    exchange.close()
    assert types(exchange)[3:] == ["order_filled"]


def test_a_sell_taken_before_the_fill_is_refused_and_leaves_nothing() -> None:
    exchange = funded()
    exchange.submit(BUY)
    exchange.submit(SELL)
    exchange.take(exchange.order, ORDER_COMMANDS.name)
    exchange.take(exchange.order, ORDER_COMMANDS.name)
    exchange.close()
    assert sorted(types(exchange)[2:]) == ["order_filled", "order_rejected"]
    assert position(exchange) == Position(available=1_000_000, cost_basis=60_060)


def test_proceeds_can_be_withdrawn_once_they_are_settled() -> None:
    exchange = funded()
    exchange.submit(BUY)
    exchange.close()
    exchange.submit(SELL)
    early = balances.withdraw(69_910, n=4)
    exchange.submit(early)
    exchange.take(exchange.balance, BALANCE_COMMANDS.name)
    exchange.close()
    assert balance(exchange) == Balance(available=69_910)
    exchange.submit(balances.withdraw(69_910, n=5))
    exchange.close()
    assert balance(exchange) == Balance()


def test_an_order_that_waited_too_long_for_its_hold_gives_it_back() -> None:
    exchange = funded()
    exchange.submit(BUY)
    exchange.take(exchange.order, ORDER_COMMANDS.name)
    exchange.now += PRICE_MAX_AGE + 1
    exchange.close()
    assert types(exchange) == ["order_accepted", "order_canceled"]
    assert balance(exchange) == Balance(available=100_000)
    assert not exchange.log[PORTFOLIO_EVENTS.name]


def test_buys_that_race_for_the_same_money_get_it_once() -> None:
    exchange = funded()
    for n in range(2, 62):
        exchange.submit(orders.place("buy", "DOGE", notional=16_000, n=n))
    exchange.close()
    assert len(exchange.log[TRADE_EVENTS.name]) == 6
    assert 100_000 - 6 * 16_000 <= balance(exchange).available < 16_000
