"""What becomes of an account's cents."""

import pytest

from events.balance import BalanceCommand
from events.decider import Context
from events.envelope import Event
from events.market import Market
from events.money import MAX_NOTIONAL
from events.order import OrderExpired
from events.reasons import Reason
from events.topics import DAY
from services.balance.domain import FOLDS, Day, decide, refuse
from tests.messages import orders
from tests.messages.balances import (
    TODAY,
    deposit,
    deposited,
    frozen,
    funds_refused,
    refused,
    released,
    reserved,
    settled,
    withdraw,
    withdrawn,
)
from tests.messages.envelope import ACCOUNT, OTHER_ACCOUNT, numbered, stamped
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


FREEZE, THAW = orders.frozen(orders.freeze()), orders.unfrozen(orders.unfreeze())
FROZEN = frozen(available=100_000)


def test_a_frozen_account_withdraws_nothing_until_it_is_thawed() -> None:
    thawed = frozen(available=100_000, yes=False)
    answer = refused(withdraw(1), Reason.ACCOUNT_FROZEN, available=100_000, held=0)
    assert balance.given(MONEY).when(FREEZE) == [FROZEN]
    assert balance.given(MONEY, FROZEN).when(withdraw(1)) == [answer]
    assert balance.given(MONEY, FROZEN).when(THAW) == [thawed]
    assert balance.given(MONEY, FROZEN, thawed).when(withdraw(1)) == [
        withdrawn(withdraw(1), available=99_999)
    ]


def test_a_frozen_account_takes_deposits_and_its_orders_run_on() -> None:
    more = deposit(5)
    still = balance.given(MONEY, HELD, frozen(available=38_738, held=61_262))
    assert still.when(more) == [deposited(more, available=38_743, held=61_262)]
    assert len(still.when(BOUGHT)) == 2


def test_an_account_without_money_can_be_frozen() -> None:
    assert balance.given().when(FREEZE) == [frozen(available=0)]


def test_what_is_frozen_already_is_not_frozen_again() -> None:
    assert balance.given(MONEY, FROZEN).when(FREEZE) == []
    assert balance.given(MONEY).when(THAW) == []
    assert balance.given(MONEY, FROZEN, frozen(available=9, yes=False)).rows == (
        balance.given(MONEY).rows
    )


def test_nothing_is_refused_before_the_account_is() -> None:
    answer = refused(withdraw(0), Reason.AMOUNT_NOT_POSITIVE, available=100_000, held=0)
    assert balance.given(MONEY, FROZEN).when(withdraw(0)) == [answer]


def at(now: int) -> Context:
    return Context(now, Market())


GIVEN, TAKEN = deposit(60, limit=100), withdraw(60, limit=100)
IN = deposited(GIVEN, available=100_060, used=60)
OUT = withdrawn(TAKEN, available=99_940, used=60)


def test_a_day_s_deposits_come_to_its_limit_at_most() -> None:
    rest, more = deposit(40, limit=100), deposit(41, limit=100)
    assert balance.given(MONEY).when(GIVEN) == [IN]
    assert balance.given(MONEY, IN).when(rest) == [deposited(rest, available=100_100, used=100)]
    assert balance.given(MONEY, IN).when(more) == [
        refused(more, Reason.LIMIT_EXCEEDED, available=100_060, held=0, used=60)
    ]


def test_a_day_s_withdrawals_come_to_its_limit_at_most() -> None:
    rest, more = withdraw(40, limit=100), withdraw(41, limit=100)
    assert balance.given(MONEY).when(TAKEN) == [OUT]
    assert balance.given(MONEY, OUT).when(rest) == [withdrawn(rest, available=99_900, used=100)]
    assert balance.given(MONEY, OUT).when(more) == [
        refused(more, Reason.LIMIT_EXCEEDED, available=99_940, held=0, used=60)
    ]


def test_what_came_in_does_not_count_as_going_out() -> None:
    both = withdrawn(TAKEN, available=100_000, used=60)
    assert balance.given(MONEY, IN).when(TAKEN) == [both]
    assert balance.given(MONEY, IN, both).rows["day", ACCOUNT] == Day(
        deposited=60, withdrawn=60, resets_at=TODAY
    )


def test_the_next_day_begins_at_midnight_utc() -> None:
    more = deposit(60, limit=100)
    last, first = at(TODAY - 1), at(TODAY)
    assert TODAY % DAY == 0
    assert balance.given(IN).when(more, last) == [
        refused(more, Reason.LIMIT_EXCEEDED, available=100_060, held=0, used=60)
    ]
    tomorrow = deposited(more, available=100_120, used=60, resets_at=TODAY + DAY)
    assert balance.given(IN).when(more, first) == [tomorrow]
    assert balance.given(MONEY, OUT, IN, tomorrow).rows["day", ACCOUNT] == Day(
        deposited=60, resets_at=TODAY + DAY
    )


def test_each_command_brings_its_own_limit() -> None:
    lower, higher = deposit(1, limit=60), deposit(1_000, limit=1_060)
    assert balance.given(IN).when(lower) == [
        refused(lower, Reason.LIMIT_EXCEEDED, available=100_060, held=0, used=60)
    ]
    assert balance.given(IN).when(higher) == [deposited(higher, available=101_060, used=1_060)]


def test_a_command_without_a_limit_is_not_counted() -> None:
    free = deposit(1_000)
    assert balance.given(IN).when(free) == [deposited(free, available=101_060)]
    assert balance.given(IN, deposited(free, available=101_060)).rows["day", ACCOUNT] == Day(
        deposited=60, resets_at=TODAY
    )
    assert ("day", ACCOUNT) not in balance.given(MONEY).rows


def test_a_limit_of_nothing_switches_deposits_off() -> None:
    more, out = deposit(1, limit=0), withdraw(1, limit=0)
    assert balance.given(MONEY).when(more) == [
        refused(more, Reason.DEPOSITS_DISABLED, available=100_000, held=0)
    ]
    assert balance.given(MONEY).when(out) == [
        refused(out, Reason.LIMIT_EXCEEDED, available=100_000, held=0, used=0)
    ]


def test_the_day_s_limit_is_told_before_the_balance_s() -> None:
    more = deposit(MAX_NOTIONAL, limit=MAX_NOTIONAL - 1)
    out = withdraw(100_001, limit=100_000)
    assert balance.given(MONEY).when(more) == [
        refused(more, Reason.LIMIT_EXCEEDED, available=100_000, held=0, used=0)
    ]
    assert balance.given(MONEY).when(out) == [
        refused(out, Reason.LIMIT_EXCEEDED, available=100_000, held=0, used=0)
    ]


def test_a_day_s_sum_may_be_taken_in_twice() -> None:
    assert balance.given(MONEY, IN, IN).rows == balance.given(MONEY, IN).rows
