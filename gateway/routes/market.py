"""/market: the prices, as they are told."""

from typing import Annotated, Literal

from fastapi import Query
from pydantic import BaseModel

from gateway.deps import PUBLIC, PartsDep
from gateway.problems import Responses, invalid, refusals
from gateway.route import resource
from gateway.routes.stream import ErrorEvent, Resume
from gateway.sse import EventStream
from gateway.ticker import PricesView, Watching

router = resource("market")
SYMBOL = "[A-Z0-9]{1,16}"
AssetIds = Annotated[
    str | None,
    Query(
        pattern=f"^{SYMBOL}(,{SYMBOL}){{0,99}}$",
        examples=["BTC,ETH"],
        description="Which assets, with commas; all, if it is missing.",
    ),
]


class PricesEvent(BaseModel):
    """Of each asset the newest price, if one was told since the event before."""

    event: Literal["prices"]
    id: str
    data: PricesView


EVENTS: Responses = {
    200: {"model": list[PricesEvent | ErrorEvent], "description": "Events, one after the other."}
}


@router.get(
    "/stream",
    status_code=200,
    response_class=EventStream,
    responses=refusals("overloaded") | EVENTS,
    dependencies=[PUBLIC],
)
async def market_stream(
    parts: PartsDep, assets: AssetIds = None, resume: Resume = None
) -> EventStream:
    """Returns server-sent events: the newest price of each asset, then those that were told since, at most four times
    a second.

    Raises: Refused with overloaded; NotReady before the first price.
    """
    wanted = frozenset(assets.split(",")) if assets else None
    for asset_id in wanted or ():
        if parts.catalogue.quote(asset_id) is None:
            raise invalid("query/assets", "asset_unknown", f"{asset_id} is not listed")
    watching = Watching(parts.streams.ticker, wanted, resume)
    return EventStream(await parts.streams.hub.admit(watching, None).begin())
