"""/balance, from outside."""

import pytest

from events.ids import event_id
from tests.gateway.backstage import Backstage

from .conftest import Customer, refusal


async def test_nothing_was_ever_deposited(customer: Customer) -> None:
    balance = await customer.get("/balance")
    assert balance.pop("as_of") == {"time": None, "position": ""}
    assert balance == {"currency": "USD", "available": "0.00", "held": "0.00", "total": "0.00"}


async def test_a_deposit_is_answered_with_its_line_and_in_the_balance(customer: Customer) -> None:
    line = await customer.deposit("12.50")
    assert line | {"id": None} == {
        "id": None,
        "type": "deposit",
        "status": "done",
        "amount": "12.50",
        "balance_after": "12.50",
        "asset_id": None,
        "order_id": None,
        "created_at": "2027-01-15T08:00:00.000Z",
    }
    assert (await customer.get("/balance"))["available"] == "12.50"
    assert (await customer.get("/balance/transactions"))["items"] == [line]


async def test_a_withdrawal_takes_from_the_balance(customer: Customer) -> None:
    await customer.deposit("12.50")
    answer = await customer.post("/balance/withdraw", {"amount": "12.49"})
    assert answer.status_code == 201
    assert answer.json()["type"] == "withdrawal"
    assert answer.json()["amount"] == "-12.49"
    assert answer.json()["balance_after"] == "0.01"


async def test_what_is_not_there_can_not_be_withdrawn(customer: Customer) -> None:
    await customer.deposit("12.50")
    answer = await customer.post("/balance/withdraw", {"amount": "12.51"})
    assert refusal(answer) == (422, "insufficient_funds")
    assert answer.headers.get_list("content-length") == [str(len(answer.content))]
    assert answer.json()["detail"] == "Needed 12.51, available 12.50."
    assert answer.json()["resource"]["status"] == "refused"
    assert answer.json()["resource"]["amount"] == "-12.51"
    assert (await customer.get("/balance"))["total"] == "12.50"
    assert len((await customer.get("/balance/transactions"))["items"]) == 1


async def test_a_balance_has_a_limit(customer: Customer) -> None:
    await customer.deposit("10000000.00")
    answer = await customer.post("/balance/deposit", {"amount": "0.01"})
    assert refusal(answer) == (422, "limit_exceeded")
    assert "detail" not in answer.json()


@pytest.mark.parametrize("path", ["/balance/deposit", "/balance/withdraw"])
@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ({}, ("#/amount", "required")),
        ({"amount": 1}, ("#/amount", "decimal_string")),
        ({"amount": None}, ("#/amount", "decimal_string")),
        ({"amount": "1e3"}, ("#/amount", "decimal_string")),
        ({"amount": "-1"}, ("#/amount", "decimal_string")),
        ({"amount": "0.00"}, ("#/amount", "not_positive")),
        ({"amount": "1.001"}, ("#/amount", "too_many_digits")),
        ({"amount": "90071992547409.92"}, ("#/amount", "too_large")),
        ({"amount": "1", "account_id": "x"}, ("#/account_id", "unknown_field")),
        ([], ("#", "invalid")),
    ],
)
async def test_bad_input_publishes_nothing(
    customer: Customer, backstage: Backstage, path: str, body: object, fault: tuple[str, str]
) -> None:
    answer = await customer.post(path, body)
    assert refusal(answer) == (422, "validation_failed")
    (found,) = answer.json()["errors"]
    assert (found["pointer"], found["code"]) == fault
    assert backstage.commands() == []


async def test_who_does_not_wait_is_told_what_shall_be(
    customer: Customer, backstage: Backstage
) -> None:
    answer = await customer.post(
        "/balance/deposit", {"amount": "5.00"}, Prefer="respond-async", X_Request_ID="request-17"
    )
    assert answer.status_code == 202
    assert answer.headers["preference-applied"] == "respond-async"
    assert answer.headers["location"] == "/api/v1/balance/transactions"
    pending = answer.json()
    assert (pending["status"], pending["amount"]) == ("pending", "5.00")
    assert pending["balance_after"] is None

    await backstage.settle()

    (line,) = (await customer.get("/balance/transactions"))["items"]
    assert line == pending | {"status": "done", "balance_after": "5.00"}
    (command,) = backstage.commands()
    assert line["id"] == event_id(command.id, command.account_id, "funds_deposited", 1)
    assert command.correlation_id == "request-17"


async def test_a_service_that_is_down_delays_the_outcome_only(
    customer: Customer, backstage: Backstage
) -> None:
    backstage.down.add(backstage.exchange.balance)
    answer = await customer.post("/balance/deposit", {"amount": "5.00"})
    assert answer.status_code == 202
    await backstage.resume()
    assert (await customer.get("/balance"))["total"] == "5.00"


async def test_no_answer_of_the_log_is_no_success(customer: Customer, backstage: Backstage) -> None:
    backstage.away = True
    answer = await customer.post("/balance/deposit", {"amount": "5.00"})
    assert refusal(answer) == (503, "log_unavailable")
    assert answer.headers["retry-after"] == "1"
    assert (await customer.get("/balance"))["total"] == "0.00"
