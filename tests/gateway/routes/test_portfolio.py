"""/portfolio and /assets, from outside. BTC costs 60,000.00 USD until it moves."""

from hypothesis import given
from hypothesis import strategies as st

from gateway.deps import Parts
from gateway.routes.portfolio import weight
from tests.gateway.backstage import Backstage
from tests.gateway.conftest import Twins

from .conftest import Customer


def cents(amount: str) -> int:
    return int(amount.replace(".", ""))


async def test_a_portfolio_of_nothing(customer: Customer) -> None:
    portfolio = await customer.get("/portfolio/ada")
    assert (portfolio["total_value"], portfolio["positions"]) == ("0.00", [])
    assert portfolio["cash"]["weight"] == "0.000000"


async def test_a_portfolio_is_worth_its_cash_and_its_assets(
    customer: Customer, parts: Parts, twins: Twins
) -> None:
    await customer.deposit("1000.00")
    await customer.order("buy", quantity="0.01")
    twins.backstage.tick(BTC=6_600_000)
    await twins.backstage.fold()
    await parts.catalogue.look()
    portfolio = await customer.get("/portfolio/Ada")
    assert portfolio.pop("as_of")["position"] == "b:4,o:2,p:1"
    assert portfolio.pop("prices_as_of")["position"] == "m:2"
    assert portfolio == {
        "username": "ada",
        "total_value": "1059.40",
        "unrealized_pnl": "59.40",
        "realized_pnl": "0.00",
        "cash": {"available": "399.40", "held": "0.00", "total": "399.40", "weight": "0.377005"},
        "positions": [
            {
                "asset_id": "BTC",
                "quantity": "0.01000000",
                "available": "0.01000000",
                "held": "0.00000000",
                "average_cost": "60060.00",
                "last_price": "66000.00",
                "market_value": "660.00",
                "unrealized_pnl": "59.40",
                "realized_pnl": "0.00",
                "weight": "0.622994",
            }
        ],
    }


async def test_gains_tie_out_to_the_cent(customer: Customer, parts: Parts, twins: Twins) -> None:
    await customer.deposit("10000.00")
    for price, side, quantity in (
        (6_000_001, "buy", "0.033"),
        (6_100_007, "sell", "0.007"),
        (5_999_999, "buy", "0.0111"),
        (6_050_003, "sell", "0.02"),
    ):
        twins.backstage.tick(BTC=price)
        await customer.order(side, quantity=quantity)
    await customer.order("buy", "DOGE", notional="77.77")
    await twins.backstage.fold()
    await parts.catalogue.look()
    portfolio = await customer.get("/portfolio/ada")
    gains = cents(portfolio["realized_pnl"]) + cents(portfolio["unrealized_pnl"])
    assert gains == cents(portfolio["total_value"]) - 1_000_000
    values = [cents(position["market_value"]) for position in portfolio["positions"]]
    assert sum(values) + cents(portfolio["cash"]["total"]) == cents(portfolio["total_value"])


async def test_the_gain_of_what_is_sold_to_the_last_stays(customer: Customer) -> None:
    await customer.deposit("1000.00")
    await customer.order("buy", quantity="0.01")
    await customer.order("sell", quantity="0.01")
    portfolio = await customer.get("/portfolio/ada")
    assert portfolio["positions"] == []
    assert (portfolio["realized_pnl"], portfolio["total_value"]) == ("-1.20", "998.80")


async def test_an_admin_sees_anybody_s_portfolio(
    customer: Customer, other: Customer, twins: Twins
) -> None:
    await customer.deposit("1000.00")
    await customer.order("buy", quantity="0.01")
    own = await customer.get("/portfolio/ada")
    eve = await twins.users.by_name("eve")
    assert eve
    twins.users.items[eve.account_id]["role"] = {"S": "admin"}
    await other.log_in()
    assert await other.get("/portfolio/Ada") == own
    assert (await other.get("/portfolio/eve"))["total_value"] == "0.00"
    assert await other.refused("/portfolio/nobody") == (404, "not_found")
    assert await customer.refused("/portfolio/eve") == (404, "not_found")


async def test_holdings_are_listed_and_found(customer: Customer, backstage: Backstage) -> None:
    await customer.deposit("1000.00")
    await customer.order("buy", "DOGE", quantity="10")
    await customer.order("buy", "BTC", quantity="0.01")
    holdings = await customer.get("/assets/balances")
    assert holdings["items"] == [
        {
            "asset_id": "BTC",
            "quantity": "0.01000000",
            "available": "0.01000000",
            "held": "0.00000000",
        },
        {"asset_id": "DOGE", "quantity": "10.00000", "available": "10.00000", "held": "0.00000"},
    ]
    one = await customer.get("/assets/BTC/balance")
    assert one == holdings["items"][0] | {"as_of": holdings["as_of"]}


async def test_of_a_listed_asset_one_may_have_nothing(customer: Customer) -> None:
    nothing = await customer.get("/assets/DOGE/balance")
    assert (nothing["quantity"], nothing["held"]) == ("0.00000", "0.00000")
    assert (await customer.get("/assets/DOGE/transactions"))["items"] == []
    for path in ("/assets/NOPE/balance", "/assets/NOPE/transactions"):
        assert await customer.refused(path) == (404, "not_found")


async def test_an_asset_s_lines_add_up_to_its_quantity(customer: Customer) -> None:
    await customer.deposit("1000.00")
    bought = await customer.order("buy", "DOGE", quantity="1000")
    sold = await customer.order("sell", "DOGE", quantity="400.5")
    lines = (await customer.get("/assets/DOGE/transactions"))["items"]
    assert [line["order_id"] for line in lines] == [sold["id"], bought["id"]]
    assert [line["quantity"] for line in lines] == ["-400.50000", "1000.00000"]
    assert [line["quantity_after"] for line in lines] == ["599.50000", "1000.00000"]
    assert (lines[1]["cost"], lines[1]["fee"], lines[1]["price"]) == (
        "150.00",
        "0.15",
        "0.15000000",
    )


async def test_a_fill_is_a_trade(customer: Customer) -> None:
    await customer.deposit("1000.00")
    order = await customer.order("buy", quantity="0.01")
    (trade,) = (await customer.get("/trades"))["items"]
    assert len(trade.pop("id")) == 36
    assert trade == {
        "order_id": order["id"],
        "asset_id": "BTC",
        "side": "buy",
        "quantity": "0.01000000",
        "price": "60000.00",
        "cost": "600.00",
        "fee": "0.60",
        "position": 1,
        "created_at": "2027-01-15T08:00:00.000Z",
    }


@given(st.integers(0, 2**53), st.integers(0, 2**53))
def test_a_weight_is_between_0_and_1(part: int, rest: int) -> None:
    share = weight(part, part + rest)
    assert share == "1.000000" if part and not rest else "0.000000" <= share < "1.000000"
