"""What holds for every order, asset and price that the types admit."""

from typing import Any

import pytest
from hypothesis import assume, event, given
from hypothesis import strategies as st

from events.balance import FundsRefused, FundsReserved
from events.codec import stamp
from events.market import Seen
from events.money import MAX_NOTIONAL, MIN_NOTIONAL, Side, fee, rounded
from events.order import OrderAccepted, OrderCanceled, OrderFilled, OrderRejected
from events.portfolio import AssetsRefused, AssetsReserved
from services.order.domain import FOLDS, ORDERS, decide, fill
from tests.messages.drawn import Case, any_cases, cases, collar, partitions, prices
from tests.messages.envelope import NOW
from tests.spec import History, Spec

order = Spec(decide, FOLDS)


def taken(case: Case) -> OrderAccepted:
    """Returns the order's acceptance; gives the example up if it has none."""
    [answer] = order.given().when(case.order, case.now)
    assume(isinstance(answer, OrderAccepted))
    assert isinstance(answer, OrderAccepted)
    return answer


def reserved(accepted: OrderAccepted) -> FundsReserved | AssetsReserved:
    """Returns its owner's yes."""
    if accepted.side == "buy":
        return FundsReserved(
            account_id=accepted.account_id,
            order_id=accepted.order_id,
            revision=accepted.revision,
            amount=accepted.hold,
            available=0,
            held=accepted.hold,
        )
    return AssetsReserved(
        account_id=accepted.account_id,
        order_id=accepted.order_id,
        asset_id=accepted.asset_id,
        revision=accepted.revision,
        quantity=accepted.hold,
        available=0,
        held=accepted.hold,
    )


@given(case=cases(side="buy", by="quantity"), data=st.data())
def test_a_hold_covers_every_fill_inside_the_collar(case: Case, data: st.DataObject) -> None:
    accepted = taken(case)
    price = data.draw(collar(case.price))
    [filled] = order.given(accepted).when(reserved(accepted), case.at(price))
    assert isinstance(filled, OrderFilled)
    assert filled.quantity == case.order.quantity
    assert filled.cost + filled.fee <= accepted.hold


@given(case=cases(side="buy", by="notional"), data=st.data())
def test_a_buy_by_notional_never_overspends_and_buys_the_most(
    case: Case, data: st.DataObject
) -> None:
    accepted = taken(case)
    price = data.draw(collar(case.price))
    [filled] = order.given(accepted).when(reserved(accepted), case.at(price))
    if isinstance(filled, OrderCanceled):
        assert filled.reason == "quantity_below_minimum"
        return
    assert isinstance(filled, OrderFilled)
    assert filled.cost + filled.fee <= accepted.hold == case.order.notional
    more = rounded("buy", (filled.quantity + 1) * price, case.one_cent)
    assert more + fee(more, accepted.fee_bps) > accepted.hold


@given(case=cases(side="sell", by="notional"))
def test_a_sell_by_notional_is_worth_at_most_that_and_the_most(case: Case) -> None:
    accepted = taken(case)
    assert accepted.quantity == accepted.hold
    assert accepted.notional is not None
    exact = accepted.notional * case.one_cent
    assert accepted.hold * case.price <= exact < (accepted.hold + 1) * case.price


@given(case=cases(side="sell"), data=st.data())
def test_the_proceeds_of_a_sale_pay_its_fee(case: Case, data: st.DataObject) -> None:
    accepted = taken(case)
    [filled] = order.given(accepted).when(
        reserved(accepted), case.at(data.draw(collar(case.price)))
    )
    assert isinstance(filled, OrderFilled)
    assert filled.quantity == accepted.hold
    assert filled.cost > filled.fee > 0


@given(case=cases(), data=st.data())
def test_fills_of_any_partition_pay_one_rounding(case: Case, data: st.DataObject) -> None:
    accepted = taken(case)
    history, yes = order.given(accepted), reserved(accepted)
    [whole] = history.when(yes, case.now)
    assume(isinstance(whole, OrderFilled))
    assert isinstance(whole, OrderFilled)
    parts = data.draw(partitions(whole.quantity))
    fills = fill_in(parts, [case.price] * len(parts), history, yes)
    assert sum(each.cost for each in fills) == whole.cost
    assert sum(each.fee for each in fills) == whole.fee


