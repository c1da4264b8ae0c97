"""What becomes of an account's cents."""

import pytest

from events.balance import BalanceCommand
from events.envelope import Event
from events.money import MAX_NOTIONAL
from events.order import OrderExpired
from events.reasons import Reason
from services.balance.domain import FOLDS, decide, refuse
from tests.messages.balances import (
    deposit,
    deposited,
    funds_refused,
    refused,
    released,
    reserved,
    settled,
    withdraw,
    withdrawn,
)
from tests.messages.envelope import OTHER_ACCOUNT, numbered, stamped
from tests.messages.orders import accepted, canceled, filled, place, rejected
from tests.spec import Spec

balance = Spec(decide, FOLDS)

MONEY = deposited(deposit(100_000), available=100_000)
BUY = place("buy", quantity=1_000_000)
HELD = reserved(BUY, 61_262, available=38_738, held=61_262)
BOUGHT = stamped(filled(BUY, 1_000_000, cost=60_000, fee=60))
SELL = place("sell", quantity=1_000_000, n=2)
SOLD = stamped(filled(SELL, 1_000_000, cost=60_000, fee=60))
EXPIRED = OrderExpired(
    account_id=BUY.account_id, order_id=BUY.id, side="buy", asset_id=BUY.asset_id
)


def test_a_deposit_is_available_at_once() -> None:
    more = deposit(5)
    assert balance.given().when(more) == [deposited(more, available=5)]
    assert balance.given(MONEY, HELD).when(more) == [deposited(more, available=38_743, held=61_262)]


def test_a_withdrawal_takes_what_is_available() -> None:
    all_of_it = withdraw(38_738)
    assert balance.given(MONEY, HELD).when(all_of_it) == [
        withdrawn(all_of_it, available=0, held=61_262)
    ]


def test_what_is_held_cannot_be_withdrawn() -> None:
    too_much = withdraw(38_739)
    answer = refused(too_much, Reason.INSUFFICIENT_FUNDS, available=38_738, held=61_262)
    assert balance.given(MONEY, HELD).when(too_much) == [answer]


@pytest.mark.parametrize("nothing", [deposit(0), withdraw(0)])
def test_nothing_is_neither_deposited_nor_withdrawn(nothing: BalanceCommand) -> None:
    answer = refused(nothing, Reason.AMOUNT_NOT_POSITIVE, available=100_000, held=0)
    assert balance.given(MONEY).when(nothing) == [answer]


def test_no_deposit_brings_the_total_above_the_limit() -> None:
    fitting, too_much = deposit(MAX_NOTIONAL - 100_000), deposit(MAX_NOTIONAL - 99_999)
    answer = refused(too_much, Reason.LIMIT_EXCEEDED, available=38_738, held=61_262)
    assert balance.given(MONEY, HELD).when(too_much) == [answer]
    assert balance.given(MONEY, HELD).when(fitting) == [
        deposited(fitting, available=MAX_NOTIONAL - 61_262, held=61_262)
    ]


def test_a_buy_has_its_hold_reserved() -> None:
    assert balance.given(MONEY).when(accepted(BUY, hold=61_262)) == [HELD]


def test_a_hold_that_is_all_there_is_can_be_had() -> None:
    everything = reserved(BUY, 100_000, available=0, held=100_000)
    assert balance.given(MONEY).when(accepted(BUY, hold=100_000)) == [everything]


def test_a_hold_beyond_what_is_available_is_refused() -> None:
    answer = funds_refused(BUY, 100_001, available=100_000)
    assert balance.given(MONEY).when(accepted(BUY, hold=100_001)) == [answer]
    assert balance.given().when(accepted(BUY, hold=1)) == [funds_refused(BUY, 1)]


def test_the_money_of_one_account_is_not_another_s() -> None:
    other = place("buy", quantity=1, account_id=OTHER_ACCOUNT)
    assert balance.given(MONEY).when(accepted(other, hold=1)) == [funds_refused(other, 1)]


def test_an_order_holds_once() -> None:
    assert balance.given(MONEY, HELD).when(accepted(BUY, hold=61_262)) == []


def test_a_sell_holds_no_money() -> None:
    assert balance.given(MONEY).when(accepted(SELL, hold=1_000_000)) == []


def test_the_last_fill_of_a_buy_settles_and_releases_the_rest() -> None:
    assert balance.given(MONEY, HELD).when(BOUGHT) == [
        settled(BOUGHT, available=38_738, held=1_202, hold_left=1_202),
        released(BUY, 1_202, available=39_940),
    ]


def test_a_fill_that_takes_the_whole_hold_leaves_nothing_to_release() -> None:
    exact = reserved(BUY, 60_060, available=39_940, held=60_060)
    assert balance.given(MONEY, exact).when(BOUGHT) == [settled(BOUGHT, available=39_940, held=0)]


def test_a_fill_that_is_not_the_last_keeps_the_rest_held() -> None:
    first = stamped(filled(BUY, 400_000, cost=24_000, fee=24, leaves=600_000))
    part = settled(first, available=38_738, held=37_238, hold_left=37_238)
    rest = stamped(filled(BUY, 600_000, cost=36_000, fee=36, fill=2))
    assert balance.given(MONEY, HELD).when(first) == [part]
    assert balance.given(MONEY, HELD, part).when(rest) == [
        settled(rest, available=38_738, held=1_202, hold_left=1_202),
        released(BUY, 1_202, available=39_940),
    ]


def test_a_sale_brings_its_proceeds_less_the_fee() -> None:
    assert balance.given(MONEY, HELD).when(SOLD) == [settled(SOLD, available=98_678, held=61_262)]


@pytest.mark.parametrize("over", [canceled(BUY, "x"), rejected(BUY, "x"), EXPIRED])
def test_an_order_that_is_over_gives_its_hold_back(over: Event) -> None:
    back = released(BUY, 61_262, available=100_000)
    assert balance.given(MONEY, HELD).when(over) == [back]
    assert balance.given(MONEY, HELD, back).when(over) == []
    assert balance.given(MONEY).when(over) == []


def test_a_fill_that_costs_more_than_was_held_stops_the_process() -> None:
    dear = stamped(filled(BUY, 1_000_000, cost=61_202, fee=61))
    with pytest.raises(AssertionError, match="costs more than its order holds"):
        balance.given(MONEY, HELD).when(dear)
    with pytest.raises(AssertionError, match=numbered(1)):
        balance.given(MONEY).when(BOUGHT)


def test_a_command_that_came_too_late_is_refused_unread() -> None:
    late, reason = withdraw(1), Reason.COMMAND_EXPIRED
    assert refuse(late, reason) == refused(late, reason)


def test_a_refusal_touches_no_row() -> None:
    refusals = (refused(withdraw(1), "x", available=9, held=9), funds_refused(BUY, 1, available=9))
    assert balance.given(MONEY, *refusals).rows == balance.given(MONEY).rows


def test_a_balance_event_may_be_taken_in_twice() -> None:
    part = settled(BOUGHT, available=38_738, held=1_202, hold_left=1_202)
    once = balance.given(MONEY, HELD, part).rows
    assert balance.given(MONEY, HELD, part, part).rows == once
