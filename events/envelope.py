"""What every message on a topic has: its name and version first, then who, when and why.

The classes below are the contract (strict, frozen, a newer writer's fields ignored). Fields that a decider
leaves blank are stamped by the shell before the message is written; on the wire none may be missing.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

SAFE_INTEGER = 2**53
"""The first integer that a JavaScript consumer can't tell from the next."""

Id = Annotated[str, Field(min_length=36, max_length=36)]
Amount = Annotated[int, Field(ge=0, lt=SAFE_INTEGER)]
"""Minor units of one asset, or a price at its asset's price_scale."""
SignedAmount = Annotated[int, Field(ge=-SAFE_INTEGER + 1, lt=SAFE_INTEGER)]
Count = Annotated[int, Field(ge=0, lt=SAFE_INTEGER)]
Offset = Annotated[int, Field(ge=0, lt=SAFE_INTEGER)]
Revision = Annotated[int, Field(ge=1, lt=SAFE_INTEGER)]
Millis = Annotated[int, Field(ge=1, lt=SAFE_INTEGER)]
"""Milliseconds since the epoch."""
BasisPoints = Annotated[int, Field(ge=0, lt=10_001)]
Scale = Annotated[int, Field(ge=0, lt=19)]
"""How many decimal digits stand behind the point."""
AssetId = Annotated[str, Field(min_length=1, max_length=16)]
Token = Annotated[str, Field(min_length=1, max_length=64)]
"""A request's id, a client's order id, a reason, a fingerprint: made or checked at the edge."""


class Value(BaseModel):
    """Something told by its fields alone: a message, a part of one, a row."""

    model_config = ConfigDict(frozen=True, extra="ignore", strict=True, validate_default=True)


class Message(Value):
    """One record's value. A reader finds the class by these two, which stand first."""

    type: str
    version: int


class Command(Message):
    """Asks. created_at: the client's first try; occurred_at: this one's; fingerprint: of the request's body."""

    id: Id
    account_id: Id
    occurred_at: Millis
    created_at: Millis
    correlation_id: Token
    fingerprint: Token


class Event(Message):
    """Happened. sequence: per account and topic, from 1, without a gap; causation_id: the input's id;
    command_id: the client's command that it answers or carries out; occurred_at: the input's append time.
    """

    id: Id = ""
    account_id: Id
    occurred_at: Millis = 0
    sequence: Revision = 0
    causation_id: Id = ""
    command_id: Id = ""
    correlation_id: Token = ""


class MarketEvent(Message):
    """Happened on the market: belongs to no account."""

    id: Id
    occurred_at: Millis


class UserEvent(Message):
    """Happened at the edge. Never a secret, a name or an address."""

    id: Id
    account_id: Id
    occurred_at: Millis
    correlation_id: Token


class Control(Message):
    """Bookkeeping of a topic's writer; the header `kind: control` lets every reader skip it."""

    occurred_at: Millis = 0
