"""I1 to I4: money and assets are neither made nor lost, nothing is negative, and every hold is explained."""

from collections import Counter, defaultdict
from collections.abc import Mapping
from typing import Any, get_args

from events.balance import (
    BalanceCommandRefused,
    BalanceEvent,
    FundsDeposited,
    FundsReleased,
    FundsReserved,
    FundsSettled,
    FundsWithdrawn,
)
from events.order import OrderAccepted, OrderCanceled, OrderExpired, OrderFilled, OrderRejected
from events.portfolio import (
    AssetsReleased,
    AssetsReserved,
    PortfolioEvent,
    PositionChanged,
)
from events.trade import TradeExecuted
from infra.log.port import Record

from .batches import OWNED, Foreign
from .check import Check, Handler, Unread, on, short

SAFE = 2**53
BALANCES, POSITIONS = get_args(BalanceEvent), get_args(PortfolioEvent)


class Money(Check):
    """What accounts have, kept as a running sum, against the running sum of what moved it."""

    code, at_any_time = "I1", True
    says = "money is conserved at every prefix; what was settled is what was traded"

    def __init__(self) -> None:
        super().__init__()
        self.totals: dict[str, int] = {}
        self.sum = self.moved = 0
        self.settled: Counter[tuple[str, str]] = Counter()
        self.traded: Counter[tuple[str, str]] = Counter()

    def begin(self) -> None:
        self.sum = self.moved = 0

    def handlers(self) -> Mapping[type[Any], Handler]:
        return on(self.balance, *BALANCES) | {TradeExecuted: self.trade}

    def balance(self, record: Record, event: Any) -> None:
        kind = type(event)
        if kind is FundsSettled:
            self.moved += (event.cost if event.side == "sell" else -event.cost) - event.fee
            self.settled[event.account_id, event.side] += event.cost
            self.settled[event.account_id, "fee"] += event.fee
        elif kind is FundsDeposited:
            self.moved += event.amount
        elif kind is FundsWithdrawn:
            self.moved -= event.amount
        elif kind is BalanceCommandRefused and event.available is None:
            return
        self.checked += 1
        total = event.available + event.held
        self.sum += total - self.totals.get(event.account_id, 0)
        self.totals[event.account_id] = total
        if self.sum != self.moved:
            self.violation(f"accounts have {self.sum} cents, {self.moved} came in", record)
            self.moved = self.sum

    def trade(self, _: Record, event: TradeExecuted) -> None:
        self.traded[event.account_id, event.side] += event.cost
        self.traded[event.account_id, "fee"] += event.fee

    def settle(self) -> None:
        self.checked += len(self.traded)
        for key in self.traded.keys() | self.settled.keys():
            if self.traded[key] != self.settled[key]:
                self.violation(
                    f"{key}: {self.settled[key]} cents settled, {self.traded[key]} traded"
                )


class Assets(Check):
    """Per asset, what accounts have against what they bought less what they sold."""

    code, at_any_time = "I2", True
    says = "assets are conserved at every prefix; what changed hands is what was traded"

    def __init__(self) -> None:
        super().__init__()
        self.totals: dict[tuple[str, str], int] = {}
        self.sum: Counter[str] = Counter()
        self.moved: Counter[str] = Counter()
        self.changed: Counter[tuple[str, str]] = Counter()
        self.traded: Counter[tuple[str, str]] = Counter()

    def begin(self) -> None:
        self.sum.clear()
        self.moved.clear()

    def handlers(self) -> Mapping[type[Any], Handler]:
        return on(self.position, *POSITIONS) | {TradeExecuted: self.trade}

    def position(self, record: Record, event: Any) -> None:
        asset, key = event.asset_id, (event.account_id, event.asset_id)
        if type(event) is PositionChanged:
            bought = event.quantity if event.side == "buy" else -event.quantity
            self.moved[asset] += bought
            self.changed[key] += bought
        self.checked += 1
        total = event.available + event.held
        self.sum[asset] += total - self.totals.get(key, 0)
        self.totals[key] = total
        if self.sum[asset] != self.moved[asset]:
            told = f"accounts have {self.sum[asset]} of {asset}, {self.moved[asset]} were bought"
            self.violation(told, record)
            self.moved[asset] = self.sum[asset]

    def trade(self, _: Record, event: TradeExecuted) -> None:
        bought = event.quantity if event.side == "buy" else -event.quantity
        self.traded[event.account_id, event.asset_id] += bought

    def settle(self) -> None:
        self.checked += len(self.traded)
        for key in self.traded.keys() | self.changed.keys():
            if self.traded[key] != self.changed[key]:
                self.violation(f"{key}: {self.changed[key]} moved, {self.traded[key]} traded")


