"""/inventory, from outside, by anybody."""

import pytest

from gateway.catalogue import Catalogue
from gateway.deps import Parts
from infra.unavailable import Unavailable
from infra.views.port import NotReady, View
from tests.gateway.backstage import Backstage
from tests.gateway.conftest import Twins

from .conftest import Customer

BTC = {
    "id": "BTC",
    "name": "BTC",
    "symbol": "BTC",
    "category": "layer-1",
    "scale": 8,
    "price_scale": 2,
    "tick_size": "0.01",
    "min_quantity": "0.00000010",
    "min_notional": "1.00",
    "price": "60000.00",
    "price_time": "2027-01-15T08:00:00.000Z",
    "price_position": 0,
    "tradable": True,
    "supply": None,
    "rank": None,
}


@pytest.fixture
def anybody(customer: Customer) -> Customer:
    customer.headers.clear()
    return customer


async def test_anybody_may_see_what_is_traded(anybody: Customer) -> None:
    listed = await anybody.get("/inventory/assets")
    assert [asset["id"] for asset in listed["items"]] == ["BTC", "DOGE"]
    assert listed["items"][0] == BTC
    assert listed["as_of"] == {"time": "2027-01-15T08:00:00.000Z", "position": "m:1"}
    one = await anybody.get("/inventory/assets/BTC")
    assert one == BTC | {"as_of": listed["as_of"]}


async def test_what_is_not_listed_is_not_found(anybody: Customer) -> None:
    assert await anybody.refused("/inventory/assets/NOPE") == (404, "not_found")
    assert await anybody.refused("/inventory/assets/btc") == (422, "validation_failed")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "bt"}, ["BTC"]),
        ({"search": "D"}, ["DOGE"]),
        ({"search": ""}, ["BTC", "DOGE"]),
        ({"search": "xyz"}, []),
        ({"category": "layer-1"}, ["BTC", "DOGE"]),
        ({"category": "layer-2"}, []),
        ({"search": "o", "category": "layer-1"}, ["DOGE"]),
    ],
)
async def test_assets_are_searched(
    anybody: Customer, query: dict[str, str], found: list[str]
) -> None:
    listed = await anybody.get("/inventory/assets", **query)
    assert [asset["id"] for asset in listed["items"]] == found


async def test_assets_are_paged(anybody: Customer) -> None:
    first = await anybody.get("/inventory/assets", limit=1)
    rest = await anybody.get("/inventory/assets", limit=1, cursor=first["next_cursor"])
    assert [page["items"][0]["id"] for page in (first, rest)] == ["BTC", "DOGE"]
    assert rest["next_cursor"] is None
    for query in ({"search": "b"}, {"category": "layer-1"}):
        refused = await anybody.refused(
            "/inventory/assets", cursor=first["next_cursor"], limit=1, **query
        )
        assert refused == (400, "invalid_cursor")


@pytest.mark.parametrize(
    ("sort", "found"),
    [
        ("symbol", ["BTC", "DOGE"]),
        ("-symbol", ["DOGE", "BTC"]),
        ("name", ["BTC", "DOGE"]),
        ("-name", ["DOGE", "BTC"]),
        ("price", ["DOGE", "BTC"]),
        ("-price", ["BTC", "DOGE"]),
        ("rank", ["BTC", "DOGE"]),
    ],
)
async def test_assets_are_sorted(anybody: Customer, sort: str, found: list[str]) -> None:
    listed = await anybody.get("/inventory/assets", sort=sort)
    assert [asset["id"] for asset in listed["items"]] == found
    first = await anybody.get("/inventory/assets", sort=sort, limit=1)
    cursor = first["next_cursor"]
    rest = await anybody.get("/inventory/assets", sort=sort, limit=1, cursor=cursor)
    assert [page["items"][0]["id"] for page in (first, rest)] == found
    other = await anybody.refused("/inventory/assets", cursor=cursor, min_price="0")
    assert other == (400, "invalid_cursor")


@pytest.mark.parametrize("sort", ["__class__", "", "Price", "price ", "--price", "scale", "id"])
async def test_nothing_else_is_an_order(anybody: Customer, sort: str) -> None:
    assert await anybody.refused("/inventory/assets", sort=sort) == (422, "validation_failed")


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"min_price": "1"}, ["BTC"]),
        ({"max_price": "0.15"}, ["DOGE"]),
        ({"min_price": "0.15", "max_price": "60000.00"}, ["BTC", "DOGE"]),
        ({"min_price": "0.150000000000000001", "max_price": "59999.99"}, []),
    ],
)
async def test_assets_are_found_by_their_price(
    anybody: Customer, query: dict[str, str], found: list[str]
) -> None:
    listed = await anybody.get("/inventory/assets", **query)
    assert [asset["id"] for asset in listed["items"]] == found
    for price in ("-1", "1e3", "", "1.", "x"):
        refused = await anybody.refused("/inventory/assets", min_price=price)
        assert refused == (422, "validation_failed")


async def test_a_page_goes_on_where_the_last_one_ended_though_prices_moved(
    anybody: Customer, parts: Parts, twins: Twins
) -> None:
    first = await anybody.get("/inventory/assets", sort="price", limit=1)
    assert first["items"][0]["id"] == "DOGE"
    twins.backstage.tick(DOGE=15_000_001)
    await twins.backstage.fold()
    await parts.catalogue.look()
    rest = await anybody.get("/inventory/assets", sort="price", cursor=first["next_cursor"])
    assert [asset["id"] for asset in rest["items"]] == ["DOGE", "BTC"]  # it stands higher by now


async def test_a_price_far_below_the_listing_halts_the_asset(
    anybody: Customer, parts: Parts, twins: Twins
) -> None:
    twins.backstage.tick(BTC=5_999)
    await twins.backstage.fold()
    await parts.catalogue.look()
    asset = await anybody.get("/inventory/assets/BTC")
    assert (asset["price"], asset["tradable"]) == ("59.99", False)


async def test_the_catalogue_outlives_the_view(
    anybody: Customer, parts: Parts, backstage: Backstage
) -> None:
    backstage.live.away = True
    with pytest.raises(Unavailable):
        await parts.catalogue.look()
    assert (await anybody.get("/inventory/assets/BTC"))["price"] == "60000.00"


async def test_nothing_is_known_before_the_first_look(backstage: Backstage) -> None:
    catalogue = Catalogue(View(backstage.live))
    with pytest.raises(NotReady):
        catalogue.quotes()
    with pytest.raises(Unavailable, match="market"):
        await catalogue.told()
