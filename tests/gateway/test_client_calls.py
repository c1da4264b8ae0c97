"""Every operation of the document is a method of the client: what a run of them all asked the edge."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypedDict

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
OF_LISTS = {"limit", "cursor"}
"""Of an operation that has both: nobody gives them, for the client follows a list to its end by itself, in pages
as long as the edge makes them. That it sends the cursor: test_a_list_is_followed_to_its_end.
"""
HEADERS = {"if-none-match", "prefer", "last-event-id"}
Asked = set[tuple[str, str]]
"""Names of parameters, each with its operation's path."""
NEW = "another correct horse battery"


class Span(TypedDict):
    since: datetime
    until: datetime


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


def askable() -> Asked:
    """Returns what the document lets a GET be asked, in its query and its headers."""
    found = set()
    for path, methods in DOCUMENT["paths"].items():
        names = {
            one["name"].lower()
            for one in methods.get("get", {}).get("parameters", ())
            if one["in"] in ("query", "header")
        }
        found |= {(path, name) for name in (names - OF_LISTS if names >= OF_LISTS else names)}
    return found


def asked(requests: list[httpx2.Request]) -> Asked:
    """Returns what GETs have asked, of headers those that a read may have."""
    return {
        (operation(one)[1], name)
        for one in requests
        if one.method == "GET"
        for name in (*one.url.params, *(HEADERS & one.headers.keys()))
    }


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


async def everything(client: Client) -> None:
    """Asks each read for all that it can be asked, once an order is there."""
    order = await anext(client.orders())
    span: Span = {"since": order.created_at, "until": order.created_at + timedelta(hours=1)}
    lists = (
        client.orders(status="filled", asset_id="BTC", side="buy", **span),
        client.trades(order_id=order.id, asset_id="BTC", side="buy", **span),
        client.transactions(kind="buy", asset_id="BTC", **span),
        client.asset_transactions("BTC", side="buy", **span),
        client.assets(search="b", category="coin", min_price="1", max_price="2", sort="price"),
        client.admin.audit((await client.me()).id),
    )
    for one in lists:
        [_ async for _ in one]
    await client.order(order.id)
    await client.order_by_client_id("o1")
    await client.timeline(order.id)
    await client.balance()
    await client.holdings()
    await client.holding("BTC")
    await client.portfolio()
    await client.asset("BTC")


async def streams(client: Client) -> None:
    """Follows all that can be followed, from an event on."""
    async with client.follow("balance") as account:
        await anext(account)
    await client.deposit("1.00")
    async with client.follow("balance", last_id=account.last_id) as changes:
        assert (await anext(changes)).event == "balance"
    async with client.prices("BTC", last_id="m:0") as prices:
        await anext(prices)
    async with client.past("trades", last_id="b:0,o:0", most=1) as past:
        await anext(past)


async def test_a_read_can_be_asked_all_that_the_document_has(admin: Client, line: Line) -> None:
    await admin.place_order("BTC", "buy", notional="10.00", client_order_id="o1")
    session = admin.session
    client = Client("", http=admin._http, keeper=session.keeper, now=session.now, keep=100)
    seen = (await client.balance()).as_of.position, (await client.asset("BTC")).as_of.position
    for _ in range(2):
        await everything(client.at_least(*seen))
    await streams(client)
    assert asked(line.sent) == askable()


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
