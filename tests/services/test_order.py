"""What becomes of an order: 0.01 BTC at 60,000.00 USD costs 600.00 and a fee of 0.60."""

import pytest

from events.codec import stamp
from events.envelope import SAFE_INTEGER, Event
from events.market import AssetListed
from events.money import HALT_DIVISOR, MAX_NOTIONAL, PRICE_MAX_AGE
from events.order import OrderCommand, OrderCommandRefused, PlaceOrder
from events.reasons import Reason
from services.order.domain import FOLDS, ORDERS, TERMS, Frozen, decide, refuse
from tests.messages import balances, positions
from tests.messages.envelope import NOW, OTHER_ACCOUNT, numbered
from tests.messages.markets import BTC, context, listed
from tests.messages.orders import (
    accepted,
    cancel,
    cancel_all,
    canceled,
    filled,
    freeze,
    frozen,
    place,
    refused,
    rejected,
    replace,
    unfreeze,
    unfrozen,
)
from tests.spec import Spec

order = Spec(decide, FOLDS)

BUY = place("buy", quantity=1_000_000)
BUY_ACCEPTED = accepted(BUY, hold=61_262)
BUY_RESERVED = balances.reserved(BUY, 61_262, available=0, held=61_262)
BUY_FILLED = filled(BUY, 1_000_000, cost=60_000, fee=60)

SELL = place("sell", quantity=1_000_000)
SELL_ACCEPTED = accepted(SELL, hold=1_000_000)
SELL_RESERVED = positions.reserved(SELL, 1_000_000, available=0, held=1_000_000)
SELL_FILLED = filled(SELL, 1_000_000, cost=60_000, fee=60)

SPEND = place("buy", notional=10_000)
SPEND_ACCEPTED = accepted(SPEND, hold=10_000)
SPEND_RESERVED = balances.reserved(SPEND, 10_000, available=0, held=10_000)


def test_a_buy_holds_what_it_may_cost_at_most() -> None:
    assert order.given().when(BUY) == [BUY_ACCEPTED]


def test_a_sell_holds_its_quantity() -> None:
    assert order.given().when(SELL) == [SELL_ACCEPTED]


def test_a_buy_by_notional_holds_it() -> None:
    assert order.given().when(SPEND) == [SPEND_ACCEPTED]


def test_a_sell_by_notional_has_its_quantity_from_its_acceptance_on() -> None:
    sell = place("sell", notional=10_001)
    assert order.given().when(sell) == [accepted(sell, hold=166_683, quantity=166_683)]


def test_an_order_that_is_open_is_not_taken_twice() -> None:
    assert order.given(BUY_ACCEPTED).when(BUY) == []


def test_a_hold_fills_the_order_at_the_price_of_the_moment() -> None:
    assert order.given(BUY_ACCEPTED).when(BUY_RESERVED) == [BUY_FILLED]
    assert order.given(SELL_ACCEPTED).when(SELL_RESERVED) == [SELL_FILLED]


def test_a_buy_by_notional_gets_the_most_that_it_pays_for() -> None:
    # 166,500 units cost 99.90 USD and a fee of 0.10; one more unit would cost 99.91.
    bought = filled(SPEND, 166_500, cost=9_990, fee=10)
    assert order.given(SPEND_ACCEPTED).when(SPEND_RESERVED) == [bought]


def test_a_filled_order_knows_the_price_it_was_filled_at() -> None:
    dearer = filled(BUY, 1_000_000, price=6_120_000, cost=61_200, fee=62)
    assert order.given(BUY_ACCEPTED).when(BUY_RESERVED, context(BTC=6_120_000)) == [dearer]


@pytest.mark.parametrize("price", [6_120_001, 5_879_999])
def test_a_price_beyond_the_collar_cancels(price: int) -> None:
    moved, reason = context(BTC=price), Reason.PRICE_LEFT_COLLAR
    assert order.given(BUY_ACCEPTED).when(BUY_RESERVED, moved) == [canceled(BUY, reason)]
    assert order.given(SELL_ACCEPTED).when(SELL_RESERVED, moved) == [canceled(SELL, reason)]
    assert order.given(SPEND_ACCEPTED).when(SPEND_RESERVED, moved) == [canceled(SPEND, reason)]