class Bounds(Check):
    """An event that its contract refuses is one of these: amounts out of bounds, or no whole numbers."""

    code, at_any_time = "I3", True
    says = "every amount is a whole number from 0 to 2^53-1"

    def __init__(self, foreign: Foreign) -> None:
        super().__init__()
        self.foreign = foreign

    def handlers(self) -> Mapping[type[Any], Handler]:
        return on(self.amounts, *BALANCES, *POSITIONS) | {Unread: self.unread}

    def amounts(self, record: Record, event: Any) -> None:
        self.checked += 1
        available, held = event.available, event.held
        if available is None:
            return
        whole = type(available) is int and type(held) is int
        if not (whole and 0 <= available < SAFE and 0 <= held < SAFE):
            self.violation(f"{available} available, {held} held", record)

    def unread(self, record: Record, message: Unread) -> None:
        if record.topic in OWNED and record[:3] not in self.foreign.offsets:
            self.violation(f"an event that its contract refuses: {message.reason}", record)


class Holds(Check):
    """Each account's held against its open reservations, in money and in assets."""

    code, at_any_time = "I4", True
    says = "held is what open reservations explain; a closed order holds nothing"

    def __init__(self) -> None:
        super().__init__()
        self.left: dict[str, int] = {}
        self.held: dict[tuple[str, str], int] = defaultdict(int)
        self.open: set[str] = set()

    def handlers(self) -> Mapping[type[Any], Handler]:
        return (
            on(self.balance, *BALANCES)
            | on(self.position, *POSITIONS)
            | {OrderAccepted: self.opened}
            | on(self.closed, OrderFilled, OrderCanceled, OrderExpired, OrderRejected)
        )

    def balance(self, record: Record, event: Any) -> None:
        kind = type(event)
        if kind is FundsReserved:
            self.reserve(event, "USD", event.amount)
        elif kind is FundsSettled:
            if event.side == "buy":
                self.use(record, event, "USD", event.cost + event.fee)
            self.is_left(record, event)
        elif kind is FundsReleased:
            self.use(record, event, "USD", event.amount)
        if event.available is not None:
            self.explains(record, event, "USD")

    def position(self, record: Record, event: Any) -> None:
        kind = type(event)
        if kind is AssetsReserved:
            self.reserve(event, event.asset_id, event.quantity)
        elif kind is PositionChanged:
            if event.side == "sell":
                self.use(record, event, event.asset_id, event.quantity)
            self.is_left(record, event)
        elif kind is AssetsReleased:
            self.use(record, event, event.asset_id, event.quantity)
        self.explains(record, event, event.asset_id)

    def reserve(self, event: Any, asset: str, amount: int) -> None:
        """A later revision's hold takes the place of the earlier one's."""
        self.held[event.account_id, asset] += amount - self.left.get(event.order_id, 0)
        self.left[event.order_id] = amount

    def use(self, record: Record, event: Any, asset: str, amount: int) -> None:
        left = self.left.pop(event.order_id, 0) - amount
        self.held[event.account_id, asset] -= amount
        if left < 0:
            self.violation(f"order {event.order_id} used {-left} more than it held", record)
        elif left:
            self.left[event.order_id] = left

    def is_left(self, record: Record, event: Any) -> None:
        left = self.left.get(event.order_id, 0) if self.owns(record, event) else 0
        if event.hold_left != left:
            told = f"order {event.order_id} holds {left}, not {event.hold_left}"
            self.violation(told, record)

    @staticmethod
    def owns(record: Record, event: Any) -> bool:
        """Returns whether the topic is that of the order's hold."""
        return record.topic.startswith("balance" if event.side == "buy" else "portfolio")

    def explains(self, record: Record, event: Any, asset: str) -> None:
        self.checked += 1
        explained = self.held[event.account_id, asset]
        if event.held != explained:
            told = f"{event.held} {asset} held, open reservations explain {explained}"
            self.violation(told, record)
            self.held[event.account_id, asset] = event.held

    def opened(self, _: Record, event: OrderAccepted) -> None:
        self.open.add(event.order_id)

    def closed(self, _: Record, event: Any) -> None:
        if not getattr(event, "leaves_quantity", 0):
            self.open.discard(event.order_id)

    def settle(self) -> None:
        self.checked += len(self.left)
        if stale := [order for order in self.left if order not in self.open]:
            self.violation(f"holds of orders that are over: {short(stale)}")
