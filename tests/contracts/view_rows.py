"""Kinds of rows for the contract of views, as plain as may be, and whose they are."""

from typing import Any
from uuid import uuid4

from events.codec import mirror
from events.envelope import Offset, Token, Value
from events.ids import partition_of
from events.topics import ASSETS, BALANCE_EVENTS, ORDER_EVENTS
from infra.views.port import MARKET, Batch, Input, Key, Kind, Row, inputs


@mirror
class Note(Value):
    id: Token
    text: Token
    position: Offset | None = None
    open: bool = False


PLAIN: Kind[Note] = Kind(name="plain", topic=BALANCE_EVENTS, row=Note)
LISTED: Kind[Note] = Kind(
    name="listed",
    topic=ORDER_EVENTS,
    row=Note,
    listed=lambda note: note.position,
    is_open=lambda note: note.open,
    newest=3,
)
AGING: Kind[Note] = Kind(
    name="aging",
    topic=ORDER_EVENTS,
    row=Note,
    listed=lambda note: note.position,
    younger=1_000,
    shared=True,
)
FOLLOWED: Kind[Note] = Kind(name="followed", topic=ORDER_EVENTS, row=Note, followed=True)
ALSO_FOLLOWED: Kind[Note] = Kind(name="also", topic=ORDER_EVENTS, row=Note, followed=True)
CATALOGUE: Kind[Note] = Kind(name="catalogue", topic=ASSETS, row=Note, shared=True)
P = 2
INPUTS = inputs((ORDER_EVENTS, BALANCE_EVENTS, ASSETS), P)
ALICE = str(uuid4())
ORDERS, BALANCES = (
    Input(str(partition_of(ALICE, P)), topic.name, partition_of(ALICE, P))
    for topic in (ORDER_EVENTS, BALANCE_EVENTS)
)
ASSETS_INPUT = Input(MARKET, ASSETS.name, 0)


def note(kind: Kind[Note], id_: str, text: str = "x", owner: str = ALICE, **more: Any) -> Row:
    value = Note(id=id_, text=text, **more)
    return Row(Key(kind, "" if kind.shared else owner, id_), value, fresh=True)


def listed(*positions: int, **more: Any) -> list[Row]:
    return [note(LISTED, f"id-{n}", position=n, **more) for n in positions]


def batch(source: Input, start: int, end: int, *rows: Row, time: int = 1_000) -> Batch:
    return Batch(source, start, end, time, rows)