def test_a_stale_price_takes_and_fills_nothing() -> None:
    late, reason = context(age=PRICE_MAX_AGE + 1), Reason.PRICE_STALE
    assert order.given().when(BUY, late) == [rejected(BUY, reason)]
    assert order.given(BUY_ACCEPTED).when(BUY_RESERVED, late) == [canceled(BUY, reason)]


def test_a_price_that_is_not_yet_stale_does() -> None:
    late = context(age=PRICE_MAX_AGE)
    assert order.given().when(BUY, late) == [BUY_ACCEPTED]
    assert order.given(BUY_ACCEPTED).when(BUY_RESERVED, late) == [BUY_FILLED]


@pytest.mark.parametrize(
    ("asset", "price"),
    [
        (stamp(BTC, tradable=False), BTC.listing_price),
        (BTC, BTC.listing_price // HALT_DIVISOR - 1),
    ],
)
def test_a_halted_asset_is_neither_ordered_nor_filled(asset: AssetListed, price: int) -> None:
    halted, reason = context(asset, BTC=price), Reason.ASSET_HALTED
    assert order.given().when(BUY, halted) == [rejected(BUY, reason)]
    assert order.given(BUY_ACCEPTED).when(BUY_RESERVED, halted) == [canceled(BUY, reason)]


def test_a_buy_by_notional_that_buys_too_little_at_the_fill_is_canceled() -> None:
    coarser = context(stamp(BTC, min_quantity=166_501))
    told = [canceled(SPEND, Reason.QUANTITY_BELOW_MINIMUM)]
    assert order.given(SPEND_ACCEPTED).when(SPEND_RESERVED, coarser) == told


def test_a_buy_by_notional_that_buys_just_enough_is_filled() -> None:
    bought = filled(SPEND, 166_500, cost=9_990, fee=10)
    coarse = context(stamp(BTC, min_quantity=166_500))
    assert order.given(SPEND_ACCEPTED).when(SPEND_RESERVED, coarse) == [bought]


def test_an_open_order_keeps_every_term_of_its_acceptance() -> None:
    terms = {"notional": 62_000, "limit_price": 6_000_002, "stop_price": 5_999_998}
    taken = stamp(BUY_ACCEPTED, **terms, time_in_force="gtd", expires_at=NOW + 60_000)
    row = ORDERS.of(order.given(taken).rows, BUY.account_id, BUY.id)
    counted = ("price", "scale", "price_scale", "fee_bps", "collar_bps", "hold", "revision")
    kept = (*TERMS, *counted, "expires_at", "fingerprint")
    assert [getattr(row, name) for name in kept] == [getattr(taken, name) for name in kept]


def test_a_minimum_raised_since_it_was_taken_stops_no_order_by_quantity() -> None:
    coarser = context(stamp(BTC, min_quantity=1_000_001))
    assert order.given(BUY_ACCEPTED).when(BUY_RESERVED, coarser) == [BUY_FILLED]


def test_an_order_without_its_hold_is_rejected_on_its_own_terms() -> None:
    poor = balances.funds_refused(BUY, 61_262)
    empty = positions.assets_refused(SELL, 1_000_000)
    assert order.given(BUY_ACCEPTED).when(poor) == [rejected(BUY, Reason.INSUFFICIENT_FUNDS)]
    assert order.given(SELL_ACCEPTED).when(empty) == [rejected(SELL, Reason.INSUFFICIENT_ASSETS)]


@pytest.mark.parametrize("over", [BUY_FILLED, canceled(BUY, "x"), rejected(BUY, "x")])
def test_an_answer_to_a_closed_order_changes_nothing(over: Event) -> None:
    assert order.given(BUY_ACCEPTED, over).when(BUY_RESERVED) == []


def test_an_answer_to_another_revision_changes_nothing() -> None:
    answer = balances.reserved(BUY, 61_262, available=0, held=61_262, revision=2)
    assert order.given(BUY_ACCEPTED).when(answer) == []


def test_an_answer_from_who_does_not_own_the_hold_changes_nothing() -> None:
    assert order.given(BUY_ACCEPTED).when(SELL_RESERVED) == []
    assert order.given(SELL_ACCEPTED).when(BUY_RESERVED) == []


def test_a_fill_counts_on_from_the_fills_before_it() -> None:
    first = filled(BUY, 333_333, cost=20_000, fee=20, leaves=666_667)
    # 20,000 of the first is 19,999.98 rounded up: the second pays what the whole comes to.
    second = filled(BUY, 666_667, cost=40_000, fee=40, fill=2)
    assert order.given(BUY_ACCEPTED, first).when(BUY_RESERVED) == [second]


def test_a_fill_by_notional_spends_what_the_fills_before_it_left() -> None:
    half = filled(SPEND, 83_250, cost=4_995, fee=5, leaves=1)
    rest = filled(SPEND, 83_250, cost=4_995, fee=5, fill=2)
    assert order.given(SPEND_ACCEPTED, half).when(SPEND_RESERVED) == [rest]


def test_money_that_moves_otherwise_is_not_its_business() -> None:
    deposited = balances.deposited(balances.deposit(1), available=1)
    settled = positions.changed(stamp(BUY_FILLED, id=numbered(9)), available=1, cost_basis=1)
    assert order.given(BUY_ACCEPTED).when(deposited) == []
    assert order.given(BUY_ACCEPTED).when(settled) == []


REFUSED = [
    (place("buy"), Reason.ORDER_MALFORMED),
    (place("buy", quantity=1, notional=1), Reason.ORDER_MALFORMED),
    (place("buy", quantity=1, limit_price=1), Reason.ORDER_MALFORMED),
    (
        place("buy", quantity=1, order_type="limit", limit_price=1),
        Reason.ORDER_TYPE_UNSUPPORTED,
    ),
    (place("buy", "NOPE", quantity=1), Reason.ASSET_UNKNOWN),
    (place("buy", "USD", quantity=1), Reason.ASSET_UNKNOWN),
    (place("buy", quantity=0), Reason.QUANTITY_BELOW_MINIMUM),
    (place("buy", quantity=9), Reason.QUANTITY_BELOW_MINIMUM),
    (place("buy", notional=0), Reason.QUANTITY_BELOW_MINIMUM),
    (place("sell", notional=0), Reason.QUANTITY_BELOW_MINIMUM),
    (place("buy", quantity=1_650), Reason.NOTIONAL_BELOW_MINIMUM),
    (place("sell", quantity=1_666), Reason.NOTIONAL_BELOW_MINIMUM),
    (place("buy", notional=99), Reason.NOTIONAL_BELOW_MINIMUM),
    (place("sell", notional=99), Reason.NOTIONAL_BELOW_MINIMUM),
    (place("buy", notional=MAX_NOTIONAL + 1), Reason.LIMIT_EXCEEDED),
    (place("sell", notional=MAX_NOTIONAL + 1), Reason.LIMIT_EXCEEDED),
    (place("buy", notional=501, notional_limit=500), Reason.LIMIT_EXCEEDED),
    (place("sell", notional=501, notional_limit=500), Reason.LIMIT_EXCEEDED),
    (place("buy", quantity=16_666_666_667), Reason.LIMIT_EXCEEDED),
    (place("sell", quantity=SAFE_INTEGER - 1), Reason.LIMIT_EXCEEDED),
]


@pytest.mark.parametrize(("command", "reason"), REFUSED)
def test_an_order_out_of_bounds_is_rejected(command: PlaceOrder, reason: Reason) -> None:
    assert order.given().when(command) == [rejected(command, reason)]


@pytest.mark.parametrize(
    ("command", "hold"),
    [
        (place("buy", quantity=1_667), 104),
        (place("sell", quantity=1_667), 1_667),
        (place("buy", notional=100), 100),
        (place("buy", notional=MAX_NOTIONAL), MAX_NOTIONAL),
        (place("buy", notional=500, notional_limit=500), 500),
        (place("buy", notional=MAX_NOTIONAL, notional_limit=2 * MAX_NOTIONAL), MAX_NOTIONAL),
    ],
)
def test_an_order_at_its_bounds_is_taken(command: PlaceOrder, hold: int) -> None:
    assert order.given().when(command) == [accepted(command, hold)]


def test_a_quantity_at_its_minimum_is_taken() -> None:
    coarse = context(stamp(BTC, min_quantity=1_667))
    assert order.given().when(place("sell", quantity=1_667), coarse) == [
        accepted(place("sell", quantity=1_667), 1_667)
    ]


def test_a_notional_that_might_buy_more_than_an_integer_holds_is_rejected() -> None:
    dust = 99 * 10**24 // (SAFE_INTEGER - 1) + 1  # 0.99 USD buy as much as fits, 2 % less don't
    listing = listed("DUST", scale=8, price_scale=18, price=dust, least=1)
    buy = place("buy", "DUST", notional=100)
    assert order.given().when(buy, context(listing)) == [rejected(buy, Reason.LIMIT_EXCEEDED)]


def test_an_asset_without_a_price_is_not_ordered() -> None:
    silent = context(BTC)
    silent.market.prices.clear()
    assert order.given().when(BUY, silent) == [rejected(BUY, Reason.PRICE_STALE)]


COMMANDS = [
    (cancel(), numbered(1)),
    (replace(), numbered(1)),
    (cancel_all(), None),
]


@pytest.mark.parametrize(("command", "order_id"), COMMANDS)
def test_what_this_release_does_not_do_it_refuses(
    command: OrderCommand, order_id: str | None
) -> None:
    answer = refused(command, Reason.COMMAND_UNSUPPORTED, order_id=order_id)
    assert order.given(BUY_ACCEPTED).when(command) == [answer]


def test_a_refusal_names_no_order_that_the_command_did_not_name() -> None:
    assert refuse(BUY, Reason.COMMAND_EXPIRED) == refused(BUY, Reason.COMMAND_EXPIRED)


FROZEN = frozen(freeze())
THAWED = unfrozen(unfreeze(n=3))


def test_a_frozen_account_places_no_order() -> None:
    assert order.given(FROZEN).when(BUY) == [rejected(BUY, Reason.ACCOUNT_FROZEN)]
    assert order.given(FROZEN, THAWED).when(BUY) == [BUY_ACCEPTED]


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (place("buy"), Reason.ORDER_MALFORMED),
        (place("buy", quantity=1, order_type="limit"), Reason.ORDER_TYPE_UNSUPPORTED),
        (place("buy", "NOPE", quantity=1), Reason.ACCOUNT_FROZEN),
    ],
)
def test_what_is_wrong_with_the_order_itself_comes_first(
    command: PlaceOrder, reason: Reason
) -> None:
    assert order.given(FROZEN).when(command) == [rejected(command, reason)]


