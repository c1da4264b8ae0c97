"""The twin of both views: every generation in this process, as strict about checkpoints as a store is.

newest and younger are kept as a live view keeps them; what a row holds went through its bytes.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from events.codec import encode

from .port import (
    KEPT,
    MARKET,
    Ask,
    AsOf,
    Batch,
    Changed,
    Entry,
    From,
    Input,
    Key,
    Kind,
    Look,
    Mark,
    NotReady,
    One,
    Page,
    Row,
    Since,
    Written,
)

NEVER = 2**53


def wall_ms() -> int:
    return time.time_ns() // 1_000_000


@dataclass
class Shelf:
    """One owner's rows of one kind, and the places of those that are in his list."""

    rows: dict[str, bytes] = field(default_factory=dict)
    places: dict[str, int] = field(default_factory=dict)
    open: dict[str, int] = field(default_factory=dict)

    def put(self, row: Row) -> None:
        kind, id_ = row.key.kind, row.key.id
        for index in (self.rows, self.places, self.open):
            index.pop(id_, None)
        if row.value is None:
            return
        self.rows[id_] = encode(row.value)
        place = kind.listed(row.value)
        if place is not None:
            self.places[id_] = place
            if kind.is_open(row.value):
                self.open[id_] = place

    def trim(self, kind: Kind[Any], now: int) -> None:
        """Drops what a live view does not keep."""
        oldest_first = sorted(self.places, key=lambda id_: self.places[id_])
        if kind.newest:
            gone = oldest_first[: -kind.newest]
        elif kind.younger:
            gone = [id_ for id_ in oldest_first if self.places[id_] < now - kind.younger]
        else:
            return
        for id_ in gone:
            del self.places[id_]
            if id_ not in self.open:
                del self.rows[id_]

    def floor(self, kind: Kind[Any]) -> int:
        full = kind.newest and len(self.places) >= kind.newest
        return min(self.places.values()) if full else 0

    def answer(self, ask: Ask[Any]) -> Any:
        decode = ask.kind.decode
        match ask:
            case One():
                raw = self.rows.get(ask.id)
                return decode(raw) if raw else None
            case Page():
                places = self.open if ask.open else self.places
                below = [i for i in places if ask.before is None or places[i] < ask.before]
                newest_first = sorted(below, key=lambda id_: -places[id_])
                return [decode(self.rows[id_]) for id_ in newest_first[: ask.limit]]
            case From():
                rest = [id_ for id_, place in self.places.items() if place >= ask.position]
                oldest_first = sorted(rest, key=lambda id_: self.places[id_])
                return [decode(self.rows[id_]) for id_ in oldest_first[: ask.limit]]
            case _:
                return {id_: decode(raw) for id_, raw in self.rows.items()}


class Streams:
    """The last entries of each account and topic, as bytes, and the positions from which on they are whole."""

    def __init__(self) -> None:
        self.floors: dict[Input, int] = {}
        self.entries: dict[tuple[str, str], list[tuple[int, str, bytes]]] = {}

    def add(self, batch: Batch, *, shown: bool) -> None:
        if not shown:
            self.floors[batch.input] = batch.end
            return
        for offset, kind, account, value in batch.entries:
            kept = self.entries.setdefault((account, kind.topic.name), [])
            assert not kept or kept[-1][0] < offset, f"two entries of {offset}"
            kept.append((offset, kind.name, encode(value)))
            del kept[:-KEPT]

    def answer(self, ask: Since, account: str, source: Input, end: int) -> list[Entry] | None:
        kept = self.entries.get((account, ask.topic), [])
        dropped = len(kept) >= KEPT and kept[0][0] >= ask.position
        if dropped or not self.floors.get(source, 0) <= ask.position <= end:
            return None
        kinds = {kind.name: kind for kind in ask.kinds}
        found = [entry for entry in kept if entry[0] >= ask.position][: ask.limit]
        return [
            Entry(offset, kinds[name], account, kinds[name].decode(raw))
            for offset, name, raw in found
            if name in kinds
        ]


