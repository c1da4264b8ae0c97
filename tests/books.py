"""A second set of books: what must hold of the contract topics, told by reading them, with arithmetic of its own."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from events.balance import (
    BalanceCommandRefused,
    FundsDeposited,
    FundsFrozen,
    FundsReleased,
    FundsReserved,
    FundsSettled,
    FundsWithdrawn,
)
from events.order import (
    AccountFrozen,
    AccountUnfrozen,
    OrderAccepted,
    OrderCanceled,
    OrderCommandRefused,
    OrderFilled,
    OrderRejected,
)
from events.portfolio import PositionChanged
from events.reasons import Reason
from events.topics import (
    BALANCE_COMMANDS,
    BALANCE_EVENTS,
    ORDER_COMMANDS,
    ORDER_EVENTS,
    PORTFOLIO_EVENTS,
    TRADE_EVENTS,
    Topic,
)
from infra.log.port import TP, Record
from infra.shell import checkpoint as checkpoints
from infra.shell.checkpoint import PREVIOUS
from infra.shell.reading import is_control
from infra.shell.service import Service
from ops.provision import SHELL_SERVICES

OVER = (
    OrderRejected,
    OrderCanceled,
    OrderFilled,
    OrderCommandRefused,
    AccountFrozen,
    AccountUnfrozen,
)
ANSWERED = (FundsDeposited, FundsWithdrawn, BalanceCommandRefused)


class Violation(AssertionError):
    """Something that must never be."""


def holds(condition: object, what: str) -> None:
    if not condition:
        raise Violation(what)


class Books:
    """The records of the contract topics, partition after partition."""

    def __init__(self, records: Mapping[TP, Sequence[Record]]) -> None:
        self.records = records
        self.partitions = 1 + max(p for topic, p in records if topic == ORDER_EVENTS.name)

    def of(self, topic: Topic[Any], p: int | None = None) -> Iterator[Any]:
        """Yields the topic's messages, of all partitions or of one."""
        for number in range(self.partitions) if p is None else (p,):
            for record in self.records[topic.name, number]:
                if not is_control(record):
                    yield topic.decode(record.value or b"")


def check(books: Books) -> None:
    """Raises: Violation if the books are not exact at every prefix, or, at rest, not closed."""
    one_outcome_a_command(books)
    money_is_conserved(books)
    assets_are_conserved(books)
    holds_explain_held(books)
    each_fill_settles_once(books)
    frozen_accounts_stand_still(books)
    a_day_has_its_limit(books)
    sequences_have_no_gap(books)
    for service in SHELL_SERVICES:
        for p in range(books.partitions):
            batches_are_whole(service, books.records[service.output(p)])


def one_outcome_a_command(books: Books) -> None:
    """A sending that came too late to be known as a repeat is refused as expired: that changes no outcome, and is
    the only one of a command that was never decided.
    """
    answers = [
        *(e for e in books.of(ORDER_EVENTS) if isinstance(e, OVER) and not leaves(e)),
        *(e for e in books.of(BALANCE_EVENTS) if isinstance(e, ANSWERED)),
    ]
    late = {e.command_id for e in answers if expired(e)}
    outcomes = Counter(e.command_id for e in answers if not expired(e))
    outcomes += Counter(late - outcomes.keys())
    sent = {
        command.id for topic in (ORDER_COMMANDS, BALANCE_COMMANDS) for command in books.of(topic)
    }
    for command_id in sent:
        holds(outcomes[command_id] == 1, f"{outcomes[command_id]} outcomes of {command_id}")
    holds(outcomes.keys() == sent, "an outcome of no command")


def leaves(event: Any) -> int:
    return getattr(event, "leaves_quantity", 0)


def expired(event: Any) -> bool:
    late = getattr(event, "reason", None) == Reason.COMMAND_EXPIRED
    return late and isinstance(event, OrderCommandRefused | BalanceCommandRefused)


def money_is_conserved(books: Books) -> None:
    """At every prefix: what accounts have is what came in, less what went out, was paid and was charged."""
    for p in range(books.partitions):
        balances: dict[str, int] = defaultdict(int)
        total = 0
        for event in books.of(BALANCE_EVENTS, p):
            match event:
                case FundsDeposited():
                    total += event.amount
                case FundsWithdrawn():
                    total -= event.amount
                case FundsSettled():
                    total += (-event.cost if event.side == "buy" else event.cost) - event.fee
                case BalanceCommandRefused(available=None):
                    continue
            holds(event.available >= 0 and event.held >= 0, f"below zero: {event}")
            balances[event.account_id] = event.available + event.held
            holds(sum(balances.values()) == total, f"money made or lost at {event}")


def assets_are_conserved(books: Books) -> None:
    """At every prefix, per asset: what accounts have is what they bought less what they sold."""
    for p in range(books.partitions):
        positions: dict[tuple[str, str], int] = defaultdict(int)
        totals: dict[str, int] = defaultdict(int)
        for event in books.of(PORTFOLIO_EVENTS, p):
            if isinstance(event, PositionChanged):
                sign = 1 if event.side == "buy" else -1
                totals[event.asset_id] += sign * event.quantity
            holds(event.available >= 0 and event.held >= 0, f"below zero: {event}")
            positions[event.account_id, event.asset_id] = event.available + event.held
            kept = sum(n for (_, asset_id), n in positions.items() if asset_id == event.asset_id)
            holds(kept == totals[event.asset_id], f"assets made or lost at {event}")


