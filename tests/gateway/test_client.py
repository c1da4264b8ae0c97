"""The client on a bad line to the edge: what is sent again, under which name, with which tokens."""

import asyncio
from decimal import Decimal

import httpx2
import pytest

from gateway.auth import LEEWAY, TOKEN_LIFE
from ops.client.asking import LONGEST_PAUSE, Wire, again
from ops.client.client import Client
from ops.client.errors import NoAnswer, Problem
from ops.client.tokens import EARLY, InMemory

from .conftest import Clock, Twins
from .line import EMAIL, NAME, PASSWORD, Line, Trouble, ada, line

__all__ = ["ada", "line"]


@pytest.mark.parametrize("trouble", ["unreachable", "lost", 502, 503, 429])
async def test_a_command_on_a_bad_line_is_done_once(
    ada: Client, line: Line, trouble: Trouble
) -> None:
    line.troubles = [trouble, trouble]
    answer = await ada.withdraw("100.00")
    assert (answer.resource.status, answer.pending) == ("done", False)
    assert answer.replayed == (trouble == "lost")
    assert {request.headers["idempotency-key"] for request in line.sent} == {answer.key}
    assert len(line.sent) == 3
    assert (await ada.balance()).total == "900.00"


async def test_an_order_goes_from_its_preview_to_the_portfolio(ada: Client) -> None:
    assert (await ada.preview("BTC", "buy", quantity="0.01")).cost == "600.00"
    order = await (await ada.place_order("BTC", "buy", quantity=Decimal("1E-2"))).wait()
    assert (order.status, order.average_price) == ("filled", "60000.00")
    assert (await ada.order(order.id)).cost == order.cost
    steps = (await ada.timeline(order.id)).steps
    assert (steps[0].type, len(steps)) == ("place_order", 7)
    assert [trade.order_id async for trade in ada.trades()] == [order.id]
    assert [holding.quantity for holding in (await ada.holdings()).items] == ["0.01000000"]
    assert (await ada.portfolio()).total_value == "999.40"
    assert [one.type async for one in ada.transactions()] == ["buy", "deposit"]
    assert (await ada.asset("BTC")).price == "60000.00"
    assert (await ada.me()).username == NAME


async def test_a_list_is_followed_to_its_end(ada: Client, line: Line) -> None:
    for _ in range(51):
        await ada.deposit("1.00")
    line.sent.clear()
    found = [one.id async for one in ada.transactions(kind="deposit")]
    assert len(set(found)) == len(found) == 52
    assert len(line.sent) == 2


async def test_a_pending_command_is_waited_for(ada: Client, twins: Twins) -> None:
    twins.backstage.down = {twins.backstage.exchange.order}
    answer = await ada.place_order("BTC", "buy", quantity="0.01", wait=0)
    assert (answer.pending, answer.resource.status) == (True, "pending_new")
    with pytest.raises(NoAnswer, match=answer.key):
        await answer.wait(0)
    waiting = asyncio.create_task(answer.wait())
    await twins.backstage.resume()
    assert (await waiting).status == "filled"


async def test_a_refusal_says_all_that_the_edge_said(ada: Client) -> None:
    with pytest.raises(Problem) as refused:
        await ada.withdraw("2000.00")
    problem = refused.value
    assert (problem.status, problem.code) == (422, "insufficient_funds")
    assert problem.resource
    assert problem.resource["status"] == "refused"
    said = "Needed 2000.00, available 1000.00. (422 insufficient_funds, request"
    assert str(problem) == f"{said} {problem.request_id})"
    with pytest.raises(Problem, match="#/amount"):
        await ada.withdraw("1e3")


async def test_tokens_are_renewed_in_time_and_by_one_alone(
    ada: Client, line: Line, clock: Clock
) -> None:
    clock.ms += (TOKEN_LIFE - EARLY) * 1000
    await ada.balance()
    assert line.paths() == ["/balance"]
    clock.ms += 1
    await asyncio.gather(*(ada.balance() for _ in range(5)))
    assert line.paths() == ["/auth/refresh", *["/balance"] * 5]


async def test_a_token_that_the_edge_finds_expired_is_renewed(
    line: Line, ada: Client, clock: Clock
) -> None:
    late = Client("", http=ada._http, keeper=ada.session.keeper, now=lambda: 0)
    clock.ms += (TOKEN_LIFE + LEEWAY + 1) * 1000
    assert (await late.balance()).total == "1000.00"
    assert line.paths() == ["/balance", "/auth/refresh", "/balance"]


async def test_who_loses_the_race_for_new_tokens_takes_the_winner_s(
    ada: Client, line: Line
) -> None:
    held = InMemory()  # another process has the next tokens already, and saves them a moment later
    held.save(ada.session.keeper.load())
    slow = Client("", http=ada._http, keeper=held)
    await ada.refresh()
    renewing = asyncio.create_task(slow.refresh())
    await line.told_no.wait()
    held.save(ada.session.keeper.load())
    await renewing
    assert (await slow.balance()).total == "1000.00"


async def test_after_a_logout_nobody_is_in(ada: Client, line: Line) -> None:
    line.troubles = ["lost"]  # the second try comes from nobody
    await ada.logout()
    with pytest.raises(Problem, match="authentication_required"):
        await ada.balance()
    with pytest.raises(Problem, match="invalid_credentials"):
        await ada.login(NAME, "not the password")


@pytest.mark.parametrize(
    ("fault", "of_repeatable", "of_others"),
    [
        (httpx2.ConnectError(""), True, True),
        (httpx2.ReadTimeout(""), True, False),
        (httpx2.RemoteProtocolError(""), True, False),
        (Problem(504, "unknown", ""), True, False),
        (Problem(503, "overloaded", "", retry_after=2.0), 2.0, 2.0),
        (Problem(429, "rate_limited", "", retry_after=LONGEST_PAUSE + 1.0), False, False),
        (Problem(429, "unknown", ""), True, True),
        (Problem(422, "insufficient_funds", ""), False, False),
        (Problem(500, "internal", ""), False, False),
        (ValueError(), False, False),
    ],
)
def test_what_is_sent_again(fault: Exception, of_repeatable: object, of_others: object) -> None:
    assert again(fault, repeatable=True) == of_repeatable
    assert again(fault, repeatable=False) == of_others


async def test_who_never_hears_anything_is_told_so(line: Line) -> None:
    async with httpx2.AsyncClient(transport=line, base_url="http://edge") as http:
        line.troubles = ["unreachable"] * 100
        with pytest.raises(NoAnswer, match="GET /api/v1/balance at http://edge: refused"):
            await Wire(http, patience=0.01).ask("GET", "/balance")
        line.troubles = ["lost"]
        with pytest.raises(NoAnswer):
            await Client("", http=http).register(NAME, EMAIL, PASSWORD)
    assert len([path for path in line.paths() if path == "/auth/register"]) == 1
