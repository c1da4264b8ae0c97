"""The books, kept by a second hand: from the events' own integers alone, checked at every entry."""

from collections import Counter, defaultdict
from typing import Any

from events.balance import (
    BalanceCommandRefused,
    FundsDeposited,
    FundsFrozen,
    FundsRefused,
    FundsReleased,
    FundsReserved,
    FundsSettled,
    FundsWithdrawn,
)
from events.envelope import Event
from events.order import (
    AccountFrozen,
    AccountUnfrozen,
    OrderAccepted,
    OrderCanceled,
    OrderCommandRefused,
    OrderFilled,
    OrderRejected,
)
from events.portfolio import AssetsRefused, AssetsReleased, AssetsReserved, PositionChanged
from events.reasons import OF_BALANCE
from events.topics import DAY
from events.trade import TradeExecuted

Slot = tuple[str, str]
"""An account and what it has: USD or an asset."""


class Books:
    def __init__(self) -> None:
        self.totals: dict[Slot, int] = defaultdict(int)
        """Available and held, as the newest event of the slot says."""
        self.flows: dict[Slot, int] = defaultdict(int)
        """All that ever came in less all that went out."""
        self.holds: dict[tuple[str, str, str], int] = {}
        """By account, asset and order."""
        self.invested: dict[Slot, int] = defaultdict(int)
        """Cents that buys cost less cents that sales brought, fees included."""
        self.outcomes: Counter[str] = Counter()
        """By command: how often it came to its end."""
        self.trades: dict[type[Any], Counter[str]] = defaultdict(Counter)
        """By who tells of them: how often each."""
        self.frozen: dict[type[Any], set[str]] = {AccountFrozen: set(), FundsFrozen: set()}
        """By who tells of it: the accounts that are."""
        self.days: dict[tuple[type[Any], str, int], int] = defaultdict(int)
        """By what was counted, account and the day's end: the cents."""

    def enter(self, event: Event) -> None:
        """Takes in an event of any of the four. Raises: AssertionError if the books don't hold with it."""
        match event:
            case OrderAccepted():
                assert event.account_id not in self.frozen[AccountFrozen]
            case AccountFrozen() | AccountUnfrozen():
                self.outcomes[event.command_id] += 1
                self.freeze(AccountFrozen, event, yes=isinstance(event, AccountFrozen))
            case OrderFilled():
                self.trades[OrderFilled][event.id] += 1
                self.outcomes[event.command_id] += not event.leaves_quantity
            case OrderCanceled() | OrderRejected() | OrderCommandRefused():
                self.outcomes[event.command_id] += 1
            case TradeExecuted():
                self.trades[TradeExecuted][event.trade_id] += 1
            case BalanceCommandRefused():
                assert event.reason in OF_BALANCE
                self.outcomes[event.command_id] += 1
                self.check(event, "USD")
            case AssetsReserved() | AssetsRefused() | AssetsReleased() | PositionChanged():
                self.move_assets(event)
                self.check(event, event.asset_id)
            case _:
                self.move_money(event)
                self.check(event, "USD")

    def move_money(self, event: Event) -> None:
        slot = (event.account_id, "USD")
        match event:
            case FundsDeposited():
                self.flows[slot] += event.amount
                self.outcomes[event.command_id] += 1
                self.count(event)
            case FundsWithdrawn():
                self.flows[slot] -= event.amount
                self.outcomes[event.command_id] += 1
                self.count(event)
                assert event.account_id not in self.frozen[FundsFrozen]
            case FundsFrozen():
                assert event.frozen != (event.account_id in self.frozen[FundsFrozen])
                self.freeze(FundsFrozen, event, yes=event.frozen)
            case FundsReserved():
                self.reserve((*slot, event.order_id), event.amount)
            case FundsReleased():
                self.release((*slot, event.order_id), event.amount)
            case FundsSettled():
                self.trades[FundsSettled][event.trade_id] += 1
                spent = event.cost + event.fee if event.side == "buy" else 0
                earned = event.cost - event.fee if event.side == "sell" else 0
                self.flows[slot] += earned - spent
                self.settle((*slot, event.order_id), spent, event.hold_left)
            case FundsRefused():
                assert event.amount > event.available

    def move_assets(self, event: Event) -> None:
        match event:
            case AssetsReserved():
                self.reserve((event.account_id, event.asset_id, event.order_id), event.quantity)
            case AssetsReleased():
                self.release((event.account_id, event.asset_id, event.order_id), event.quantity)
            case AssetsRefused():
                assert event.quantity > event.available
            case PositionChanged():
                self.trades[PositionChanged][event.trade_id] += 1
                slot, buy = (event.account_id, event.asset_id), event.side == "buy"
                self.flows[slot] += event.quantity if buy else -event.quantity
                self.invested[slot] += event.fee + (event.cost if buy else -event.cost)
                self.settle((*slot, event.order_id), 0 if buy else event.quantity, event.hold_left)
                assert event.cost_basis - event.realized_pnl == self.invested[slot]
                assert event.cost_basis == 0 or event.available + event.held > 0

    def freeze(self, teller: type[Any], event: Event, *, yes: bool) -> None:
        change = self.frozen[teller].add if yes else self.frozen[teller].discard
        change(event.account_id)

    def count(self, event: FundsDeposited | FundsWithdrawn) -> None:
        """Raises: AssertionError unless the day's sum is what the event says, and within its limit."""
        if event.limit is None or event.used is None or event.resets_at is None:
            assert event.limit is event.used is event.resets_at is None
            return
        assert 0 < event.resets_at - event.occurred_at <= DAY
        assert event.resets_at % DAY == 0
        day = (type(event), event.account_id, event.resets_at)
        self.days[day] += event.amount
        assert self.days[day] == event.used <= event.limit

    def reserve(self, key: tuple[str, str, str], amount: int) -> None:
        assert key not in self.holds
        self.holds[key] = amount

    def release(self, key: tuple[str, str, str], amount: int) -> None:
        assert self.holds.pop(key) == amount > 0

    def settle(self, key: tuple[str, str, str], taken: int, left: int) -> None:
        assert self.holds.pop(key, 0) - taken == left
        if left:
            self.holds[key] = left

    def check(self, event: Any, asset_id: str) -> None:
        """Raises: AssertionError unless what is there came in, and holds explain what is held."""
        slot = (event.account_id, asset_id)
        self.totals[slot] = event.available + event.held
        assert min(event.available, event.held) >= 0
        assert self.totals[slot] == self.flows[slot]
        assert event.held == sum(left for key, left in self.holds.items() if key[:2] == slot)

    def close(self, commands: set[str]) -> None:
        """Raises: AssertionError unless each command came to one end, and each fill to all who settle it."""
        assert self.outcomes == Counter(dict.fromkeys(commands, 1))
        assert not self.holds
        assert self.frozen[FundsFrozen] == self.frozen[AccountFrozen]
        fills = self.trades[OrderFilled]
        assert set(fills.values()) <= {1}
        for teller in (FundsSettled, PositionChanged, TradeExecuted):
            assert self.trades[teller] == fills
