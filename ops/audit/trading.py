"""I8 and I9: a fill settles once everywhere, and an order lives as orders live."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from events.balance import FundsSettled
from events.control import RecordQuarantined
from events.market import PriceTicked
from events.money import PRICE_MAX_AGE, USD_SCALE
from events.order import (
    OrderAccepted,
    OrderCanceled,
    OrderExpired,
    OrderFilled,
    OrderOpened,
    OrderRejected,
    OrderReplaced,
    OrderReplacePending,
)
from events.portfolio import PositionChanged
from events.topics import PRICES
from events.trade import TradeExecuted
from infra.log.port import Record

from .check import Check, Handler, on, short

PLACES: dict[Any, int] = {OrderFilled: 1, TradeExecuted: 2, FundsSettled: 4, PositionChanged: 8}
NAMES = {1: "the orders", 2: "the tape", 4: "money", 8: "assets"}
EVERYWHERE = sum(PLACES.values())


class Fill:
    """seen: the places that told of it, as bits; money and size: what the first of them said."""

    __slots__ = ("account_id", "money", "seen", "size")

    def __init__(self, account_id: str, money: tuple[Any, ...]) -> None:
        self.account_id, self.money = account_id, money
        self.seen = 0
        self.size: tuple[Any, ...] | None = None


class SettledOnce(Check):
    code = "I8"
    says = "each fill stands once on the tape, in money and in assets, with the same amounts"

    def __init__(self) -> None:
        super().__init__()
        self.fills: dict[str, Fill] = {}
        self.held: set[str] = set()

    def handlers(self) -> Mapping[type[Any], Handler]:
        return on(self.settled, *PLACES) | {RecordQuarantined: self.quarantined}

    def settled(self, record: Record, event: Any) -> None:
        self.checked += 1
        kind = type(event)
        trade_id = event.id if kind is OrderFilled else event.trade_id
        money = (event.order_id, event.asset_id, event.side, event.fill, event.cost, event.fee)
        fill = self.fills.get(trade_id)
        if fill is None:
            fill = self.fills[trade_id] = Fill(event.account_id, money)
        place = PLACES[kind]
        if fill.seen & place:
            self.violation(f"fill {trade_id} is there twice", record)
        fill.seen |= place
        if fill.money != money or fill.account_id != event.account_id:
            self.violation(f"fill {trade_id} is {money} here, {fill.money} elsewhere", record)
        if kind is not FundsSettled:
            size = (event.quantity, event.price, event.scale, event.price_scale)
            fill.size = fill.size or size
            if fill.size != size:
                self.violation(f"fill {trade_id} is {size} here, {fill.size} elsewhere", record)

    def quarantined(self, _: Record, note: RecordQuarantined) -> None:
        if note.account_id:
            self.held.add(note.account_id)

    def settle(self) -> None:
        lacking: dict[int, list[str]] = defaultdict(list)
        for trade_id, fill in self.fills.items():
            if fill.seen != EVERYWHERE and fill.account_id not in self.held:
                for place in NAMES:
                    if not fill.seen & place:
                        lacking[place].append(trade_id)
        for place, ids in lacking.items():
            self.violation(f"fills that {NAMES[place]} lack: {short(ids)}")


@dataclass(slots=True)
class Life:
    """An order as its events have told it. waits: has had no hold yet; exact: price x quantity of its fills."""

    accepted: OrderAccepted
    quantity: int | None
    filled: int = 0
    fills: int = 0
    exact: int = 0
    cost: int = 0
    fee: int = 0


class Lives(Check):
    code, at_any_time = "I9", True
    says = "an order's life is legal, its fills are inside collar, limit and age, and cost what they must"

    def __init__(self) -> None:
        super().__init__()
        self.open: dict[str, Life] = {}
        self.over: set[str] = set()
        self.quoted: dict[int, set[tuple[str, int, int]]] = defaultdict(set)
        self.first_tick: int | None = None

    def handlers(self) -> Mapping[type[Any], Handler]:
        return {
            OrderAccepted: self.accepted,
            OrderRejected: self.rejected,
            OrderFilled: self.filled,
            OrderCanceled: self.closed,
            OrderExpired: self.closed,
            OrderOpened: self.goes_on,
            OrderReplacePending: self.goes_on,
            OrderReplaced: self.replaced,
            PriceTicked: self.ticked,
        }

    def accepted(self, record: Record, event: OrderAccepted) -> None:
        self.checked += 1
        if event.order_id in self.open or event.order_id in self.over:
            self.violation(f"order {event.order_id} is accepted again", record)
        self.open[event.order_id] = Life(event, event.quantity)
        self.quote(record, event, event.asset_id)

    def rejected(self, record: Record, event: OrderRejected) -> None:
        """Over at once, or when its hold is refused; never after a fill."""
        self.checked += 1
        life = self.open.pop(event.order_id, None)
        if event.order_id in self.over or (life and life.fills):
            self.violation(f"order {event.order_id} is rejected too late", record)
        self.over.add(event.order_id)

    def follows(self, record: Record, event: Any) -> Life | None:
        """Returns the life that the event goes on with; one that is over, or never began, has none."""
        self.checked += 1
        life = self.open.get(event.order_id)
        if life is None:
            state = "over" if event.order_id in self.over else "unknown"
            self.violation(f"{event.type} of order {event.order_id}, which is {state}", record)
        return life

    def goes_on(self, record: Record, event: Any) -> None:
        self.follows(record, event)

    def closed(self, record: Record, event: Any) -> None:
        self.follows(record, event)
        self.open.pop(event.order_id, None)
        self.over.add(event.order_id)

    def replaced(self, record: Record, event: OrderReplaced) -> None:
        if life := self.follows(record, event):
            life.quantity = event.quantity

    def filled(self, record: Record, event: OrderFilled) -> None:
        life = self.follows(record, event)
        if life:
            for wrong in (self.amounts(life, event), self.priced(life.accepted, event)):
                if wrong:
                    self.violation(f"order {event.order_id}: {wrong}", record)
        self.quote(record, event, event.asset_id)
        if not event.leaves_quantity:
            self.open.pop(event.order_id, None)
            self.over.add(event.order_id)

    @staticmethod
    def amounts(life: Life, event: OrderFilled) -> str | None:
        """Takes the fill in. Returns what is wrong with its numbers."""
        life.fills += 1
        life.filled += event.quantity
        life.exact += event.quantity * event.price
        cent = 10 ** (event.scale + event.price_scale - USD_SCALE)
        cost = -(-life.exact // cent) if event.side == "buy" else life.exact // cent
        fee = -(-cost * life.accepted.fee_bps // 10_000)
        due = (life.fills, cost - life.cost, fee - life.fee)
        life.cost, life.fee = cost, fee
        if (event.fill, event.cost, event.fee) != due:
            return f"fill, cost, fee are {(event.fill, event.cost, event.fee)}, must be {due}"
        if life.quantity is not None and event.leaves_quantity != life.quantity - life.filled:
            return f"{event.leaves_quantity} left of {life.quantity} after {life.filled}"
        if event.side == "buy" and cost + fee > life.accepted.hold:
            return f"{cost + fee} paid, {life.accepted.hold} held"
        return None

    @staticmethod
    def priced(order: OrderAccepted, event: OrderFilled) -> str | None:
        """Returns what is wrong with its price."""
        move = abs(event.price - order.price)
        if order.order_type == "market" and move * 10_000 > order.price * order.collar_bps:
            return f"filled at {event.price}, {order.price} was the reference"
        if (limit := order.limit_price) is not None and (
            event.price > limit if order.side == "buy" else event.price < limit
        ):
            return f"filled at {event.price}, {limit} was the limit"
        if event.occurred_at - event.price_time > PRICE_MAX_AGE:
            return f"filled at a price {event.occurred_at - event.price_time} ms old"
        if (event.side, event.asset_id) != (order.side, order.asset_id):
            return "filled as another order"
        return None

    def quote(self, _: Record, event: Any, asset_id: str) -> None:
        self.quoted[event.price_offset].add((asset_id, event.price, event.price_time))

    def ticked(self, record: Record, tick: PriceTicked) -> None:
        """Prices come last: what was quoted of this tick is known."""
        if self.first_tick is None:
            self.first_tick = record.offset
        wanted = self.quoted.pop(record.offset, None)
        if wanted is None:
            return
        told = {(quote.asset_id, quote.price, record.timestamp) for quote in tick.prices}
        self.checked += len(wanted)
        if wrong := wanted - told:
            self.violation(f"quoted, but not there: {short(sorted(wrong))}", record)

    def settle(self) -> None:
        if self.first_tick is not None:
            gone = [offset for offset in self.quoted if offset >= self.first_tick]
            if gone:
                self.violation(f"prices quoted of {PRICES.name} at {short(gone)}: no such record")
