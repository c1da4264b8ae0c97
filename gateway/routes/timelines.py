"""/orders/{id}/timeline: what an order went through, step by step, and where each lies in the log."""

from collections.abc import Iterable, Iterator
from heapq import merge
from typing import NamedTuple

from pydantic import BaseModel

from events.ids import partition_of
from events.order import PlaceOrder
from events.topics import ORDER_COMMANDS
from gateway.as_of import AsOfView, shown
from gateway.problems import Refused
from gateway.projections.orders import ORDER, Status
from gateway.projections.outcomes import AGE
from gateway.projections.timelines import (
    ASSETS_TIMELINE,
    FUNDS_TIMELINE,
    ORDER_TIMELINE,
    TimelineRow,
)
from gateway.read_route import read
from gateway.reading import Reads
from gateway.route import resource
from gateway.routes.orders import OrderId
from gateway.times import Timestamp
from infra.views.port import AsOf, One

router = resource("orders")
TIMELINES = (ORDER_TIMELINE, FUNDS_TIMELINE, ASSETS_TIMELINE)
Asked = One[TimelineRow]
ASKED = "place_order"
RANKS = {
    "order_accepted": 1,
    **dict.fromkeys(("funds_reserved", "funds_refused", "assets_reserved", "assets_refused"), 2),
    **dict.fromkeys(("funds_settled", "position_changed"), 4),
    **dict.fromkeys(("funds_released", "assets_released"), 5),
}
"""What of one millisecond comes first, of different topics: each answers what has a lower rank; all else has 3."""


class StepView(BaseModel):
    """An event, or at first the command. time: of its append; latency_ms: since the step before."""

    type: str
    topic: str
    partition: int
    offset: int | None
    time: Timestamp
    latency_ms: int


class TimelineView(BaseModel):
    """latency_ms: from the command to the last step, and so of all steps together. left_out: steps that are not shown:
    of an order with very many, the first and the newest of each topic are.
    """

    order_id: str
    status: Status
    latency_ms: int
    steps: list[StepView]
    left_out: int
    as_of: AsOfView | None


class Step(NamedTuple):
    """time: ms since the epoch; rank: see RANKS."""

    time: int
    rank: int
    topic: str
    name: str
    offset: int | None


@read(router, "/{order_id}/timeline", "not_found")
async def order_timeline(order_id: OrderId, reads: Reads) -> TimelineView:
    """Returns every step that the order went through, from the command on. One that is not in view yet has none.

    Raises: Refused with not_found; NotReady, Lagging, Unavailable.
    """
    account_id, parts = reads.account.id, reads.parts
    as_of, order, o, b, p = await reads.view.read(
        account_id, One(ORDER, order_id), *asked(order_id)
    )
    if order is None:
        command = await parts.edge.pending(ORDER_COMMANDS, account_id, order_id)
        if not isinstance(command, PlaceOrder):
            raise Refused("not_found")
        return view(order_id, "pending_new", [], 0)
    if order.created_at < as_of.time - AGE and None in (o, b, p):
        _, o, b, p = await reads.view.read(account_id, *asked(order_id, aged=True))
    partition = partition_of(account_id, parts.view.reading.partitions)
    told = [(kind, row) for kind, row in zip(TIMELINES, (o, b, p), strict=True) if row is not None]
    found = merge(*(steps(kind.topic.name, row) for kind, row in told), key=lambda step: step[:2])
    left_out = sum(row.left_out for _, row in told)
    return view(order_id, order.status, list(located(found, partition)), left_out, as_of)


def asked(order_id: str, *, aged: bool = False) -> tuple[Asked, Asked, Asked]:
    one, two, three = (One(kind, order_id, aged=aged) for kind in TIMELINES)
    return one, two, three


def steps(topic: str, row: TimelineRow) -> Iterator[Step]:
    """Yields the steps in the topic's order, the command before the first."""
    if row.asked_at is not None:
        yield Step(row.asked_at, 0, ORDER_COMMANDS.name, ASKED, row.asked_offset)
    for step in row.steps:
        yield Step(step.time, RANKS.get(step.name, 3), topic, step.name, step.offset)


def located(found: Iterable[Step], partition: int) -> Iterator[StepView]:
    """Yields each step with the time since the one before."""
    before: int | None = None
    for time, _, topic, name, offset in found:
        yield StepView(
            type=name,
            topic=topic,
            partition=partition,
            offset=offset,
            time=time,
            latency_ms=0 if before is None else time - before,
        )
        before = time


def view(
    order_id: str, status: Status, found: list[StepView], left_out: int, as_of: AsOf | None = None
) -> TimelineView:
    return TimelineView(
        order_id=order_id,
        status=status,
        latency_ms=sum(step.latency_ms for step in found),
        steps=found,
        left_out=left_out,
        as_of=shown(as_of) if as_of else None,
    )