def holds_explain_held(books: Books) -> None:
    """At rest no order is open, so nothing is held; and what was reserved was settled or released."""
    held: dict[str, int] = {}
    orders: dict[str, int] = defaultdict(int)
    for event in books.of(BALANCE_EVENTS):
        if getattr(event, "held", None) is not None:
            held[event.account_id] = event.held
        match event:
            case FundsReserved():
                orders[event.order_id] += event.amount
            case FundsSettled(side="buy"):
                orders[event.order_id] -= event.cost + event.fee
            case FundsReleased():
                orders[event.order_id] -= event.amount
    holds(not any(held.values()), f"held at rest: {held}")
    holds(not any(orders.values()), f"reserved is not settled and released: {dict(orders)}")
    last: dict[tuple[str, str], int] = {}
    for event in books.of(PORTFOLIO_EVENTS):
        last[event.account_id, event.asset_id] = event.held
    holds(not any(last.values()), f"held at rest: {last}")


def each_fill_settles_once(books: Books) -> None:
    fills = Counter(e.id for e in books.of(ORDER_EVENTS) if isinstance(e, OrderFilled))
    holds(all(n == 1 for n in fills.values()), "a fill is there twice")
    trades = Counter(event.trade_id for event in books.of(TRADE_EVENTS))
    funds = Counter(e.trade_id for e in books.of(BALANCE_EVENTS) if isinstance(e, FundsSettled))
    assets = Counter(
        event.trade_id for event in books.of(PORTFOLIO_EVENTS) if isinstance(event, PositionChanged)
    )
    for name, settled in (("the tape", trades), ("money", funds), ("assets", assets)):
        holds(settled == fills, f"{name} and fills differ: {settled - fills} {fills - settled}")


def frozen_accounts_stand_still(books: Books) -> None:
    """No order is taken, nothing is withdrawn; and at rest both services know of the same accounts."""
    orders, funds = set[str](), set[str]()
    for event in books.of(ORDER_EVENTS):
        match event:
            case AccountFrozen():
                orders.add(event.account_id)
            case AccountUnfrozen():
                orders.discard(event.account_id)
            case OrderAccepted():
                holds(event.account_id not in orders, f"of a frozen account: {event}")
    for event in books.of(BALANCE_EVENTS):
        match event:
            case FundsFrozen():
                holds(event.frozen != (event.account_id in funds), f"frozen twice: {event}")
                (funds.add if event.frozen else funds.discard)(event.account_id)
            case FundsWithdrawn():
                holds(event.account_id not in funds, f"of a frozen account: {event}")
    holds(orders == funds, f"{orders} are frozen, the money of {funds} is")


def a_day_has_its_limit(books: Books) -> None:
    sums: dict[tuple[str, str, int], int] = defaultdict(int)
    for event in books.of(BALANCE_EVENTS):
        if isinstance(event, FundsDeposited | FundsWithdrawn) and event.limit is not None:
            day = (event.account_id, event.type, event.resets_at or 0)
            sums[day] += event.amount
            holds(sums[day] == event.used, f"{sums[day]} on that day: {event}")
            holds(sums[day] <= event.limit, f"beyond its limit: {event}")


def sequences_have_no_gap(books: Books) -> None:
    for topic in (service.writes for service in SHELL_SERVICES):
        last: dict[str, int] = defaultdict(int)
        seen: set[str] = set()
        for event in books.of(topic):
            expected = last[event.account_id] + 1
            holds(event.sequence == expected, f"{topic.name}: {expected} is due, not {event}")
            holds(event.id not in seen, f"{topic.name}: twice: {event}")
            last[event.account_id] = event.sequence
            seen.add(event.id)


def batches_are_whole(service: Service, records: Sequence[Record]) -> None:
    """Each batch but a claim ends in a record with a checkpoint, names where the own batch before it began, and
    never steps back.
    """
    positions: dict[Any, int] = {}
    begun = previous = -1
    for record in records:
        begun = record.offset if begun < 0 else begun
        carried = checkpoints.carried(record.headers)
        if is_control(record) and record.key == b"control:partition_claimed":
            holds(
                begun == record.offset, f"{service.name}: no checkpoint before the claim {record}"
            )
            previous, begun = begun, -1
            continue
        if carried is None:
            continue
        named = int(dict(record.headers)[PREVIOUS])
        holds(named == previous, f"{service.name}: {named} is named, {previous} is before {record}")
        for tp, position in carried.positions.items():
            holds(position >= positions.get(tp, 0), f"{service.name}: a step back at {record}")
            positions[tp] = position
        previous, begun = begun, -1
    holds(begun < 0, f"{service.name}: the last batch has no checkpoint")