class MemoryGeneration:
    limit = 500

    def __init__(self, store: "MemoryStore", number: int) -> None:
        self.store = store
        self.number = number
        self.keeps_all = store.keeps_all
        self.is_ready = False
        self.sealed_until = 0
        self.shelves: dict[tuple[str, Kind[Any], str], Shelf] = {}
        self.streams = Streams()
        self.checkpoint: dict[Input, Mark] = {source: Mark(0, 0) for source in store.inputs}

    def shelf(self, place: str, kind: Kind[Any], owner: str) -> Shelf:
        return self.shelves.setdefault((place, kind, owner), Shelf())

    async def marks(self) -> Mapping[Input, Mark]:
        return dict(self.checkpoint)

    async def find(self, place: str, keys: Sequence[Key]) -> Mapping[Key, Any]:
        raw = {key: self.shelf(place, key.kind, key.owner).rows.get(key.id) for key in keys}
        return {key: key.kind.decode(row) for key, row in raw.items() if row}

    async def write(self, batch: Batch) -> Written:
        if self.checkpoint[batch.input].position != batch.start:
            return "moved"
        if self.sealed_until > self.store.now():
            return "sealed"
        self.checkpoint[batch.input] = Mark(batch.end, batch.time)
        place = batch.input.place
        touched = {(row.key.kind, row.key.owner) for row in batch.rows}
        for row in batch.rows:
            shelf = self.shelf(place, row.key.kind, row.key.owner)
            # A history finds a list's row by the pointer that it wrote when the row was new.
            assert row.fresh or not self.keeps_all or row.key.id in shelf.rows, row.key
            shelf.put(row)
        if self.keeps_all:
            return "written"
        self.streams.add(batch, shown=self.is_ready)
        for kind, owner in touched | {(kind, "") for kind in batch.aging}:
            self.shelf(place, kind, owner).trim(kind, batch.time)
        if self.store.number == self.number:
            self.store.tell(batch)
        return "written"

    async def set_ready(self, at: Mapping[Input, int]) -> bool:
        stands = all(
            self.checkpoint[source].position == position for source, position in at.items()
        )
        self.is_ready |= stands
        return stands

    async def seal(self, until: int) -> None:
        self.sealed_until = until

    async def digests(self) -> Mapping[str, bytes]:
        return {
            f"{place}/{kind.name}/{owner}/{id_}": sha256(raw).digest()
            for (place, kind, owner), shelf in self.shelves.items()
            for id_, raw in shelf.rows.items()
        }

    def look(self, place: str, account: str, asks: Sequence[Ask[Any]]) -> Look:
        marks = {
            source.topic: mark
            for source, mark in self.checkpoint.items()
            if source.place == place and mark.position
        }
        as_of = AsOf(
            max((mark.time for mark in marks.values()), default=0),
            {topic: mark.position for topic, mark in marks.items()},
        )
        found = [self.answer(place, account, ask) for ask in asks]
        return Look(as_of, [answer for answer, _ in found], [floor for _, floor in found])

    def answer(self, place: str, account: str, ask: Ask[Any]) -> tuple[Any, int]:
        """Returns the answer and the list's floor."""
        if isinstance(ask, Since):
            source = next(i for i in self.checkpoint if (i.place, i.topic) == (place, ask.topic))
            end = self.checkpoint[source].position
            return self.streams.answer(ask, account, source, end), 0
        shelf = self.shelf(place, ask.kind, ask.owner(account))
        return shelf.answer(ask), 0 if self.keeps_all else shelf.floor(ask.kind)


class MemoryStore:
    """Generations and their reading. now: ms since the epoch; keeps_all: it is a history."""

    def __init__(
        self,
        inputs: Sequence[Input],
        partitions: int,
        *,
        keeps_all: bool = False,
        now: Callable[[], int] = wall_ms,
    ) -> None:
        self.inputs, self.partitions, self.keeps_all, self.now = inputs, partitions, keeps_all, now
        self.generations = {1: MemoryGeneration(self, 1)}
        self.number = self.newest = 1
        self.listeners: set[asyncio.Queue[Changed | None]] = set()

    async def ensure(self) -> None:
        """Nothing is ever lost here but all of it."""

    async def serving(self) -> int:
        return self.number

    async def create(self) -> MemoryGeneration:
        self.newest += 1
        return await self.open(self.newest)

    async def open(self, number: int) -> MemoryGeneration:
        return self.generations.setdefault(number, MemoryGeneration(self, number))

    async def switch(self, old: int, new: int) -> bool:
        if self.number != old:
            return False
        self.number = new
        return True

    async def drop(self, number: int) -> None:
        gone = await self.open(number)
        gone.is_ready, gone.sealed_until = False, NEVER
        gone.shelves.clear()
        gone.streams = Streams()

    async def look(self, place: str, account: str, asks: Sequence[Ask[Any]]) -> Look:
        serving = self.generations[self.number]
        if not serving.is_ready:
            raise NotReady(f"generation {self.number}")
        return serving.look(place, account, asks)

    def tell(self, batch: Batch) -> None:
        _, topic, partition = batch.input
        changed = Changed(topic, partition, batch.end, batch.accounts, batch.waited_for())
        for listener in self.listeners if batch.accounts or batch.input.place == MARKET else ():
            listener.put_nowait(changed)

    async def changes(self) -> AsyncIterator[Changed | None]:
        told: asyncio.Queue[Changed | None] = asyncio.Queue()
        self.listeners.add(told)
        try:
            yield None
            while True:
                yield await told.get()
        finally:
            self.listeners.remove(told)
