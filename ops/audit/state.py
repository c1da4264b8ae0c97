"""I11: what a service remembers is what its own events say: the live process's rows, and its snapshots'."""

from collections import defaultdict
from collections.abc import Mapping
from hashlib import sha256
from typing import Any

import msgspec

from events.control import RecordQuarantined
from events.topics import TOPICS, state_topic
from infra.log.port import Record

from .batches import is_control
from .check import Check, Handler, on
from .outcomes import EVENTS
from .rows import RULES, Key, Row

CLOSING = b"closing"
SERVICES = {topic.name: topic.writer for topic in TOPICS}
STATES = {state_topic(writer): writer for writer in SERVICES.values()}
Shard = tuple[str, int]
"""A service and its partition."""


Stored = tuple[int, Row]
"""A row with its own events up to that offset in it."""
SEQUENCE = "sequence"


class Snapshot:
    """position: from which own offset on events are not in the rows, 0 without a closing record. sequences: the rows
    that every event touches, by account, as the number alone.
    """

    def __init__(self) -> None:
        self.position = 0
        self.rows: dict[Key, Stored] = {}
        self.sequences: dict[str, tuple[int, int]] = {}


class Remembered(Check):
    """Shown the state topics before the events, it compares a snapshot's rows the moment its own are as old."""

    code = "I11"
    says = "what a service remembers, and its snapshots hold, is what its own events say"

    def __init__(self) -> None:
        super().__init__()
        self.snapshots: dict[Shard, Snapshot] = defaultdict(Snapshot)
        self.rows: dict[Shard, dict[Key, Stored]] = defaultdict(dict)
        self.sequences: dict[Shard, dict[str, tuple[int, int]]] = defaultdict(dict)
        self.begin()

    def begin(self) -> None:
        self.shard: Shard | None = None
        self.reached = False

    def handlers(self) -> Mapping[type[Any], Handler]:
        return {Record: self.state} | on(self.event, *EVENTS, RecordQuarantined)

    def state(self, record: Record, _: Record) -> None:
        if record.topic not in STATES or is_control(record) or record.key is None:
            return
        snapshot = self.snapshots[STATES[record.topic], record.partition]
        if record.key == CLOSING:
            snapshot.position = msgspec.json.decode(record.value or b"")["position"]
            return
        key: Key = tuple(msgspec.json.decode(record.key))
        body = msgspec.json.decode(record.value) if record.value else None
        if body is None:
            snapshot.rows.pop(key, None)
        elif key[0] == SEQUENCE:
            row = body.get("row") or {}
            snapshot.sequences[key[1]] = (body["at"], row.get(SEQUENCE, 0))
        else:
            snapshot.rows[key] = (body["at"], body.get("row"))

    def event(self, record: Record, event: Any) -> None:
        if self.shard is None:
            self.enter((SERVICES[record.topic], record.partition))
        if not self.reached and record.offset >= self.snapshot.position:
            self.compare_all()
        offset, mine = record.offset, self.mine
        if type(event) is not RecordQuarantined:
            account = event.account_id
            self.numbers[account] = stands = (offset, event.sequence)
            noted = self.snapshot.sequences.get(account)
            if noted is not None and noted[0] == offset:
                self.compare((SEQUENCE, account), noted, stands)
        for key_of, after in RULES.get(type(event), ()):
            key = key_of(event)
            before = mine.get(key)
            self.put(offset, key, after(before[1] if before else None, event))

    def enter(self, shard: Shard) -> None:
        self.shard, self.snapshot = shard, self.snapshots[shard]
        self.mine, self.numbers = self.rows[shard], self.sequences[shard]

    def put(self, offset: int, key: Key, row: Row) -> None:
        """Remembers the row, or that it is gone."""
        if row is None:
            self.mine.pop(key, None)
        else:
            self.mine[key] = (offset, row)
        stored = self.snapshot.rows.get(key)
        if stored is not None and stored[0] == offset:
            self.compare(key, stored, (offset, row))

    def compare_all(self) -> None:
        """Compares the rows as of the snapshot's position: each that was there must be in it as it was."""
        self.reached, snapshot = True, self.snapshot
        if not snapshot.position:
            return
        self.compare_some(self.mine, snapshot.rows)
        self.compare_some(as_rows(self.numbers), as_rows(snapshot.sequences))

    def compare_some(self, mine: Mapping[Key, Any], stored: Mapping[Key, Any]) -> None:
        for key, stands in mine.items():
            if key not in stored:
                self.violation(f"{self.shard}: the snapshot lacks {key}")
            elif stored[key][0] < self.snapshot.position:
                self.compare(key, stored[key], stands)
        for key, (at, row) in stored.items():
            if key not in mine and row is not None and at < self.snapshot.position:
                self.violation(f"{self.shard}: the snapshot has {key}, which is not there")

    def compare(self, key: Key, stored: Any, stands: Any) -> None:
        self.checked += 1
        if stored != stands:
            self.violation(
                f"{self.shard}: {key} is {stored} in the snapshot, {stands} by the events"
            )

    def close(self) -> None:
        """Compares what no later event has led to be compared."""
        for shard in list(self.snapshots):
            self.enter(shard)
            newest = max((at for at, _ in self.numbers.values()), default=-1)
            if newest < self.snapshot.position:
                self.compare_all()

    def lives(self, shard: Shard, hash_: str) -> None:
        """Takes in what the live process says of its rows."""
        self.checked += 1
        if (mine := self.hash(shard)) != hash_:
            self.violation(f"{shard}: the process's rows hash to {hash_}, the events' to {mine}")

    def hash(self, shard: Shard) -> str:
        rows: dict[str, Row] = {"/".join(key): row for key, (_, row) in self.rows[shard].items()}
        for account, (_, sequence) in self.sequences[shard].items():
            rows[f"{SEQUENCE}/{account}"] = {SEQUENCE: sequence}
        return sha256(msgspec.json.encode(rows, order="sorted")).hexdigest()


def as_rows(numbers: Mapping[str, tuple[int, int]]) -> dict[Key, Any]:
    return {(SEQUENCE, account): stands for account, stands in numbers.items()}
