"""I16: what the views show is what their topics say, row by row, with nothing missing and nothing of their own."""

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple, Protocol

import msgspec

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
from events.market import AssetListed, PriceTicked
from events.order import (
    AccountFrozen,
    AccountUnfrozen,
    AllOrdersCanceled,
    OrderAccepted,
    OrderCanceled,
    OrderCommandRefused,
    OrderExpired,
    OrderFilled,
    OrderOpened,
    OrderRejected,
    OrderReplaced,
    OrderReplacePending,
)
from events.portfolio import AssetsRefused, AssetsReleased, AssetsReserved, PositionChanged
from events.topics import (
    ASSETS,
    BALANCE_EVENTS,
    ORDER_EVENTS,
    PORTFOLIO_EVENTS,
    PRICES,
    USER_EVENTS,
)
from infra.log.port import Record
from infra.raw.batch import RawBatch

from . import shown
from .batches import is_control
from .check import Check, Handler, Unread, on, short
from .shown import ANSWER, NEXT, ORDER, OUTCOME, Row, Shown
from .timelines import TIMELINES

LIVE, HISTORY = "live", "history"
NEWEST, AGE_MS = 201, 3_600_000
"""What the live view keeps of a list beside what is open, and for how long of an outcome that is over."""
LISTS = ("order", "trade", "ledger", "asset_line", "trail.u", "trail.o")
OPEN = ("pending_new", "new", "partially_filled", "pending_replace")
UUID = re.compile(rb"[0-9a-f-]{36}")
LATER = {
    kind: f"{kind} of history" for kind in ("outcome.o", "timeline.o", "timeline.b", "timeline.p")
}
"""Kinds of which the two views tell differently. The history has dropped no timeline; and its outcomes are of answers
alone: what an order of the same id came to is nothing to it.
"""
ANSWERS = (ANSWER._replace(alone=True), ANSWER._replace(kind=LATER["outcome.o"]), shown.ORDER_NAME)
FUNDS_ANSWERS = (shown.FUNDS_ANSWER, shown.FUNDS_NAME)
OF_ORDER, OF_FUNDS, OF_ASSETS = (
    (kept, kept._replace(kind=LATER[kept.kind], alone=False)) for kept in TIMELINES
)
"""The timelines, as the live view and as the history has them."""
FUNDS, SETTLED = (shown.BALANCE, shown.FUNDS, *OF_FUNDS), (shown.BALANCE, shown.LEDGER)
HELD = (shown.POSITION, shown.ASSETS, *OF_ASSETS)
STEP = (NEXT, OUTCOME, *OF_ORDER)
TRADE = Shown("trade", shown.account, shown.offset, shown.trade)
TABLE: dict[Any, tuple[Shown, ...]] = {
    FundsDeposited: (*SETTLED, *FUNDS_ANSWERS),
    FundsWithdrawn: (*SETTLED, *FUNDS_ANSWERS),
    FundsSettled: (*SETTLED, shown.FUNDS, *OF_FUNDS),
    FundsReserved: FUNDS,
    FundsRefused: FUNDS,
    FundsReleased: FUNDS,
    FundsFrozen: (shown.BALANCE,),
    BalanceCommandRefused: FUNDS_ANSWERS,
    PositionChanged: (*HELD, shown.LINE),
    AssetsReserved: HELD,
    AssetsRefused: HELD,
    AssetsReleased: HELD,
    OrderAccepted: (ORDER, OUTCOME, *OF_ORDER, shown.ORDER_NAME),
    OrderRejected: (ORDER, OUTCOME, *OF_ORDER, shown.ORDER_NAME),
    OrderFilled: (*STEP, TRADE),
    OrderOpened: STEP,
    OrderExpired: STEP,
    OrderReplacePending: STEP,
    OrderCanceled: (*STEP, *ANSWERS),
    OrderReplaced: (*STEP, *ANSWERS),
    OrderCommandRefused: (NEXT, *OF_ORDER, *ANSWERS),
    AllOrdersCanceled: ANSWERS,
    AccountFrozen: (shown.ACCOUNT, shown.FREEZE, *ANSWERS),
    AccountUnfrozen: (shown.ACCOUNT, shown.FREEZE, *ANSWERS),
    **dict.fromkeys(USER_EVENTS.types, (shown.ACT,)),
}
FOLDED = (ORDER_EVENTS.name, BALANCE_EVENTS.name, PORTFOLIO_EVENTS.name, USER_EVENTS.name)
MARKET = "market"
Key = tuple[str, str, str, str]
"""A row's kind, owner and id, and the place of its partition."""


def ends_itself(event: Any) -> bool:
    """Returns whether an order was over by itself: that answers no command but its own."""
    ended = isinstance(event, OrderCanceled | OrderReplaced)
    return ended and event.command_id == event.order_id


def is_old(row: dict[str, Any], now: int) -> bool:
    """Returns whether the live view keeps the outcome no longer at that time."""
    over = row.get("over_at")
    return over is not None and over < now - AGE_MS


