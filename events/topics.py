"""Every topic: the only place that names one. Broker set-up, access lists, documents and tests derive from it."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import UnionType
from typing import Any, Generic, Literal, TypeVar, cast, get_args

from pydantic_core import from_json, to_json

from . import order
from .balance import BalanceCommand, BalanceEvent
from .codec import Caster, Decoder, contract, encode
from .control import ControlRecord
from .market import AssetListed, PriceTicked
from .order import OrderCommand, OrderEvent
from .portfolio import PortfolioEvent
from .trade import TradeEvent
from .user import UserMessage

M_co = TypeVar("M_co", covariant=True)
DAY = 86_400_000
MEBIBYTE = 2**20
NOTHING: Mapping[str, Any] = {}


@dataclass(frozen=True, kw_only=True, eq=False)
class Topic(Generic[M_co]):
    """A name, the closed union it carries, its only writer and what its key is."""

    name: str
    carries: Any
    writer: str
    about: str
    key: Literal["account_id", "asset_id"] | None = "account_id"
    partitions: int | None = None
    """None: the cluster's P, and the account's partition is the same in all of them."""
    retention_days: int | None = None
    """None: for ever."""
    compacted: bool = False
    max_message_bytes: int = MEBIBYTE
    compression: Literal["uncompressed", "gzip"] = "uncompressed"
    """As the broker stores it, whatever a writer sends: a codec that a reader lacks would stop it."""
    old: tuple[Any, ...] = ()
    upcasters: Mapping[str, Caster] = field(default_factory=dict)
    downcasters: Mapping[str, Caster] = field(default_factory=dict)
    writes: Mapping[str, int] = field(default_factory=dict)
    """The version of each type with older ones that is written, unless a setting says otherwise."""

    @cached_property
    def types(self) -> tuple[type[Any], ...]:
        """The classes of its messages at their newest versions."""
        members = get_args(self.carries) if isinstance(self.carries, UnionType) else (self.carries,)
        return cast("tuple[type[Any], ...]", members)

    @cached_property
    def decode(self) -> Callable[[bytes], M_co]:
        """Returns what reads a record's value: the message at its newest version. It raises Poison if that is none of
        this topic's.
        """
        return Decoder(self.types, self.old, self.upcasters)

    def held_back(self, allowed: Mapping[str, int] = NOTHING) -> Mapping[str, int]:
        """Returns the version to write of each type that is not to be written at its newest yet: readers go first.
        What is neither allowed here nor in `writes` is written at its oldest version. allowed: by type, also of
        other topics.

        Raises: ValueError if a version is allowed that can't be written.
        """
        held = {}
        for kind in self.types:
            name, newest = kind.type, contract(kind).model_fields["version"].default
            oldest = min(self._old_versions(name), default=newest)
            limit = allowed.get(name, self.writes.get(name, oldest))
            if not oldest <= limit <= newest:
                raise ValueError(
                    f"{name}: version {limit} can't be written, {oldest} to {newest} can"
                )
            if limit < newest:
                held[name] = limit
        return held

    def _old_versions(self, name: str) -> Iterator[int]:
        for model in self.old:
            if model.model_fields["type"].default == name:
                yield model.model_fields["version"].default

    @cached_property
    def _held_back(self) -> Mapping[str, int]:
        return self.held_back()

    def encode(self, message: Any, held_back: Mapping[str, int] | None = None) -> bytes:
        """Returns the message's JSON, at an older version if its type is held back."""
        held = self._held_back if held_back is None else held_back
        raw = encode(message)
        if (limit := held.get(message.type)) is None:
            return raw
        body = from_json(raw)
        for version in range(message.version, limit, -1):
            body = self.downcasters[f"{message.type}.v{version}"](body)
        return to_json(body)


ORDER_COMMANDS: Topic[OrderCommand] = Topic(
    name="order.commands.v1",
    carries=OrderCommand,
    writer="gateway",
    about="What clients ask of their orders.",
    retention_days=7,
)
BALANCE_COMMANDS: Topic[BalanceCommand] = Topic(
    name="balance.commands.v1",
    carries=BalanceCommand,
    writer="gateway",
    about="Deposits and withdrawals asked for.",
    retention_days=7,
)
ORDER_EVENTS: Topic[OrderEvent] = Topic(
    name="order.events.v1",
    carries=OrderEvent,
    writer="order",
    about="The spine: every order's life, in its one true order.",
    old=order.OLD,
    upcasters=order.UPCASTERS,
    downcasters=order.DOWNCASTERS,
    writes=order.WRITES,
)
BALANCE_EVENTS: Topic[BalanceEvent] = Topic(
    name="balance.events.v1",
    carries=BalanceEvent,
    writer="balance",
    about="Every movement of USD, with the balance after it.",
)
PORTFOLIO_EVENTS: Topic[PortfolioEvent] = Topic(
    name="portfolio.events.v1",
    carries=PortfolioEvent,
    writer="portfolio",
    about="Every movement of an asset, with the position after it.",
)
TRADE_EVENTS: Topic[TradeEvent] = Topic(
    name="trade.events.v1",
    carries=TradeEvent,
    writer="tape",
    about="The tape: every fill, for the world, readable without another topic.",
)
ASSETS: Topic[AssetListed] = Topic(
    name="market.assets.v1",
    carries=AssetListed,
    writer="market",
    about="The catalogue.",
    key="asset_id",
    partitions=1,
    compacted=True,
)
PRICES: Topic[PriceTicked] = Topic(
    name="market.prices.v1",
    compression="gzip",
    carries=PriceTicked,
    writer="market",
    about="One record a tick.",
    key=None,
    partitions=1,
    retention_days=7,
)
USER_EVENTS: Topic[UserMessage] = Topic(
    name="user.events.v1",
    carries=UserMessage,
    writer="gateway",
    about="The security audit trail.",
)
TOPICS: tuple[Topic[Any], ...] = (
    ORDER_COMMANDS,
    BALANCE_COMMANDS,
    ORDER_EVENTS,
    BALANCE_EVENTS,
    PORTFOLIO_EVENTS,
    TRADE_EVENTS,
    ASSETS,
    PRICES,
    USER_EVENTS,
)
CONTROL = Decoder(get_args(ControlRecord), (), {})
"""Reads the control records that may stand in any shell service's topic."""


def topic(name: str) -> Topic[Any]:
    """Returns the contract topic of that name. Raises: KeyError."""
    return _BY_NAME[name]


_BY_NAME = {entry.name: entry for entry in TOPICS}


def state_topic(service: str) -> str:
    """Returns the name of the compacted topic that holds a shell service's snapshots: internal, no contract."""
    return f"{service}.state.v1"


def dead_letter_topic(origin: str, reader: str) -> str:
    """Returns the name of the topic in which the reader sets the origin's poison aside."""
    return f"{origin}.{reader}.dlq.v1"