@given(case=cases(by="quantity"), data=st.data())
def test_fills_at_any_prices_inside_the_collar_add_up_and_keep_to_the_hold(
    case: Case, data: st.DataObject
) -> None:
    accepted = taken(case)
    assert accepted.quantity is not None
    parts = data.draw(partitions(accepted.quantity))
    paid = [data.draw(collar(case.price)) for _ in parts]
    fills = fill_in(parts, paid, order.given(accepted), reserved(accepted))
    exact = sum(part * price for part, price in zip(parts, paid, strict=True))
    cost = sum(each.cost for each in fills)
    assert cost == rounded(accepted.side, exact, case.one_cent)
    assert sum(each.fee for each in fills) == fee(cost, accepted.fee_bps)
    assert all(each.fee <= each.cost for each in fills)
    if accepted.side == "buy":
        assert cost + fee(cost, accepted.fee_bps) <= accepted.hold


def fill_in(parts: list[int], paid: list[int], history: History, yes: Any) -> list[OrderFilled]:
    """Returns the fills of an order that is filled in these parts at these prices."""
    fills: list[OrderFilled] = []
    leaves = sum(parts)
    for part, price in zip(parts, paid, strict=True):
        leaves -= part
        row = ORDERS.of(history.rows, yes.account_id, yes.order_id)
        assert row
        made = fill(row, yes, Seen(price, NOW, 7), part, leaves)
        assert isinstance(made, OrderFilled)
        history.take(made)
        fills.append(made)
    assert not history.rows
    assert [each.fill for each in fills] == list(range(1, len(fills) + 1))
    return fills


@given(case=any_cases() | cases())
def test_every_order_has_one_answer_that_repeats_its_terms(case: Case) -> None:
    [answer] = order.given().when(case.order, case.now)
    event(answer.type)
    assert isinstance(answer, OrderAccepted | OrderRejected)
    assert answer.order_id == case.order.id
    assert answer.fingerprint == case.order.fingerprint
    for name in ("asset_id", "side", "order_type", "notional", "limit_price", "stop_price"):
        assert getattr(answer, name) == getattr(case.order, name)


@given(case=cases())
def test_what_is_taken_is_worth_what_the_limits_say(case: Case) -> None:
    accepted = taken(case)
    value = accepted.notional
    if value is None:
        assert accepted.quantity is not None
        value = rounded(accepted.side, accepted.quantity * case.price, case.one_cent)
    assert MIN_NOTIONAL <= value <= MAX_NOTIONAL
    assert accepted.hold > 0


@given(case=cases(), age=st.integers(0, 20_000), data=st.data())
def test_an_answer_ends_its_order_whatever_the_price(
    case: Case, age: int, data: st.DataObject
) -> None:
    accepted = taken(case)
    history = order.given(accepted)
    moment = case.at(data.draw(collar(case.price) | prices))._replace(now=NOW + age)
    [end] = history.when(data.draw(answers(accepted)), moment)
    event(f"{end.type} {getattr(end, 'reason', '')}")
    assert isinstance(end, OrderFilled | OrderCanceled | OrderRejected)
    history.take(end)
    assert history.rows == {}
    assert history.when(reserved(accepted), moment) == []


def answers(accepted: OrderAccepted) -> st.SearchStrategy[Any]:
    """Returns the yes or the no of the owner of its hold."""
    yes = reserved(accepted)
    common: dict[str, Any] = {
        "account_id": yes.account_id,
        "order_id": yes.order_id,
        "revision": yes.revision,
        "reason": "insufficient_funds",
        "available": 0,
        "held": 0,
    }
    if accepted.side == "buy":
        return st.just(yes) | st.just(FundsRefused(**common, amount=accepted.hold))
    refused = AssetsRefused(**common, asset_id=accepted.asset_id, quantity=accepted.hold)
    return st.just(yes) | st.just(refused)


@pytest.mark.parametrize("side", ["buy", "sell"])
@given(case=cases(), revision=st.integers(2, 2**53 - 1))
def test_an_answer_to_another_revision_changes_nothing(
    side: Side, case: Case, revision: int
) -> None:
    accepted = taken(case)
    later = stamp(reserved(accepted), revision=revision)
    assert order.given(accepted).when(later, case.now) == []