def test_a_frozen_account_replaces_no_order() -> None:
    [answer] = order.given(BUY_ACCEPTED, FROZEN).when(replace())
    assert isinstance(answer, OrderCommandRefused)


@pytest.mark.parametrize("command", [cancel(), cancel_all()])
def test_a_frozen_account_cancels_as_any_other(command: OrderCommand) -> None:
    assert order.given(BUY_ACCEPTED, FROZEN).when(command) == order.given(BUY_ACCEPTED).when(
        command
    )


def test_an_order_accepted_before_runs_on() -> None:
    assert order.given(BUY_ACCEPTED, FROZEN).when(BUY_RESERVED) == [BUY_FILLED]


def test_the_orders_of_one_account_are_not_frozen_with_another_s() -> None:
    other = place("buy", quantity=1_000_000, account_id=OTHER_ACCOUNT)
    assert order.given(FROZEN).when(other) == [accepted(other, hold=61_262)]


def test_each_act_stands_in_the_log_with_its_reason_and_its_actor() -> None:
    again = freeze(n=4, reason="court_order", actor=None)
    assert order.given().when(freeze()) == [FROZEN]
    assert order.given(FROZEN).when(again) == [frozen(again)]
    assert order.given(FROZEN).when(unfreeze(n=3)) == [THAWED]
    assert order.given().when(unfreeze(n=3)) == [THAWED]


def test_an_account_that_is_not_frozen_has_no_row() -> None:
    again = frozen(freeze(n=4, reason="court_order"))
    assert order.given(FROZEN, again).rows == {
        ("account", BUY.account_id): Frozen(reason="court_order")
    }
    assert order.given(FROZEN, again, THAWED).rows == {}
