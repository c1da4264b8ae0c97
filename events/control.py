"""Control records: a writer's bookkeeping inside its topic. The header `kind: control` lets any reader skip them."""

from typing import Literal

from .codec import mirror
from .envelope import Control, Id, Offset, Token


@mirror
class PartitionClaimed(Control):
    """The first record of a take-over: all that an earlier owner got in stands before it."""

    type: Literal["partition_claimed"] = "partition_claimed"
    version: Literal[1] = 1
    owner: Token


@mirror
class PositionNoted(Control):
    """Carries nothing but its checkpoint: the inputs led to no event for long."""

    type: Literal["position_noted"] = "position_noted"
    version: Literal[1] = 1


@mirror
class RecordQuarantined(Control):
    """An input was set aside in its dead-letter topic. account_id: whose later records of that topic are held
    behind it, if it is an event and its account is known; follows: it is one of those later ones.
    """

    type: Literal["record_quarantined"] = "record_quarantined"
    version: Literal[1] = 1
    topic: Token
    partition: Offset
    offset: Offset
    reason: Token
    account_id: Id | None = None
    follows: bool = False


ControlRecord = PartitionClaimed | PositionNoted | RecordQuarantined
