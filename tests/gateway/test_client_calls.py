"""Every operation of the document is a method of the client: what a run of them all asked the edge."""

import re
from pathlib import Path

import httpx2
import pytest
from pydantic_core import from_json

from ops.client.client import Client
from ops.client.errors import Problem
from ops.client.tokens import InMemory

from .conftest import Twins
from .line import NAME, PASSWORD, Line, ada, line

__all__ = ["ada", "line"]
DOCUMENT = from_json((Path(__file__).parents[2] / "docs" / "openapi.json").read_bytes())
NO_CALLS = {("GET", "/health"), ("GET", "/health/ready")}
"""For whoever runs the edge."""
NEW = "another correct horse battery"


def operations() -> dict[tuple[str, str], re.Pattern[str]]:
    """Returns what a request's path looks like, by method and path in the document."""
    return {
        (method.upper(), path): re.compile(re.sub(r"\{\w+\}", "[^/]+", path))
        for path, methods in DOCUMENT["paths"].items()
        for method in methods
    }


def operation(request: httpx2.Request) -> tuple[str, str]:
    """Returns which one of the document the request is."""
    [found] = [
        (method, path)
        for (method, path), pattern in operations().items()
        if method == request.method and pattern.fullmatch(request.url.path)
    ]
    return found


@pytest.fixture
async def admin(ada: Client, twins: Twins) -> Client:
    """Returns Ada's client, who is an admin now."""
    await twins.sessions.set_role((await ada.me()).id, "admin")
    return ada


async def look(client: Client) -> None:
    """Calls what shows something, and holds what it shows against an order."""
    order = (
        await client.place_order("BTC", "buy", notional="10.00", client_order_id="o1")
    ).resource
    assert (await client.order(order.id)).id == order.id
    assert (await client.order_by_client_id("o1")).id == order.id
    assert (await client.timeline(order.id)).steps
    assert (await client.preview("BTC", "sell", quantity="0.0001")).refusal is None
    assert [one.id async for one in client.orders(status="filled")] == [order.id]
    assert [one.order_id async for one in client.trades()] == [order.id]
    assert [one.type async for one in client.transactions()] == ["buy", "deposit"]
    held = await client.holding("BTC")
    assert held.quantity == order.filled_quantity
    assert [one.asset_id for one in (await client.holdings()).items] == ["BTC"]
    assert (await client.holding("DOGE")).quantity == "0.00000"
    [moved] = [one async for one in client.asset_transactions("BTC", side="buy")]
    assert (moved.order_id, moved.quantity_after) == (order.id, held.quantity)
    assert (await client.portfolio()).cash.total == (await client.balance()).total
    assert [one.id async for one in client.assets(search="btc")] == ["BTC"]
    assert (await client.asset("BTC")).id == "BTC"
    async with client.follow() as account, client.prices() as prices:
        assert (await anext(account)).event == "snapshot"
        assert (await anext(prices)).event == "prices"
    async with client.past() as past:
        assert [event.event async for event in past] == ["transaction", "transaction", "trade"]


async def govern(client: Client) -> None:
    """Calls what an admin may, about Bob."""
    bob = await client.register("bob", "bob@example.org", PASSWORD)
    admin = client.admin
    assert [one.username async for one in admin.users()] == [NAME, "bob"]
    assert (await (await admin.freeze(bob.id, "inquiry")).wait()).frozen
    assert (await admin.user(bob.id)).freeze.reason == "inquiry"
    assert not (await (await admin.unfreeze(bob.id, "inquiry", key="u1")).wait()).frozen
    assert (await admin.unfreeze(bob.id, "inquiry", key="u1")).replayed
    assert (await admin.set_role(bob.id, "admin")).role == "admin"
    acts = [one.type async for one in admin.audit(bob.id)]
    assert acts[:2] == ["account_unfrozen", "account_frozen"]


async def test_every_operation_of_the_document_is_called(admin: Client, line: Line) -> None:
    await look(admin)
    await govern(admin)
    await admin.deposit("1.00")
    await admin.withdraw("1.00")
    await admin.change_profile(await admin.me(), first_name="Ada")
    await admin.change_password(PASSWORD, NEW)
    await admin.refresh()
    [here] = (await admin.sessions()).items
    await admin.end_session(here.id)
    await admin.login(NAME, NEW)
    await admin.logout()
    await admin.register("carol", "carol@example.org", PASSWORD)
    await admin.login("carol", PASSWORD)
    await admin.close_account(PASSWORD)
    called = {operation(request) for request in line.sent}
    assert called == operations().keys() - NO_CALLS


async def test_a_profile_is_changed_from_what_was_seen(ada: Client) -> None:
    seen = await ada.me()
    changed = await ada.change_profile(seen, first_name="Ada", email="ada@example.net")
    assert (changed.first_name, changed.email) == ("Ada", "ada@example.net")
    assert (await ada.change_profile(changed, first_name=None)).first_name is None
    with pytest.raises(Problem, match="changed_meanwhile"):
        await ada.change_profile(seen, last_name="Lovelace")
    assert "tag" not in seen.model_dump()


async def test_a_new_password_ends_the_other_sessions(ada: Client) -> None:
    other = Client("", http=ada._http, keeper=InMemory())
    await other.login(NAME, PASSWORD)
    with pytest.raises(Problem, match="invalid_credentials"):
        await ada.change_password("not the password", NEW)
    await ada.change_password(PASSWORD, NEW)
    with pytest.raises(Problem, match="session_revoked"):
        await other.balance()
    assert [one.current for one in (await ada.sessions()).items] == [True]


async def test_a_user_may_go_once_nothing_is_left(ada: Client) -> None:
    with pytest.raises(Problem, match="account_not_empty"):
        await ada.close_account(PASSWORD)
    await ada.withdraw("1000.00")
    await ada.close_account(PASSWORD)
    with pytest.raises(Problem, match="authentication_required"):
        await ada.me()
    with pytest.raises(Problem, match="invalid_credentials"):
        await ada.login(NAME, PASSWORD)


@pytest.mark.parametrize("status", [502, 504])
async def test_what_has_no_name_is_not_sent_again_once_it_may_be_done(
    ada: Client, line: Line, status: int
) -> None:
    seen = await ada.me()
    line.sent.clear()
    for ask in (
        ada.change_profile(seen, first_name="Ada"),
        ada.change_password(PASSWORD, NEW),
        ada.end_session("0" * 32),
        ada.close_account(PASSWORD),
    ):
        line.troubles = [status]
        with pytest.raises(Problem, match=str(status)):
            await ask
    assert len(line.sent) == 4


async def test_nobody_else_is_an_admin(ada: Client) -> None:
    with pytest.raises(Problem, match="forbidden"):
        await ada.admin.user((await ada.me()).id)
