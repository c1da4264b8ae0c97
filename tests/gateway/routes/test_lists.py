"""Lists, from outside: pages, filters, cursors, and the line between the two views that nobody sees."""

from typing import Any

import pytest

from tests.gateway.backstage import Backstage
from tests.gateway.conftest import Twins

from .conftest import Customer

LISTS = ("/orders", "/trades", "/balance/transactions", "/assets/DOGE/transactions")
ORDER = {"side": "buy", "notional": "1.00"}
START, LATER = "2027-01-15T08:00:00Z", "2027-01-15T08:00:00.001Z"


async def pages(customer: Customer, path: str, **query: Any) -> list[list[str]]:
    """Returns the ids on each page."""
    found = []
    while True:
        page = await customer.get(path, **query)
        found.append([item["id"] for item in page["items"]])
        if page["next_cursor"] is None:
            return found
        query["cursor"] = page["next_cursor"]


async def ids(customer: Customer, path: str, **query: Any) -> list[str]:
    return [id_ for page in await pages(customer, path, **query) for id_ in page]


async def trade(customer: Customer, count: int) -> None:
    """Deposits enough and buys DOGE so many times."""
    await customer.deposit(f"{count + 1}.00")
    for _ in range(count):
        await customer.order("buy", "DOGE", notional="1.00")


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("limit", [1, 2, 3, 4, 50])
async def test_pages_add_up_to_the_list(customer: Customer, path: str, limit: int) -> None:
    await trade(customer, 3)
    whole = await ids(customer, path, limit=200)
    assert len(set(whole)) == len(whole) in (3, 4)
    found = await pages(customer, path, limit=limit)
    assert [id_ for page in found for id_ in page] == whole
    assert {len(page) for page in found[:-1]} <= {limit}
    assert found[-1]


@pytest.mark.parametrize("path", LISTS)
async def test_an_empty_list_has_one_page(customer: Customer, path: str) -> None:
    assert await pages(customer, path) == [[]]


async def test_a_list_is_stable_while_new_rows_arrive(customer: Customer) -> None:
    await trade(customer, 4)
    before = await ids(customer, "/orders")
    first = await customer.get("/orders", limit=2)
    await trade(customer, 2)
    rest = await customer.get("/orders", limit=10, cursor=first["next_cursor"])
    assert [item["id"] for item in first["items"] + rest["items"]] == before


async def test_orders_are_filtered(customer: Customer) -> None:
    await customer.deposit("1000.00")
    doge = await customer.order("buy", "DOGE", notional="10.00")
    btc = await customer.order("buy", "BTC", notional="10.00")
    sale = await customer.order("sell", "DOGE", notional="5.00")
    await customer.post("/orders", {"asset_id": "BTC", "side": "sell", "quantity": "1"})
    assert len(await ids(customer, "/orders")) == 4
    assert await ids(customer, "/orders", asset_id="DOGE") == [sale["id"], doge["id"]]
    assert await ids(customer, "/orders", side="buy") == [btc["id"], doge["id"]]
    assert await ids(customer, "/orders", asset_id="DOGE", side="sell") == [sale["id"]]
    assert len(await ids(customer, "/orders", status="rejected")) == 1
    assert await ids(customer, "/orders", status="filled", limit=1) == [
        order["id"] for order in (sale, btc, doge)
    ]
    assert len(await ids(customer, "/trades", order_id=btc["id"])) == 1
    assert len(await ids(customer, "/trades", side="sell")) == 1
    assert await customer.refused("/orders", status="done") == (422, "validation_failed")


