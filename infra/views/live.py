"""The live view, in Redis: what is new. All rows and checkpoints of a place share a hash tag, so that one
script writes a batch whole and one reads an answer as of one moment.

live:GENERATION:{PLACE}:checkpoint        hash: topic, time:topic and floor:topic; ready; sealed
live:GENERATION:{PLACE}:rows:KIND:OWNER   hash: the rows by id
live:GENERATION:{PLACE}:list:KIND:OWNER   sorted set: ids by their place in the list
live:GENERATION:{PLACE}:open:KIND:OWNER   sorted set: the ids of open ones
live:GENERATION:{PLACE}:stream:TOPIC:ACCOUNT   stream: the last entries by their offsets; all from the floor on
live:serving, live:newest                 numbers of generations
live:changed                              a channel: what changed
"""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from hashlib import sha256
from importlib.resources import files
from itertools import chain, islice
from typing import Any

from msgspec import Raw
from msgspec.json import Decoder
from redis.asyncio import Redis
from redis.exceptions import RedisError

from events.codec import encode
from infra.breaker import Breaker
from infra.stores import redis
from infra.together import Together
from infra.unavailable import Unavailable

from .port import (
    KEPT,
    MARKET,
    Ask,
    AsOf,
    Batch,
    Changed,
    Entry,
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

LIMIT = 500  # while the script runs, nobody else is served
ANSWER_WITHIN = 2_000  # ms; for a batch, of which a busy server may be long in writing
READ_WITHIN = 500  # ms; for who waits for an answer: the history has it, too
LISTEN = 1.0  # s
TIME = "time:"
PARTS = ("rows", "list", "open", "stream")
FIRST = 1
NEVER = 2**53
CUT = 1_000


def script(name: str) -> str:
    return files("infra.views").joinpath(f"{name}.lua").read_text()


def connect(url: str, within: int = ANSWER_WITHIN) -> Redis:
    return redis.connect(url, within)


@contextmanager
def answering() -> Iterator[None]:
    """Raises: Unavailable if a call inside failed."""
    try:
        yield
    except (RedisError, OSError) as failure:
        raise Unavailable("redis") from failure


Asked = tuple[str, Sequence[Ask[Any]]]
"""An account, and what is asked of it."""


class LiveGeneration:
    keeps_all = False

    def __init__(self, store: "LiveStore", number: int) -> None:
        self.store = store
        self.client = store.client
        self.number = number
        self.limit = LIMIT
        self._write = store.client.register_script(script("write"))
        self._ready = store.client.register_script(script("ready"))
        self._is_ready = False  # nobody hears of what nobody is shown, and no entry is kept of it

    def key(self, place: str, *names: str) -> str:
        return self.store.key(self.number, place, *names)

    async def marks(self) -> Mapping[Input, Mark]:
        with answering():
            async with self.client.pipeline(transaction=False) as pipe:
                for place, topic, _ in self.store.inputs:
                    pipe.hmget(self.key(place, "checkpoint"), [topic, f"{TIME}{topic}", "ready"])
                found = await pipe.execute()
        self._is_ready = all(ready for *_, ready in found)  # also if another life made it so
        return {
            source: Mark(int(position or 0), int(time or 0))
            for source, (position, time, _) in zip(self.store.inputs, found, strict=True)
        }

    async def find(self, place: str, keys: Sequence[Key]) -> Mapping[Key, Any]:
        owned: dict[str, list[Key]] = defaultdict(list)
        for key in keys:
            owned[self.key(place, "rows", key.kind.name, key.owner)].append(key)
        with answering():
            async with self.client.pipeline(transaction=False) as pipe:
                for name, wanted in owned.items():
                    pipe.hmget(name, [key.id for key in wanted])
                found = chain.from_iterable(await pipe.execute())
        asked = chain.from_iterable(owned.values())
        return {key: key.kind.decode(raw) for key, raw in zip(asked, found, strict=True) if raw}

    async def write(self, batch: Batch) -> Written:
        groups: dict[tuple[Kind[Any], str], list[Row]] = defaultdict(list)
        for kind in batch.aging:
            groups[kind, ""] = []
        for row in batch.rows:
            groups[row.key.kind, row.key.owner].append(row)
        told = batch.entries if self._is_ready else ()
        raw = {id(entry.value): encode(entry.value) for entry in told}
        lines: list[bytes] = []
        for (kind, owner), rows in groups.items():
            lines.append(head(kind, owner, batch.time, len(rows)))
            lines += [line(row, raw.get(id(row.value))) for row in rows]
        place, topic, _ = batch.input
        marks = (topic, batch.start, batch.end, batch.time)
        args = (
            self.key(place, ""),
            *marks,
            self.store.channel,
            message(self.number, batch) if self._is_ready else b"",
            b"\n".join(lines),
            b"\n".join(entry_line(entry, raw[id(entry.value)]) for entry in told),
            KEPT if self._is_ready else "",
        )
        with answering():
            answer: bytes = await self._write([self.key(place, "checkpoint")], args)
        written: Written = answer.decode()  # type: ignore[assignment]
        return written

    async def set_ready(self, at: Mapping[Input, int]) -> bool:
        with answering():
            for place in self.store.places:
                marks = [(source.topic, at[source]) for source in at if source.place == place]
                args: list[str | int] = [part for mark in marks for part in mark]
                if not await self._ready([self.key(place, "checkpoint")], args):
                    return False
        self._is_ready = True
        return True

    async def seal(self, until: int) -> None:
        with answering():
            for place in self.store.places:
                await self.client.hset(self.key(place, "checkpoint"), "sealed", until)

    async def digests(self) -> Mapping[str, bytes]:
        digests = {}
        with answering():
            async for name in self.client.scan_iter(self.key("*", "rows", "*"), CUT):
                _, _, tag, _, kind, owner = name.decode().rsplit(":", 5)
                async for id_, raw in self.client.hscan_iter(name, count=CUT):
                    digests[f"{tag[1:-1]}/{kind}/{owner}/{id_.decode()}"] = sha256(raw).digest()
        return digests


def head(kind: Kind[Any], owner: str, time: int, rows: int) -> bytes:
    """Returns the line before so many rows of a kind and owner, as write.lua takes it."""
    cutoff = time - kind.younger if kind.younger else ""
    return f"{kind.name}\t{owner}\t{kind.newest or 0}\t{cutoff}\t{rows}".encode()


def line(row: Row, raw: bytes | None) -> bytes:
    """Returns the row as write.lua takes it. JSON has neither tabs nor line feeds of its own. raw: its bytes, if
    somebody has them.
    """
    (kind, _, id_), value, _ = row
    if value is None:
        return f"{id_}\t\t\t".encode()
    place = kind.listed(value)
    where = "" if place is None else place
    state = int(kind.is_open(value)) if kind.opens else ""
    return f"{id_}\t{where}\t{state}\t".encode() + (raw or encode(value))


def entry_line(entry: Entry, raw: bytes) -> bytes:
    return f"{entry.account}\t{entry.offset}\t{entry.kind.name}\t".encode() + raw


Message = tuple[int, str, int, int, frozenset[str], dict[str, Raw]]
"""What the channel tells: the generation's number, and what Changed has."""
MESSAGE: Decoder[Message] = Decoder(Message)


def message(number: int, batch: Batch) -> bytes:
    """Returns what the channel tells of the batch; nothing if nobody waits for it."""
    if not batch.accounts and batch.input.place != MARKET:
        return b""
    rows = {id_: Raw(row) for id_, row in batch.waited_for().items()}
    told: Message = (number, *batch.input[1:], batch.end, batch.accounts, rows)
    return encode(told)


class LiveStore:
    """Generations and their reading. inputs: what the view folds; partitions: P; name: of all its keys; breaker: before
    the server, for all who read there.
    """

    def __init__(
        self,
        client: Redis,
        inputs: Sequence[Input],
        partitions: int,
        name: str = "live",
        breaker: Breaker | None = None,
    ) -> None:
        self._breaker = breaker or Breaker("redis")
        self.client, self.inputs, self.partitions, self.name = client, inputs, partitions, name
        self.places = {source.place for source in inputs}
        self.channel = f"{name}:changed"
        self._number = 0
        self._read = client.register_script(script("read"))
        self._together = {
            place: Together(partial(self._look_for_all, place)) for place in self.places
        }
        self._switch = client.register_script(script("switch"))

    def key(self, number: int, place: str, *names: str) -> str:
        return ":".join((self.name, str(number), f"{{{place}}}", *names))

    async def ensure(self) -> None:
        """Redis makes a key when it is written."""

    async def serving(self) -> int:
        with answering():
            return int(await self.client.get(f"{self.name}:serving") or FIRST)

    async def create(self) -> LiveGeneration:
        with answering():
            await self.client.set(f"{self.name}:newest", FIRST, nx=True)
            return LiveGeneration(self, await self.client.incr(f"{self.name}:newest"))

    async def open(self, number: int) -> LiveGeneration:
        return LiveGeneration(self, number)

    async def switch(self, old: int, new: int) -> bool:
        with answering():
            return bool(await self._switch([f"{self.name}:serving"], [old, new, FIRST]))

    async def drop(self, number: int) -> None:
        with answering():
            for place in self.places:
                # First, and for ever: readers find it not ready, a late writer is refused.
                async with self.client.pipeline(transaction=True) as pipe:
                    pipe.delete(checkpoint := self.key(number, place, "checkpoint"))
                    pipe.hset(checkpoint, "sealed", NEVER)
                    await pipe.execute()
            for part in PARTS:
                async for name in self.client.scan_iter(self.key(number, "*", part, "*"), CUT):
                    await self.client.unlink(name)

    async def look(self, place: str, account: str, asks: Sequence[Ask[Any]]) -> Look:
        """Returns the answers. Who asks of a place at the same time is shown the same moment of it."""
        with self._breaker:
            return await self._together[place].ask((account, asks))

    async def _look_for_all(self, place: str, asked: Sequence[Asked]) -> Sequence[Look]:
        with answering():
            looks = await self._look(place, asked) if self._number else None
            if looks is None:
                self._number = await self.serving()
                looks = await self._look(place, asked)
        if looks is None:
            raise NotReady(f"generation {self._number} of the live view")
        return looks

    async def _look(self, place: str, asked: Sequence[Asked]) -> Sequence[Look] | None:
        """Returns what each asked for, None if the generation is not ready."""
        number = self._number
        keys = [self.key(number, place, "checkpoint")]
        args: list[str | int] = []
        for account, asks in asked:
            for ask in asks:
                keys += [self.key(number, place, *names) for names in names_of(ask, account)]
                args += question(ask)
        marks, *answers = await self._read(keys, args)
        checkpoint = dict(zip(marks[::2], marks[1::2], strict=True))
        if b"ready" not in checkpoint:
            return None
        shown, rest = as_of(checkpoint), iter(answers)
        return [told(shown, *who, list(islice(rest, len(who[1])))) for who in asked]

    async def changes(self) -> AsyncIterator[Changed | None]:
        while True:
            try:
                async with self.client.pubsub() as channel:
                    await channel.subscribe(self.channel)
                    while True:
                        heard = await channel.get_message(timeout=LISTEN)
                        if heard and heard["type"] == "subscribe":  # also after it was cut
                            yield None
                        elif heard and (changed := await self._changed(heard["data"])):
                            yield changed
            except (RedisError, OSError, Unavailable):
                await asyncio.sleep(0.1)

    async def _changed(self, raw: bytes) -> Changed | None:
        """Returns what changed, None if that is a generation that is not shown."""
        number, topic, partition, position, accounts, rows = MESSAGE.decode(raw)
        if number != self._number:
            self._number = await self.serving()
        if number != self._number:
            return None
        told = {id_: bytes(row) for id_, row in rows.items()}
        return Changed(topic, partition, position, accounts, told)


def told(shown: AsOf, account: str, asks: Sequence[Ask[Any]], answers: Sequence[Any]) -> Look:
    """Returns what read.lua answered to one who asked."""
    found = [answer(ask, account, raw) for ask, (raw, _) in zip(asks, answers, strict=True)]
    return Look(shown, found, [int(floor) for _, floor in answers])


def names_of(ask: Ask[Any], account: str) -> Sequence[Sequence[str]]:
    """Returns the names of the two keys that read.lua takes with a question."""
    if isinstance(ask, Since):
        return [("stream", ask.topic, account)] * 2
    listed = "open" if isinstance(ask, Page) and ask.open else "list"
    return [(part, ask.kind.name, ask.owner(account)) for part in ("rows", listed)]


def question(ask: Ask[Any]) -> tuple[str | int, ...]:
    """Returns the question as read.lua takes it."""
    match ask:
        case Since():
            return ("since", ask.topic, ask.position, ask.limit, KEPT)
        case One():
            return ("one", ask.id, ask.kind.newest or 0, "", "")
        case Page():
            before = "" if ask.before is None else ask.before
            return ("page", before, ask.limit, 0 if ask.open else ask.kind.newest or 0, "")
        case _:
            return ("all", "", "", "", "")


def entries(ask: Since, account: str, raw: Any) -> Sequence[Entry] | None:
    """Returns what read.lua answered, decoded."""
    if raw is None:
        return None
    kinds = {kind.name.encode(): kind for kind in ask.kinds}
    return [
        Entry(int(id_.partition(b"-")[0]), kinds[name], account, kinds[name].decode(row))
        for id_, (name, row) in raw
        if name in kinds
    ]


def answer(ask: Ask[Any], account: str, raw: Any) -> Any:
    """Returns what read.lua answered, decoded."""
    if isinstance(ask, Since):
        return entries(ask, account, raw)
    decode = ask.kind.decode
    match ask:
        case One():
            return decode(raw) if raw else None
        case Page():
            return [decode(row) for row in raw]
        case _:
            return {id_.decode(): decode(row) for id_, row in zip(raw[::2], raw[1::2], strict=True)}


def as_of(checkpoint: Mapping[bytes, bytes]) -> AsOf:
    marks = {name.decode(): int(value) for name, value in checkpoint.items()}
    positions = {name: value for name, value in marks.items() if f"{TIME}{name}" in marks}
    return AsOf(max((marks[f"{TIME}{name}"] for name in positions), default=0), positions)
