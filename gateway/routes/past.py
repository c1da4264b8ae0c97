"""/stream/past: what moved the account's money and what its orders were filled with, told again from the history."""

from collections.abc import Mapping
from typing import Annotated, Literal

from fastapi import Header, Query
from pydantic import BaseModel

from gateway.deps import Customer, PartsDep
from gateway.following import POSITION, positions
from gateway.problems import Responses, invalid, refusals
from gateway.projections.balances import LEDGER
from gateway.projections.orders import TRADE
from gateway.retelling import Chapter, EndView, Retelling
from gateway.route import resource
from gateway.routes.balance import TransactionView, line
from gateway.routes.stream import AuthExpiredEvent, ErrorEvent, opened
from gateway.routes.trades import TradeView, trade
from gateway.sse import EventStream

router = resource("stream")
MOST = 1_000
CHAPTERS: Mapping[str, Chapter] = {
    "transactions": Chapter(LEDGER, "transaction", line),
    "trades": Chapter(TRADE, "trade", trade),
}
"""What can be told again, by the names that clients know."""
ALL = ",".join(CHAPTERS)
NAME = f"({'|'.join(CHAPTERS)})"
Chapters = Annotated[
    str,
    Query(
        pattern=f"^{NAME}(,{NAME})*$",
        max_length=64,
        examples=["trades"],
        description="What to tell of, with commas.",
    ),
]
Limit = Annotated[int, Query(ge=1, le=MOST, description="Events before the end.")]
Start = Annotated[
    str | None,
    Header(
        alias="Last-Event-ID",
        pattern=f"^{POSITION.pattern}$",
        description="The id of an event of this or of `/stream`: what came after it is told. Without it all is.",
        examples=["b:7,o:12"],
    ),
]


class TransactionEvent(BaseModel):
    event: Literal["transaction"]
    id: str
    data: TransactionView


class TradeEvent(BaseModel):
    event: Literal["trade"]
    id: str
    data: TradeView


class EndEvent(BaseModel):
    """The last of these: another one goes on from its id."""

    event: Literal["end"]
    id: str
    data: EndView


Event = TransactionEvent | TradeEvent | EndEvent | AuthExpiredEvent | ErrorEvent
EVENTS: Responses = {200: {"model": list[Event], "description": "Events, one after the other."}}


@router.get(
    "/past",
    status_code=200,
    response_class=EventStream,
    responses=refusals("too_many_streams", "overloaded") | EVENTS,
)
async def past(
    account: Customer,
    parts: PartsDep,
    channels: Chapters = ALL,
    limit: Limit = MOST,
    resume: Start = None,
) -> EventStream:
    """Returns server-sent events of what is past, the oldest first, each with its own position, and at last `end`.

    Whom `/stream` told `reset` finds here what he missed. What happens meanwhile may not be among it: the history is
    some moments behind. Raises: Refused with too_many_streams, overloaded; NotReady, Unavailable.
    """
    chapters = [CHAPTERS[name] for name in CHAPTERS if name in channels.split(",")]
    topics = {chapter.kind.topic.name: 0 for chapter in chapters}
    start = topics if resume is None else positions(resume, topics)
    if start is None:
        raise invalid("header/Last-Event-ID", "unknown_position", "Names not each channel's topic")
    retelling = Retelling(parts.streams.history, account.id, chapters, start, limit)
    return await opened(parts, account, retelling)
