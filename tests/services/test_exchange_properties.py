"""Any accounts, any commands, any prices, the four services at any pace: the books are right at every event."""

from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from events.envelope import SAFE_INTEGER
from events.market import AssetListed
from events.money import MAX_NOTIONAL, PRICE_MAX_AGE, Side, unit
from events.topics import DAY
from tests.messages import balances, orders, positions
from tests.messages.drawn import amounts, sides
from tests.messages.envelope import ACCOUNT, OTHER_ACCOUNT, numbered
from tests.messages.markets import ASSETS
from tests.services.exchange import Exchange
from tests.spec import check_wire

accounts = st.sampled_from([ACCOUNT, OTHER_ACCOUNT])
assets = st.sampled_from(ASSETS)
limits = st.none() | st.integers(0, 2_000_000) | amounts
cents = st.integers(0, 1_000_000) | st.integers(0, MAX_NOTIONAL + 1) | amounts


class Trading(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.exchange = Exchange()
        self.prices = {asset.asset_id: asset.listing_price for asset in ASSETS}
        self.n = 0

    def next(self) -> int:
        self.n += 1
        return self.n

    @initialize(amount=st.integers(10_000, MAX_NOTIONAL))
    def begin(self, amount: int) -> None:
        """One account with money and both assets, one with nothing."""
        self.deposit(ACCOUNT, amount)
        for asset in ASSETS:
            self.order_by_notional(ACCOUNT, "buy", asset, amount // 4)
        self.settle()

    @rule(account=accounts, amount=cents, limit=limits)
    def deposit(self, account: str, amount: int, limit: int | None = None) -> None:
        self.exchange.submit(
            balances.deposit(amount, n=self.next(), account_id=account, limit=limit)
        )

    @rule(account=accounts, amount=cents, limit=limits)
    def withdraw(self, account: str, amount: int, limit: int | None) -> None:
        self.exchange.submit(
            balances.withdraw(amount, n=self.next(), account_id=account, limit=limit)
        )

    @rule(account=accounts, kind=st.sampled_from(["freeze", "unfreeze", "unfreeze"]))
    def steer(self, account: str, kind: str) -> None:
        make: Any = getattr(orders, kind)
        self.exchange.submit(make(n=self.next(), account_id=account))

    @rule(account=accounts, side=sides, asset=assets, value=cents)
    def order(self, account: str, side: Side, asset: AssetListed, value: int) -> None:
        """By a quantity worth so much."""
        quantity = value * unit(asset.scale, asset.price_scale) // asset.listing_price
        self.place(account, side, asset, quantity=min(quantity, SAFE_INTEGER - 1))

    @rule(account=accounts, side=sides, asset=assets, notional=cents)
    def order_by_notional(
        self, account: str, side: Side, asset: AssetListed, notional: int
    ) -> None:
        self.place(account, side, asset, notional=notional)

    @rule(account=accounts, asset=assets, parts=st.integers(1, 3))
    def sell_a_part(self, account: str, asset: AssetListed, parts: int) -> None:
        """Of what is available, as far as the portfolio has come."""
        position = self.exchange.portfolio.rows.get(("position", account, asset.asset_id))
        if position is not None:
            self.place(account, "sell", asset, quantity=position.available // parts)

    def place(self, account: str, side: Side, asset: AssetListed, **size: Any) -> None:
        self.exchange.submit(
            orders.place(side, asset.asset_id, n=self.next(), account_id=account, **size)
        )

    @rule(account=accounts, order=st.integers(1, 9), kind=st.sampled_from(["cancel", "replace"]))
    def change(self, account: str, order: int, kind: str) -> None:
        make: Any = getattr(orders, kind)
        self.exchange.submit(make(numbered(order), n=self.next(), account_id=account))

    @rule(bps=st.integers(-150, 150) | st.integers(-5_000, 5_000))
    def tick(self, bps: int) -> None:
        """Of every price, further at times than a collar is wide."""
        for asset_id, price in self.prices.items():
            self.prices[asset_id] = price * (10_000 + bps) // 10_000
        self.exchange.tick(**self.prices)

    @rule(asset=assets, price=st.sampled_from([1, SAFE_INTEGER - 1]))
    def absurd_tick(self, asset: AssetListed, price: int) -> None:
        self.exchange.tick(**{asset.asset_id: price})

    @rule(ms=st.integers(0, 1_000) | st.just(PRICE_MAX_AGE + 1) | st.just(DAY))
    def wait(self, ms: int) -> None:
        self.exchange.now += ms

    @rule(data=st.data(), most=st.integers(1, 30))
    def run(self, data: st.DataObject, most: int) -> None:
        self.exchange.run(lambda n: data.draw(st.integers(0, n - 1)), most)

    @rule()
    def settle(self) -> None:
        self.exchange.run(lambda _: 0)

    @rule(account=accounts, side=sides, n=st.integers(1, 9), amount=amounts)
    def stray(self, account: str, side: Side, n: int, amount: int) -> None:
        """What nobody wrote: whatever its rows are, each service knows what to do with it."""
        order = orders.place(side, n=n, account_id=account)
        after: dict[str, Any] = {"available": 0, "held": amount, "revision": 1 + n % 2}
        answers = (
            balances.reserved(order, amount, **after),
            balances.funds_refused(order, amount, **after),
            positions.reserved(order, amount, **after),
            positions.assets_refused(order, amount, **after),
        )
        spine = (
            orders.accepted(order, amount),
            orders.canceled(order, "x"),
            orders.rejected(order, "x"),
            orders.frozen(orders.freeze(account_id=account)),
        )
        exchange = self.exchange
        for service in exchange.services:
            for given in answers if service is exchange.order else spine:
                for event in service.decide(service.rows, given, exchange.context):
                    check_wire(event)

    def teardown(self) -> None:
        self.exchange.close()


TestTrading = Trading.TestCase
TestTrading.settings = settings(max_examples=100, stateful_step_count=40, deadline=None)