class Cell(Protocol):
    """A row as a view stores it."""

    @property
    def place(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def row(self) -> bytes: ...


class View(NamedTuple):
    """A view at rest. positions: by place and topic, the next offset to be folded."""

    name: str
    positions: Mapping[tuple[str, str], int]
    rows: Mapping[Key, Any]


def view(name: str, positions: Mapping[tuple[str, str], int], cells: Iterable[Cell]) -> View:
    """Returns the view with its rows read. The history's orders stand at their place in the list."""
    rows = {}
    for cell in cells:
        row = msgspec.json.decode(cell.row)
        id_ = row["order_id"] if cell.kind == "order" else cell.id
        kind = LATER.get(cell.kind, cell.kind) if name == HISTORY else cell.kind
        rows[kind, cell.owner, id_, cell.place] = row
    return View(name, positions, rows)


class Projected(Check):
    code = "I16"
    says = "what the views show is what their topics say"

    def __init__(self, *views: View) -> None:
        super().__init__()
        self.views = views
        self.unapplied = None if views else "no view was given"
        self.rows: dict[Key, Row] = {}
        self.alone: set[Key] = set()
        self.strange: set[str] = set()
        self.behind: dict[str, list[str]] = defaultdict(list)
        self.now = self.newest = 0
        self.quotes: dict[int, list[tuple[str, dict[str, Any]]]] = defaultdict(list)
        for one in views:
            for (kind, *_), row in one.rows.items():
                if kind == "price":
                    self.quotes[row["position"]].append((one.name, row))

    def handlers(self) -> Mapping[type[Any], Handler]:
        if not self.views:
            return {}
        return (
            on(self.fold, *TABLE)
            | on(self.unread, Unread)
            | on(self.listed, AssetListed)
            | on(self.ticked, PriceTicked)
        )

    def begin(self) -> None:
        self.now = 0

    def batch(self, batch: RawBatch) -> None:
        """Notes what a view has not folded."""
        if batch.control or batch.topic == PRICES.name or all(map(is_control, batch.records)):
            return
        place = MARKET if batch.topic == ASSETS.name else str(batch.partition)
        for one in self.views:
            position = one.positions.get((place, batch.topic))
            if position is not None and position < batch.end:
                self.behind[one.name].append(f"{batch.topic}-{place} at {batch.offset}")

    def fold(self, record: Record, event: Any) -> None:
        for what in TABLE[type(event)]:
            id_ = what.id(event, record)
            if id_ is None or (what.after is shown.answer and ends_itself(event)):
                continue
            key = (what.kind, what.owner(event), id_, str(record.partition))
            before = self.rows.get(key)
            if before and what.alone and is_old(before, self.now):
                before = None  # the live view has dropped it
            row = what.after(before, event, record)
            if row is not None:
                self.rows[key] = row
                if what.alone:
                    self.alone.add(key)
        self.now = max(self.now, record.timestamp)
        self.newest = max(self.newest, self.now)

    def unread(self, record: Record, message: Unread) -> None:
        """A projector passes it over, and says so of the account. What is misplaced it folds all the same."""
        if message.message is not None:
            names = ("account_id", "order_id", "command_id", "id")
            self.strange.update(str(getattr(message.message, name, "")) for name in names)
            return
        kind, key = f"quarantine.{record.topic[0]}", record.key or b""
        if record.topic in FOLDED and UUID.fullmatch(key):
            first = {"position": record.offset, "reason": message.reason, "since": record.timestamp}
            self.rows.setdefault((kind, key.decode(), "first", str(record.partition)), first)

    def listed(self, _: Record, event: AssetListed) -> None:
        key = ("asset", "", event.asset_id, MARKET)
        self.rows[key] = msgspec.to_builtins(event)
        self.alone.add(key)

    def ticked(self, record: Record, tick: PriceTicked) -> None:
        for name, row in self.quotes.pop(record.offset, ()):
            self.checked += 1
            said = {"time": record.timestamp, "position": record.offset}
            quoted = [{"asset_id": q.asset_id, "price": q.price, **said} for q in tick.prices]
            if row not in quoted:
                self.violation(f"{name}: the price {row} is not what was quoted", record)

    def settle(self) -> None:
        for one in self.views:
            if behind := self.behind.get(one.name):
                self.violation(f"{one.name} has not folded {short(behind)}")
            for key, row in one.rows.items():
                if key[0] != "price" and not self.is_strange(key):
                    self.compare(one.name, key, row)
            wanted = self.wanted(one.name) - one.rows.keys()
            if lacking := [key for key in wanted if not self.is_strange(key)]:
                self.violation(f"{one.name} lacks {short(sorted(lacking))}")

    def compare(self, name: str, key: Key, row: Any) -> None:
        self.checked += 1
        mine = self.rows.get(key)
        if mine != row:
            differ = sorted(k for k in row if mine is None or mine.get(k) != row[k])
            told = "never was" if mine is None else f"differs in {short(differ)}"
            self.violation(f"{name}: the row {key} {told}")

    def is_strange(self, key: Key) -> bool:
        """Returns whether a misplaced event may have touched it."""
        return key[2] in self.strange or key[1].partition("/")[0] in self.strange

    def wanted(self, name: str) -> set[Key]:
        """Returns the rows that the view must have."""
        if name == HISTORY:
            return self.rows.keys() - self.alone
        kept: set[Key] = set()
        lists: dict[tuple[str, str], list[tuple[int, Key]]] = defaultdict(list)
        for key, row in self.rows.items():
            assert row is not None
            kind, owner, *_ = key
            if kind in LISTS:
                lists[kind, owner].append((row["position"], key))
                if row.get("status") in OPEN:
                    kept.add(key)
            elif kind not in LATER.values() and not is_old(row, self.newest):
                kept.add(key)
        for line in lists.values():
            kept.update(key for _, key in sorted(line)[-NEWEST:])
        return kept
