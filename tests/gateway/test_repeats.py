"""A command that a client repeats takes effect once, whatever was lost between the tries."""

import asyncio
from typing import Any

import pytest

from gateway.projections.outcomes import AGE
from infra.shell.repeats import WINDOW
from infra.stores.idempotency import LIFE
from tests.gateway.conftest import Twins

from .routes.conftest import Customer, backstage, customer, other, refusal

__all__ = ["backstage", "customer", "other"]

DEPOSIT = {"amount": "1000.00"}
BUY = {"asset_id": "BTC", "side": "buy", "quantity": "0.01"}
KEY = {"Idempotency_Key": "key-1"}


def untold(body: dict[str, Any]) -> dict[str, Any]:
    """Returns an answer without the moment of the log that it shows."""
    return body | {"as_of": None}


async def pass_time(customer: Customer, twins: Twins, ms: int) -> None:
    """Moves the clock on; whoever was logged in logs in again."""
    twins.clock.ms += ms
    await customer.log_in()


async def test_the_same_key_gives_the_same_answer(customer: Customer, twins: Twins) -> None:
    first = await customer.post("/balance/deposit", DEPOSIT, **KEY)
    again = await customer.post("/balance/deposit", DEPOSIT, **KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.json() == first.json()
    assert "idempotency-replayed" not in first.headers
    assert again.headers["idempotency-replayed"] == "true"
    assert len(twins.backstage.commands()) == 1


async def test_a_client_order_id_is_a_name_too(customer: Customer, twins: Twins) -> None:
    await customer.post("/balance/deposit", DEPOSIT)
    named = BUY | {"client_order_id": "one"}
    first, again = [await customer.post("/orders", named) for _ in range(2)]
    assert untold(again.json()) == untold(first.json())
    assert again.headers["idempotency-replayed"] == "true"
    assert len(twins.backstage.commands()) == 2


async def test_a_refusal_is_repeated_too(customer: Customer) -> None:
    first, again = [await customer.post("/orders", BUY, **KEY) for _ in range(2)]
    assert refusal(first) == refusal(again) == (422, "insufficient_funds")
    assert untold(first.json()["resource"]) == untold(again.json()["resource"])
    assert again.headers["idempotency-replayed"] == "true"


async def test_spelling_makes_no_other_request(customer: Customer, twins: Twins) -> None:
    await customer.post("/balance/deposit", {"amount": "5.0"}, **KEY)
    again = await customer.post("/balance/deposit/", {"amount": "5.00"}, **KEY, Prefer="wait=9")
    assert again.headers["idempotency-replayed"] == "true"
    assert len(twins.backstage.commands()) == 1


async def test_the_two_kinds_of_names_are_apart(customer: Customer, twins: Twins) -> None:
    await customer.post("/balance/deposit", {"amount": "2000.00"}, Idempotency_Key="one")
    by_name = await customer.post("/orders", BUY | {"client_order_id": "one"})
    by_key = await customer.post("/orders", BUY, Idempotency_Key="two")
    assert by_name.json()["id"] != by_key.json()["id"]
    assert len(twins.backstage.commands()) == 3


async def test_of_two_names_each_holds(customer: Customer) -> None:
    await customer.post("/balance/deposit", DEPOSIT)
    named = BUY | {"client_order_id": "one"}
    first = await customer.post("/orders", named, **KEY)
    assert untold((await customer.post("/orders", named)).json()) == untold(first.json())
    other_name = await customer.post("/orders", BUY | {"client_order_id": "two"}, **KEY)
    assert refusal(other_name) == (422, "idempotency_conflict")


async def test_an_answer_that_the_log_lost_is_found_again(customer: Customer, twins: Twins) -> None:
    twins.backstage.mute = True
    lost = await customer.post("/balance/deposit", DEPOSIT, **KEY)
    assert refusal(lost) == (503, "log_unavailable")
    twins.backstage.mute = False
    again = await customer.post("/balance/deposit", DEPOSIT, **KEY)
    assert again.status_code == 201
    assert (await customer.get("/balance"))["total"] == "1000.00"
    assert {command.id for command in twins.backstage.commands()} == {
        twins.backstage.commands()[0].id
    }


async def test_a_try_that_never_came_to_the_log_is_made_good(
    customer: Customer, twins: Twins
) -> None:
    twins.backstage.away = True
    assert refusal(await customer.post("/balance/deposit", DEPOSIT, **KEY))[0] == 503
    twins.backstage.away = False
    started = twins.clock.ms
    twins.clock.ms += 60_000
    assert (await customer.post("/balance/deposit", DEPOSIT, **KEY)).status_code == 201
    (command,) = twins.backstage.commands()
    assert (command.created_at, command.occurred_at) == (started, started)


async def test_a_try_that_would_now_come_too_late_is_begun_anew(
    customer: Customer, twins: Twins
) -> None:
    twins.backstage.away = True
    await customer.post("/balance/deposit", DEPOSIT, **KEY)
    twins.backstage.away = False
    await pass_time(customer, twins, WINDOW)
    assert (await customer.post("/balance/deposit", DEPOSIT, **KEY)).status_code == 201


async def test_a_command_that_came_too_late_is_refused_for_ever(
    customer: Customer, twins: Twins
) -> None:
    twins.backstage.slow = WINDOW + 1
    first = await customer.post("/orders", BUY, **KEY)
    twins.backstage.slow = 0
    for answer in (first, await customer.post("/orders", BUY, **KEY)):
        assert refusal(answer) == (422, "command_expired")
        assert answer.json()["resource"]["status"] == "rejected"


async def test_a_lost_record_is_no_second_effect(customer: Customer, twins: Twins) -> None:
    first = await customer.post("/balance/deposit", DEPOSIT, **KEY)
    twins.tries.rows.clear()
    again = await customer.post("/balance/deposit", DEPOSIT, **KEY)
    assert again.json() == first.json()
    assert again.headers["idempotency-replayed"] == "true"
    assert len(twins.backstage.commands()) == 1


async def test_a_name_holds_when_all_but_the_history_has_forgotten(
    customer: Customer, twins: Twins
) -> None:
    await customer.post("/balance/deposit", DEPOSIT)
    named = BUY | {"client_order_id": "one"}
    first = await customer.post("/orders", named)
    await pass_time(customer, twins, max(LIFE, AGE) + 1)
    twins.backstage.tick(BTC=7_000_000)
    await customer.post("/orders", BUY)  # the live view drops what is over for long
    again = await customer.post("/orders", named)
    assert again.status_code == 201
    assert untold(again.json()) == untold(first.json())
    assert len(twins.backstage.commands()) == 3


async def test_nothing_is_taken_under_a_name_while_the_history_can_not_say(
    customer: Customer, twins: Twins
) -> None:
    twins.backstage.history.away = True
    answer = await customer.post("/balance/deposit", DEPOSIT, **KEY)
    assert refusal(answer) == (503, "dependency_unavailable")
    assert twins.backstage.commands() == []
    twins.backstage.history.away = False
    assert (await customer.post("/balance/deposit", DEPOSIT, **KEY)).status_code == 201


async def test_of_a_new_name_the_history_is_not_asked(customer: Customer, twins: Twins) -> None:
    await customer.post("/balance/deposit", DEPOSIT)
    twins.backstage.history.away = True
    named = BUY | {"client_order_id": "one"}
    assert (await customer.post("/orders", named, **KEY)).status_code == 201
    twins.tries.rows.clear()
    known = [
        await customer.post("/orders", named),
        await customer.post("/orders", named, **KEY),
    ]
    assert {refusal(answer) for answer in known} == {(503, "dependency_unavailable")}
    assert len(twins.backstage.commands()) == 2


@pytest.mark.parametrize("fault", ["away", "rebuilt", "quiet"])
async def test_the_history_is_asked_when_the_live_view_can_not_say(
    customer: Customer, twins: Twins, fault: str
) -> None:
    await customer.post("/balance/deposit", DEPOSIT)
    live, history = twins.backstage.live, twins.backstage.history
    if fault == "rebuilt":
        await live.show(ready=False)
    live.away, history.away = fault == "away", True
    await pass_time(customer, twins, WINDOW + 1 if fault == "quiet" else 0)
    named = BUY | {"client_order_id": "one"}
    assert refusal(await customer.post("/orders", named)) == (503, "dependency_unavailable")
    assert len(twins.backstage.commands()) == 1


async def test_a_history_that_does_not_answer_is_given_up(customer: Customer, twins: Twins) -> None:
    twins.backstage.history.silent = True
    async with asyncio.timeout(2):
        answer = await customer.post("/balance/deposit", DEPOSIT, **KEY)
    assert refusal(answer) == (503, "dependency_unavailable")
    assert twins.backstage.commands() == []


async def test_a_history_that_lags_too_far_can_not_say(customer: Customer, twins: Twins) -> None:
    await customer.post("/balance/deposit", DEPOSIT)
    twins.backstage.history.late = True
    await customer.post("/balance/deposit", DEPOSIT)
    await pass_time(customer, twins, WINDOW + 1)
    answer = await customer.post("/balance/deposit", DEPOSIT, **KEY)
    assert refusal(answer) == (503, "view_behind")
    await twins.backstage.resume()
    assert (await customer.post("/balance/deposit", DEPOSIT, **KEY)).status_code == 201


async def test_a_quiet_history_does_not_lag(customer: Customer, twins: Twins) -> None:
    await customer.post("/balance/deposit", DEPOSIT)
    await pass_time(customer, twins, 10 * WINDOW)
    assert (await customer.post("/balance/deposit", DEPOSIT, **KEY)).status_code == 201


async def test_without_the_store_of_tries_only_the_unnamed_are_taken(
    customer: Customer, twins: Twins
) -> None:
    twins.tries.away = True
    answer = await customer.post("/balance/deposit", DEPOSIT, **KEY)
    assert refusal(answer) == (503, "dependency_unavailable")
    assert (await customer.post("/balance/deposit", DEPOSIT)).status_code == 201
    assert len(twins.backstage.commands()) == 1
