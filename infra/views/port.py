"""The views as those who read them and the one who writes them see them.

A view is a set of rows, each a fold of one topic, and for each (topic, partition) the checkpoint up to
which it was folded. Rows and checkpoint move together, whole or not at all, and only from where the
checkpoint stands. `live` keeps what is new, `history` everything; both answer to this port.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Generic, Literal, NamedTuple, Protocol, TypeVar, overload

from events.codec import encode, value_decoder
from events.envelope import Value
from events.ids import partition_of
from events.topics import Topic

R = TypeVar("R", bound=Value)
T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")

MARKET = "market"
"""The place of what belongs to no account; an account's place is its partition."""
KEPT = 100
"""How many entries of an account and a topic a live view keeps at least."""


class NotReady(Exception):
    """The view is being built: what it shows is of the past, what it lacks may exist."""


class Lagging(Exception):
    """The answer needs rows that this view has not folded yet; a moment later it has."""


def never(_: object) -> bool:
    return False


@dataclass(frozen=True, kw_only=True, eq=False)
class Kind(Generic[R]):
    """One kind of row. topic: the one that alone feeds it.

    listed: the row's place in its owner's list, newest first: a log position, or for `younger` the time
    (ms) at which it was over. None: not in a list (yet).
    newest: how many of a list a live view keeps beside the open ones; younger: for how long (ms) it does.
    shared: the rows are not an account's own; who knows the id may read it. quiet: nobody waits for what they say.
    followed: its account may follow what each event makes of a row; a topic's event changes no two such rows, and none
    goes.
    """

    name: str
    topic: Topic[Any]
    row: type[R]
    listed: Callable[[R], int | None] = lambda _: None
    is_open: Callable[[R], bool] = never
    newest: int | None = None
    younger: int | None = None
    shared: bool = False
    quiet: bool = False
    followed: bool = False

    @cached_property
    def opens(self) -> bool:
        """Returns whether a row of it is ever open."""
        return self.is_open is not never

    @cached_property
    def decode(self) -> Callable[[bytes], R]:
        return value_decoder(self.row)


class Key(NamedTuple):
    """owner: the account, or account/asset, empty if shared; id: tells the row apart among the owner's."""

    kind: Kind[Any]
    owner: str
    id: str

    @property
    def weight(self) -> int:
        """Returns what the row counts of a batch's limit: twice, if a list's row is also found by an id of its own."""
        return 1 if self.kind.newest is None or self.id.isdigit() else 2


# ------------------------------------------------------------------------------------ reading


class AsOf(NamedTuple):
    """What a reader was shown. positions: by topic, the next offset to be folded; time: ms since the
    epoch, of the newest record folded; 0: nothing was.
    """

    time: int
    positions: Mapping[str, int]

    def __str__(self) -> str:
        return ",".join([f"{topic[0]}:{at}" for topic, at in sorted(self.positions.items())])


class Listed(NamedTuple, Generic[T_co]):
    """Rows of a list, newest first. more: there are others below the last one."""

    rows: Sequence[T_co]
    more: bool


class Ask(Generic[T]):
    """A question that a view answers, several of them in one round trip; T: the answer."""

    kind: Kind[Any]
    scope: str

    def owner(self, account: str) -> str:
        """Returns the owner of the rows asked for. scope: the asset, where a list is an asset's."""
        if self.kind.shared:
            return ""
        return f"{account}/{self.scope}" if self.scope else account


@dataclass(frozen=True)
class One(Ask[R | None], Generic[R]):
    """Answered with the row, None if there is none. aged: a live view may have dropped it for its age."""

    kind: Kind[R]
    id: str
    scope: str = ""
    aged: bool = False


@dataclass(frozen=True)
class All(Ask[Mapping[str, R]], Generic[R]):
    """Answered with the owner's rows by id. For kinds without a list."""

    kind: Kind[R]
    scope: str = ""


