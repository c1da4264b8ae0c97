"""An account frozen and thawed through the edge, and what its owner may do meanwhile."""

import httpx2
import pytest

from events.order import FreezeAccount, UnfreezeAccount
from events.topics import ORDER_COMMANDS
from gateway.deps import Parts
from gateway.edge import Taken
from gateway.projections.accounts import ACCOUNT, ONLY, AccountRow
from gateway.projections.outcomes import OrderOutcome
from gateway.repeats import Request
from gateway.waiting import STEERING
from infra.views.port import One
from tests.gateway.backstage import Backstage
from tests.gateway.conftest import ADA, Twins
from tests.gateway.routes.conftest import Customer, join, refusal
from tests.messages.orders import ADMIN, freeze, unfreeze

ORDER = {"asset_id": "BTC", "side": "buy", "notional": "10.00"}
Steer = FreezeAccount | UnfreezeAccount


@pytest.fixture
async def customer(client: httpx2.AsyncClient) -> Customer:
    customer = await join(client, ADA)
    await customer.deposit("100.00")
    return customer


@pytest.fixture
async def account(customer: Customer) -> str:
    answer: str = (await customer.get("/auth/me"))["id"]
    return answer


async def submit(parts: Parts, command: Steer, wait: int = 5) -> Taken[Steer]:
    request: Request[Steer] = Request(
        topic=ORDER_COMMANDS, command=command, matter=STEERING, ids=[command.id], wait=wait
    )
    return await parts.edge.submit(request)


async def shown(parts: Parts, account: str) -> AccountRow | None:
    _, row = await parts.view.read(account, One(ACCOUNT, ONLY))
    return row


async def test_who_is_frozen_neither_orders_nor_withdraws_until_thawed(
    parts: Parts, customer: Customer, account: str
) -> None:
    assert await shown(parts, account) is None
    taken = await submit(parts, freeze(account_id=account))
    assert taken.rows
    outcome: OrderOutcome = taken.rows[0]
    assert (outcome.status, outcome.reason, taken.replayed) == ("done", None, False)
    row = await shown(parts, account)
    assert row
    assert (row.frozen, row.reason, row.actor) == (True, "inquiry", ADMIN)

    frozen = (403, "account_frozen")
    assert refusal(await customer.post("/orders", ORDER)) == frozen
    assert refusal(await customer.post("/balance/withdraw", {"amount": "1.00"})) == frozen
    await customer.deposit("1.00")
    assert (await customer.get("/balance"))["total"] == "101.00"

    await submit(parts, unfreeze(n=3, account_id=account))
    row = await shown(parts, account)
    assert row
    assert not row.frozen
    await customer.order("buy", notional="10.00")
    assert (await customer.post("/balance/withdraw", {"amount": "1.00"})).status_code == 201


async def test_a_repeat_has_the_first_answer_also_when_only_the_history_knows_it(
    parts: Parts, account: str, twins: Twins
) -> None:
    command = freeze(account_id=account)
    first = await submit(parts, command)
    again = await submit(parts, command)
    assert again.replayed
    assert again.rows == first.rows
    await twins.backstage.live.show(ready=False)
    late = await submit(parts, command)
    assert late.rows
    assert first.rows
    assert late.rows[0] == first.rows[0]
    assert [c.type for c in twins.backstage.commands()].count("freeze_account") == 1


async def test_an_order_service_that_is_down_delays_the_outcome_only(
    parts: Parts, account: str, twins: Twins
) -> None:
    backstage: Backstage = twins.backstage
    backstage.down.add(backstage.exchange.order)
    taken = await submit(parts, freeze(account_id=account), wait=1)
    assert taken.rows is None
    await backstage.resume()
    row = await shown(parts, account)
    assert row
    assert row.frozen
