"""The books, added up from the topics alone by a plain reader: no service and no view is asked."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from events.balance import FundsDeposited, FundsSettled, FundsWithdrawn
from events.order import OrderFilled
from events.portfolio import PositionChanged
from events.topics import BALANCE_EVENTS, ORDER_EVENTS, PORTFOLIO_EVENTS, TRADE_EVENTS
from events.trade import TradeExecuted
from infra.log.listing import Found
from infra.log.port import Log
from infra.shell.reading import is_control
from ops.reading import between

READ = {t.name: t for t in (ORDER_EVENTS, BALANCE_EVENTS, PORTFOLIO_EVENTS, TRADE_EVENTS)}
SETTLING = (OrderFilled, FundsSettled, PositionChanged, TradeExecuted)


@dataclass
class Books:
    """Of all accounts: cents that came and went, what is there; assets bought and sold, what is there.

    fills: of one account at rest, by who tells of them: the trades' ids, each as often as told.
    """

    account_id: str
    events: int = 0
    deposits: int = 0
    withdrawals: int = 0
    bought: int = 0
    sold: int = 0
    fees: int = 0
    balances: dict[str, int] = field(default_factory=dict)
    positions: dict[tuple[str, str], int] = field(default_factory=dict)
    traded: Counter[str] = field(default_factory=Counter)
    fills: dict[str, Counter[str]] = field(
        default_factory=lambda: {kind.__name__: Counter() for kind in SETTLING}
    )

    def enter(self, event: Any) -> None:
        """Takes an event in."""
        self.events += 1
        if isinstance(event, SETTLING) and event.account_id == self.account_id:
            trade_id = event.id if isinstance(event, OrderFilled) else event.trade_id
            self.fills[type(event).__name__][trade_id] += 1
        match event:
            case FundsDeposited():
                self.deposits += event.amount
            case FundsWithdrawn():
                self.withdrawals += event.amount
            case FundsSettled():
                self.bought += event.cost if event.side == "buy" else 0
                self.sold += event.cost if event.side == "sell" else 0
                self.fees += event.fee
            case PositionChanged():
                sign = 1 if event.side == "buy" else -1
                self.traded[event.asset_id] += sign * event.quantity
        if isinstance(event, PORTFOLIO_EVENTS.types):
            self.positions[event.account_id, event.asset_id] = event.available + event.held
        elif getattr(event, "available", None) is not None:
            self.balances[event.account_id] = event.available + event.held

    @property
    def money(self) -> int:
        """Returns the cents that all accounts together have."""
        return sum(self.balances.values())

    @property
    def assets(self) -> Counter[str]:
        """Returns what all accounts together have of each asset, in its minor units."""
        total: Counter[str] = Counter()
        for (_, asset_id), quantity in self.positions.items():
            total[asset_id] += quantity
        return total

    @property
    def are_exact(self) -> bool:
        """Returns whether nothing was made, lost or settled twice."""
        flows = self.deposits - self.withdrawals - self.bought + self.sold - self.fees
        once = Counter(dict.fromkeys(self.fills[OrderFilled.__name__], 1))
        settled = all(told == once for told in self.fills.values())
        return self.money == flows and self.assets == self.traded and settled


async def add_up(log: Log, cluster: Mapping[str, Found], account_id: str) -> Books:
    """Returns the books of all that stands in the topics now; the account must be at rest."""
    tps = [(name, p) for name in READ for p in range(cluster[name].partitions)]
    books = Books(account_id)
    async for record in between(log, await log.bounds(tps)):
        if not is_control(record):
            books.enter(READ[record.topic].decode(record.value or b""))
    return books