@dataclass(frozen=True)
class Page(Ask[Listed[R]], Generic[R]):
    """Answered with the newest `limit` rows of a list below the position `before`. open: only open ones,
    which a live view has all and a history does not know apart.
    """

    kind: Kind[R]
    limit: int
    before: int | None = None
    scope: str = ""
    open: bool = False


@dataclass(frozen=True)
class From(Ask[Sequence[R]], Generic[R]):
    """Answered with the first `limit` rows of a list from the position on, the oldest first. Only a history has any."""

    kind: Kind[R]
    position: int
    limit: int
    scope: str = ""


class Entry(NamedTuple):
    """What an event made of a followed row. offset: the event's; value: the row after it."""

    offset: int
    kind: Kind[Any]
    account: str
    value: Any


@dataclass(frozen=True)
class Since(Ask[Sequence[Entry] | None]):
    """Answered with the first `limit` entries of the account from the position on, None unless the view has all of
    them. Only a live view has any. kinds: the followed ones of one topic.
    """

    kinds: tuple[Kind[Any], ...]
    position: int
    limit: int

    @property
    def topic(self) -> str:
        return self.kinds[0].topic.name


class Reading(Protocol):
    """Reads the serving generation of a view."""

    @property
    def partitions(self) -> int:
        """Returns P."""

    async def look(self, place: str, account: str, asks: Sequence[Ask[Any]]) -> "Look":
        """Returns what the view has at the place. Raises: NotReady, Lagging, Unavailable."""


class Look(NamedTuple):
    """The answers in the order of the questions, a page as the mere rows.

    as_of: they are of that moment (live), or of no earlier one (history). floors: every row of the list
    that was asked stands in this view if its position is at or above this; 0: so do all.
    """

    as_of: AsOf
    answers: Sequence[Any]
    floors: Sequence[int]


class View:
    """The typed side of a Reading. account: None asks the market's rows."""

    def __init__(self, reading: Reading) -> None:
        self.reading = reading

    @overload
    async def read(self, account: str | None, a: Ask[A], /) -> tuple[AsOf, A]: ...
    @overload
    async def read(self, account: str | None, a: Ask[A], b: Ask[B], /) -> tuple[AsOf, A, B]: ...
    @overload
    async def read(
        self, account: str | None, a: Ask[A], b: Ask[B], c: Ask[C], /
    ) -> tuple[AsOf, A, B, C]: ...
    @overload
    async def read(
        self, account: str | None, a: Ask[A], b: Ask[B], c: Ask[C], d: Ask[D], /
    ) -> tuple[AsOf, A, B, C, D]: ...
    async def read(self, account: str | None, *asks: Ask[Any]) -> tuple[Any, ...]:
        """Returns what the view shows as of one moment, and which.

        Raises: NotReady while the view is being built; Lagging; Unavailable.
        """
        place = MARKET
        if account is not None:
            place = str(partition_of(account, self.reading.partitions))
        wanted = [replace(a, limit=a.limit + 1) if isinstance(a, Page) else a for a in asks]
        look = await self.reading.look(place, account or "", wanted)
        answers = [
            Listed(found[: ask.limit], len(found) > ask.limit) if isinstance(ask, Page) else found
            for ask, found in zip(asks, look.answers, strict=True)
        ]
        return (look.as_of, *answers)


class Changed(NamedTuple):
    """One batch that the view now shows. accounts: whose rows changed; rows: as they now are, in bytes and by id, those
    of the topic's kind that a live view drops by age, unless it is a quiet one: somebody may be waiting for what they
    say.
    """

    topic: str
    partition: int
    position: int
    accounts: frozenset[str]
    rows: Mapping[str, bytes]


class Changes(Protocol):
    def changes(self) -> AsyncIterator[Changed | None]:
        """Yields what changes from now on. The first, and each after a lost connection, is None:
        anything may have changed. It never ends; a view that is away only delays it.
        """


