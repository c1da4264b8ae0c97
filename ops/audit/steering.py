"""I22: who is frozen neither orders nor withdraws, and nobody moves more in a day than his limit."""

from collections.abc import Mapping
from typing import Any

from events.balance import FundsDeposited, FundsFrozen, FundsWithdrawn
from events.control import RecordQuarantined
from events.order import AccountFrozen, AccountUnfrozen, OrderAccepted
from events.topics import DAY
from infra.log.port import Record

from .check import Check, Handler, on, short


class Day:
    """What an account deposited, or withdrew, on the day that ends at resets_at, cents."""

    __slots__ = ("resets_at", "used")

    def __init__(self) -> None:
        self.resets_at = self.used = 0


class Steered(Check):
    code, at_any_time = "I22", True
    says = "a frozen account neither orders nor withdraws; a day's sum is within its limit"

    def __init__(self) -> None:
        super().__init__()
        self.frozen: set[str] = set()
        self.held_back: set[str] = set()
        self.days: dict[tuple[type[Any], str], Day] = {}
        self.unread: set[str] = set()

    def handlers(self) -> Mapping[type[Any], Handler]:
        return (
            on(self.steered, AccountFrozen, AccountUnfrozen)
            | on(self.moved, FundsDeposited, FundsWithdrawn)
            | {
                OrderAccepted: self.accepted,
                FundsFrozen: self.funds,
                RecordQuarantined: self.quarantined,
            }
        )

    def steered(self, _: Record, event: Any) -> None:
        self.checked += 1
        (self.frozen.add if type(event) is AccountFrozen else self.frozen.discard)(event.account_id)

    def accepted(self, record: Record, event: OrderAccepted) -> None:
        self.checked += 1
        if event.account_id in self.frozen:
            self.violation(f"{event.account_id} is frozen, and orders", record)

    def funds(self, record: Record, event: FundsFrozen) -> None:
        self.checked += 1
        if event.frozen == (event.account_id in self.held_back):
            self.violation(f"{event.account_id}: frozen is {event.frozen} once more", record)
        (self.held_back.add if event.frozen else self.held_back.discard)(event.account_id)

    def moved(self, record: Record, event: Any) -> None:
        self.checked += 1
        if type(event) is FundsWithdrawn and event.account_id in self.held_back:
            self.violation(f"{event.account_id} is frozen, and withdraws", record)
        if event.limit is not None and (wrong := self.counted(event)):
            self.violation(f"{event.account_id}: {wrong}", record)

    def counted(self, event: Any) -> str | None:
        """Takes the movement into its day. Returns what is wrong with what it says of it."""
        day = self.days.setdefault((type(event), event.account_id), Day())
        if event.resets_at % DAY or event.resets_at <= event.occurred_at:
            return f"{event.resets_at} is no end of its day"
        if event.resets_at < day.resets_at:
            return f"the day that ends at {day.resets_at} had begun"
        if event.resets_at > day.resets_at:
            day.resets_at, day.used = event.resets_at, 0
        day.used += event.amount
        if event.used != day.used:
            return f"{event.used} on that day, the sum is {day.used}"
        if day.used > event.limit:
            return f"{day.used} on that day, {event.limit} is its limit"
        return None

    def quarantined(self, _: Record, note: RecordQuarantined) -> None:
        if note.account_id:
            self.unread.add(note.account_id)

    def settle(self) -> None:
        """Both services know of the same accounts, but for those that wait behind poison."""
        if differ := (self.frozen ^ self.held_back) - self.unread:
            self.violation(f"orders and money differ in whether they are frozen: {short(differ)}")
