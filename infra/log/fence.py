"""How a writer becomes and stays the only one: the steps, over whatever keeps producer epochs.

The leader of a partition refuses every batch whose producer epoch is below the highest that it has
seen there. A take-over gets an epoch e, leaves a control marker with it in each partition, and must
then get e + 1: otherwise somebody came between, and an epoch that no marker fences may be alive.
Kafka's sessions and the twin's run through these same lines; docs/adr/0003 has the reasons.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple, Protocol

from infra.crash import Point, passed
from infra.log.port import TP, Appended, Batch, Draft, Fenced, Lost

LAST_EPOCH = 32_766  # after it comes a new producer id, which fences nothing of the old one
ROTATE_AT = 32_000  # an owner keeps no epoch from here on: it walks to the new id behind its marker
TRIES = 20
LEASE_MS = 6 * 3_600_000  # a quarter of what brokers remember a silent producer for
ANYWHERE = -(1 << 62)  # plus any number of records it is still below 0


class Identity(NamedTuple):
    producer_id: int
    epoch: int

    def follows(self, earlier: "Identity") -> bool:
        """Returns whether nobody else has initialised in between."""
        if self.producer_id == earlier.producer_id:
            return self.epoch == earlier.epoch + 1
        return self.epoch == 0 and earlier.epoch == LAST_EPOCH


class Session(Protocol):
    """One initialisation of an owner's name."""

    @property
    def identity(self) -> Identity: ...

    async def mark(self, partitions: Sequence[TP]) -> None:
        """Leaves a marker with this epoch in each partition. Raises: Fenced."""

    def settle(self) -> None:
        """Has it send plain batches from here on, and no marker."""

    def batch(self, to: TP) -> Batch: ...

    async def produce(self, batch: Batch, until_ms: int) -> Appended:
        """Returns where it stands. Raises: Fenced, or anything: perhaps written.

        Nothing is sent, or sent again, after that moment of alive_ms: a broker that has forgotten
        the producer would take a batch that it has for a new one.
        """

    async def stop(self) -> None: ...


class Coordinator(Protocol):
    """Gives out producer epochs."""

    async def begin(self, owner: str, max_batch: int) -> Session:
        """Returns a session with the next epoch. Raises: Fenced if another begins right now."""

    async def pause(self) -> None:
        """Returns after a short while of random length."""

    def alive_ms(self) -> int: ...


class FencedWriter:
    """The port's Writer. Whatever an append raises means: perhaps written; drop it, take over."""

    def __init__(
        self, coordinator: Coordinator, owner: str, partitions: Sequence[TP], max_batch: int
    ) -> None:
        self.owner, self.max_batch = owner, max_batch
        self._coordinator, self._partitions = coordinator, tuple(partitions)
        self._claims: dict[TP, int] = {}
        self._next = dict.fromkeys(self._partitions, ANYWHERE)
        self._session: Session | None = None
        self._usable = False
        self._fenced_ms = 0

    @property
    def claims(self) -> Mapping[TP, int]:
        return self._claims

    def next_offset(self, to: TP) -> int:
        return self._next[to]

    def batch(self, to: TP) -> Batch:
        assert self._session
        return self._session.batch(to)

    async def start(self, claim: Draft) -> None:
        """Fences, then claims each partition. Raises: Lost."""
        self._fenced_ms = self._coordinator.alive_ms()
        self._session = await fence(self._coordinator, self.owner, self._partitions, self.max_batch)
        self._usable = True
        for partition in self._partitions:
            batch = self.batch(partition)
            batch.add(claim)
            self._claims[partition] = (await self.append(batch)).offset
            passed(Point.CLAIMED)

    async def append(self, batch: Batch) -> Appended:
        session = self._enter()
        expected = self._next[batch.to]
        self._next[batch.to] = expected + len(batch)
        try:
            appended = await session.produce(batch, self._fenced_ms + LEASE_MS)
        except Lost:
            raise
        except Exception as error:  # refused, timed out, cut off: all the same
            raise Lost(f"{self.owner}: {error!r}") from error
        if appended.offset < 0 or (expected >= 0 and appended.offset != expected):
            at = f"at {appended.offset} instead of {expected}"
            raise Lost(f"{self.owner}: {at}: somebody else writes to {batch.to}")
        self._next[batch.to] = appended.offset + len(batch)
        self._usable = True
        return appended

    async def refence(self) -> None:
        session, begun = self._enter(), self._coordinator.alive_ms()
        try:
            renewed = await self._renewed(session)
        except Lost:
            raise
        except Exception as error:
            raise Lost(f"{self.owner}: {error!r}") from error
        self._session, self._fenced_ms = renewed, begun
        await session.stop()
        for partition in self._partitions:
            self._next[partition] += 1  # the marker; the next append notices any other writer
        self._usable = True

    async def stop(self) -> None:
        self._usable = False
        if self._session:
            await self._session.stop()

    async def _renewed(self, session: Session) -> Session:
        seen = [session.identity]
        renewed = await attempt(
            self._coordinator, self.owner, self._partitions, self.max_batch, seen
        )
        if renewed is None:
            raise Fenced(f"{self.owner}: somebody else has taken over; epochs seen: {seen}")
        return renewed

    def _enter(self) -> Session:
        """Returns the session; the writer stays unusable if what follows raises or is cancelled."""
        if not self._usable or self._session is None:
            raise Lost(f"{self.owner}: this writer has ended or is busy")
        if self._coordinator.alive_ms() - self._fenced_ms > LEASE_MS:
            raise Lost(
                f"{self.owner}: asleep for so long that brokers may have forgotten its fence"
            )
        self._usable = False
        return self._session


async def take_over(
    coordinator: Coordinator, owner: str, partitions: Sequence[TP], claim: Draft, max_batch: int
) -> FencedWriter:
    """Returns the only writer of the partitions, its claims acknowledged. Raises: Lost."""
    writer = FencedWriter(coordinator, owner, partitions, max_batch)
    try:
        await writer.start(claim)
    except BaseException:
        await writer.stop()
        raise
    return writer


async def fence(
    coordinator: Coordinator, owner: str, partitions: Sequence[TP], max_batch: int
) -> Session:
    """Returns a session with the highest epoch, every lower one shut out of the partitions.

    Raises: Lost after 20 tries that each met another take-over.
    """
    seen: list[Identity] = []
    for _ in range(TRIES):
        tried: list[Identity] = []
        with suppress(Fenced):  # another take-over runs; the last one wins
            if session := await attempt(coordinator, owner, partitions, max_batch, tried):
                return session
        seen += tried
        await coordinator.pause()
    raise Lost(f"{owner}: {TRIES} tries met other take-overs; epochs seen: {seen}")


async def attempt(
    coordinator: Coordinator,
    owner: str,
    partitions: Sequence[TP],
    max_batch: int,
    seen: list[Identity],
) -> Session | None:
    """Returns the fenced session, None if somebody else initialised in between.

    seen: what was initialised before, if it must be followed at once; all of it afterwards.
    """
    first = await coordinator.begin(owner, max_batch)
    passed(Point.INITIALISED)
    alone = not seen or first.identity.follows(seen[-1])
    seen.append(first.identity)
    try:
        if alone:  # who comes too late to be the next one leaves no marker: it would fence others
            await first.mark(partitions)
            passed(Point.MARKED)
    finally:
        await first.stop()
    while alone:
        session = await coordinator.begin(owner, max_batch)
        alone = session.identity.follows(seen[-1])
        seen.append(session.identity)
        if alone and session.identity.epoch < ROTATE_AT:
            session.settle()
            return session
        await session.stop()
    return None