# ------------------------------------------------------------------------------------ writing


class Input(NamedTuple):
    """A partition that a view folds, and the place of its rows."""

    place: str
    topic: str
    partition: int


def inputs(topics: Iterable[Topic[Any]], partitions: int) -> tuple[Input, ...]:
    """Returns every partition of the topics. partitions: P."""
    return tuple(
        Input(str(number) if topic.partitions is None else MARKET, topic.name, number)
        for topic in topics
        for number in range(topic.partitions or partitions)
    )


class Row(NamedTuple):
    """A row as it now is. value None: it is gone (no list's ever is); fresh: it is new."""

    key: Key
    value: Any
    fresh: bool = False


class Mark(NamedTuple):
    """A checkpoint. position: the next offset to be folded; time: the highest of the records folded, ms."""

    position: int
    time: int


class Batch(NamedTuple):
    """What folding a partition from `start` to `end` came to, each row once. time: the mark's after it; accounts: see
    Changed.

    aging: the topic's kinds whose rows a live view drops when they are too old for that time; entries: of all its
    events, in their order.
    """

    input: Input
    start: int
    end: int
    time: int
    rows: Sequence[Row]
    accounts: frozenset[str] = frozenset()
    aging: Sequence[Kind[Any]] = ()
    entries: Sequence[Entry] = ()

    def waited_for(self) -> dict[str, bytes]:
        """Returns the rows that Changed tells of."""
        told = (
            row
            for row in self.rows
            if row.key.kind.younger and not row.key.kind.quiet and row.value is not None
        )
        return {row.key.id: encode(row.value) for row in told}


Written = Literal["written", "moved", "sealed"]
"""moved: the checkpoint stood elsewhere; sealed: the generation takes no batch for now. Nothing was written."""


class Generation(Protocol):
    """One building of a view, from position 0 on. Every method raises Unavailable if the store is away."""

    number: int
    limit: int
    """The most that a batch's rows may weigh together."""
    keeps_all: bool
    """Whether it drops no row, however old: `newest` and `younger` of a kind are nothing to it."""

    async def marks(self) -> Mapping[Input, Mark]:
        """Returns how far each of its inputs was folded, Mark(0, 0) if it was not."""

    async def find(self, place: str, keys: Sequence[Key]) -> Mapping[Key, Any]:
        """Returns the rows of those keys that have one. Lists' rows that a live view dropped have none."""

    async def write(self, batch: Batch) -> Written:
        """Returns whether the batch was written, whole: only if the checkpoint was its start."""

    async def set_ready(self, at: Mapping[Input, int]) -> bool:
        """Lets readers see it: it reached the end that its inputs had when its projector began. Returns whether it
        stands at these positions: a store that was emptied a moment ago does not, and shows nothing.
        """

    async def seal(self, until: int) -> None:
        """Refuses batches until then (ms since the epoch by the store's clock); 0: no longer."""

    async def digests(self) -> Mapping[str, bytes]:
        """Returns the SHA-256 of each row's bytes, by place and key as text. Meant for a sealed one."""


class Generations(Protocol):
    """All buildings of a view; one is serving."""

    async def ensure(self) -> None:
        """Has what the serving one is kept in be there: empty, if that was lost. For its projector alone."""

    async def serving(self) -> int:
        """Returns the number of the serving generation, 1 in a new store."""

    async def create(self) -> Generation:
        """Returns a new, empty one, with a number that none had before."""

    async def open(self, number: int) -> Generation:
        """Returns the one with that number, which may be empty."""

    async def switch(self, old: int, new: int) -> bool:
        """Returns whether `new` is serving from now on: only if `old` was."""

    async def drop(self, number: int) -> None:
        """Deletes all its rows. Readers that still ask it find it not ready, and look which one serves."""


class Store(Generations, Reading, Protocol):
    """A view: its buildings, and what the serving one shows."""