async def test_open_orders_are_listed_whatever_their_status(
    customer: Customer, backstage: Backstage
) -> None:
    await trade(customer, 2)
    backstage.down.add(backstage.exchange.balance)
    waiting = [
        (await customer.post("/orders", ORDER | {"asset_id": asset}, Prefer="wait=0")).json()["id"]
        for asset in ("BTC", "DOGE", "BTC")
    ]
    await backstage.settle()
    assert await ids(customer, "/orders", status="open") == waiting[::-1]
    assert await pages(customer, "/orders", status="open", limit=2) == [
        [waiting[2], waiting[1]],
        [waiting[0]],
    ]
    assert await ids(customer, "/orders", status="open", asset_id="DOGE") == [waiting[1]]
    cursor = (await customer.get("/orders", limit=1))["next_cursor"]
    refused = await customer.refused("/orders", status="open", cursor=cursor)
    assert refused == (400, "invalid_cursor")
    backstage.live.away = True
    assert await customer.refused("/orders", status="open") == (503, "dependency_unavailable")
    backstage.live.away = False
    await backstage.resume()
    assert await ids(customer, "/orders", status="open") == []


async def test_transactions_are_filtered_and_add_up(customer: Customer) -> None:
    await customer.deposit("1000.00")
    await customer.order("buy", "DOGE", notional="10.00")
    await customer.order("sell", "DOGE", notional="5.00")
    await customer.post("/balance/withdraw", {"amount": "100.00"})
    lines = (await customer.get("/balance/transactions"))["items"]
    assert [line["type"] for line in lines] == ["withdrawal", "sell", "buy", "deposit"]
    cents = [int(line["amount"].replace(".", "")) for line in lines]
    after = [int(line["balance_after"].replace(".", "")) for line in lines]
    assert [before + amount for before, amount in zip([*after[1:], 0], cents, strict=True)] == after
    for kind, line in zip(("withdrawal", "sell", "buy", "deposit"), lines, strict=True):
        assert await ids(customer, "/balance/transactions", type=kind) == [line["id"]]
    assert len(await ids(customer, "/balance/transactions", asset_id="DOGE")) == 2


@pytest.mark.parametrize("path", LISTS)
async def test_a_list_is_asked_for_a_time(customer: Customer, twins: Twins, path: str) -> None:
    await trade(customer, 1)
    first = await ids(customer, path)
    twins.clock.ms += 1
    await trade(customer, 1)
    both = await ids(customer, path)
    assert await ids(customer, path, **{"from": START, "to": LATER}) == first
    assert await ids(customer, path, to=LATER) == first
    assert await ids(customer, path, **{"from": LATER}) == both[: len(both) - len(first)]
    assert await ids(customer, path, **{"from": START}) == both
    assert await customer.refused(path, to="2027-01-15T08:00:00") == (422, "validation_failed")


async def test_nobody_sees_where_the_history_begins(
    customer: Customer, backstage: Backstage
) -> None:
    await trade(customer, 205)
    for path in LISTS:
        whole = await ids(customer, path, limit=200)
        assert len(set(whole)) == len(whole) >= 205
        assert await ids(customer, path, limit=37) == whole
    oldest = (await ids(customer, "/orders", limit=200))[-1]
    assert (await customer.get(f"/orders/{oldest}"))["status"] == "filled"

    backstage.live.away = True  # and the history alone tells the same
    assert (await ids(customer, "/orders", limit=200))[-1] == oldest


async def test_a_history_that_lags_hides_nothing(customer: Customer, backstage: Backstage) -> None:
    backstage.history.late = True
    await trade(customer, 205)
    assert len((await customer.get("/orders", limit=200))["items"]) == 200
    cursor = (await customer.get("/orders", limit=200))["next_cursor"]
    assert await customer.refused("/orders", cursor=cursor) == (503, "view_behind")
    (oldest, *_) = [command.id for command in backstage.commands() if command.type == "place_order"]
    assert await customer.refused(f"/orders/{oldest}") == (503, "view_behind")


async def test_a_filter_that_lets_little_through_ends_its_page_early(customer: Customer) -> None:
    await trade(customer, 3)
    assert await pages(customer, "/orders", asset_id="BTC") == [[]]
