"""All that an audit of one simulated world is handed: its log as raw batches, its views, what its processes say."""

from collections.abc import Iterable
from copy import copy
from functools import lru_cache
from hashlib import sha256
from typing import Any

import msgspec

from events.topics import TOPICS
from gateway.building import Projections, topics_of
from gateway.projections.folding import Folding
from gateway.views import HISTORY, LIVE
from infra.log.port import TP, Record
from infra.raw.views import StoredRow
from infra.shell.rows import RowStore
from infra.views.port import Mark, inputs
from ops.audit.auditor import Auditor
from ops.audit.batches import NOTHING, Digest, Foreign, digest
from ops.audit.check import Check, Violation
from ops.audit.outcomes import COMMANDS, Asked
from ops.audit.report import violations_of
from ops.audit.run import in_order
from ops.audit.views import View, view
from ops.redecide import Redecided
from tests.ops.audit.logs import KNOWN, Log, raw_of
from tests.simulation.run import simulate
from tests.simulation.world import PARTITIONS, World

LIMIT = 1_000
PROJECTIONS = {"live": LIVE, "history": HISTORY}


class Evidence:
    """log, views, lives, journal and unseen may be tampered with; unseen: records that a consumer did not see."""

    def __init__(self, world: World) -> None:
        self.log: Log = raw_of(world)
        self.foreign = frozenset(world.poisoned)
        self.views = {name: projected(self.log, name) for name in PROJECTIONS}
        self.lives = {
            (process.service.name, p): hash_of(partition.store)
            for process in world.processes
            if process.shell
            for p, partition in process.shell.partitions.items()
        }
        self.journal = [Asked(command.id, accepted=True) for command in self.messages(COMMANDS)]
        self.unseen: set[Record] = set()
        self.wrong: list[tuple[str, ...]] = []

    def copied(self) -> "Evidence":
        """Returns one to tamper with."""
        twin = copy(self)
        twin.log = {tp: list(batches) for tp, batches in self.log.items()}
        twin.views = {n: v._replace(rows=dict(v.rows)) for n, v in self.views.items()}
        twin.lives, twin.journal = dict(self.lives), list(self.journal)
        twin.unseen, twin.wrong = set(), []
        return twin

    def messages(self, kinds: tuple[type[Any], ...]) -> Iterable[Any]:
        auditor = Auditor(PARTITIONS)
        for (topic, _), batches in self.log.items():
            read = auditor.reader(topic)
            for record in (record for batch in batches for record in batch.records):
                if isinstance(message := read(record), kinds):
                    yield message

    def checks(self) -> tuple[Check, ...]:
        """Returns the checks when all was shown to them."""
        auditor = Auditor(
            PARTITIONS,
            journal=self.journal,
            foreign=Foreign(self.foreign),
            views=tuple(self.views.values()),
            more=(Redecided(),),
        )
        for tp in in_order(self.log):
            auditor.begin()
            for batch in self.log[tp]:
                auditor.take(batch)
            if tp[0] in KNOWN:
                auditor.alike.consumed(tp, self.consumed(tp), "a consumer")
        for shard, hash_ in self.lives.items():
            if shard[0] in {topic.writer for topic in TOPICS}:
                auditor.remembered.lives(shard, hash_)
        for topic, what, found, must in self.wrong:
            auditor.healthy.setting(topic, what, found, must)
        auditor.close(at_rest=True)
        return auditor.checks

    def consumed(self, tp: TP) -> Digest:
        records = [r for batch in self.log[tp] for r in batch.records if r not in self.unseen]
        return digest(NOTHING, records)

    def violations(self) -> list[Violation]:
        return violations_of(self.checks(), at_rest=True)


@lru_cache(maxsize=64)
def evidence(seed: int) -> Evidence:
    """Returns what the seed's run left. Treat it as found: tamper with a copy."""
    return Evidence(simulate(seed))


def hash_of(store: RowStore) -> str:
    rows = {"/".join(key): row for key, row in store.rows.items()}
    return sha256(msgspec.json.encode(rows, order="sorted")).hexdigest()


def projected(log: Log, name: str) -> View:
    """Returns what the product's projections make of the log."""
    projections: Projections = PROJECTIONS[name]
    rows: dict[Any, StoredRow] = {}
    positions = {}
    for source in inputs(topics_of(projections), PARTITIONS):
        topic = next(topic for topic in TOPICS if topic.name == source.topic)
        folding = Folding(source, topic, projections, Mark(0, 0), ages=name == "live")
        records = [r for b in log.get((source.topic, source.partition), ()) for r in b.records]
        found: dict[Any, Any] = {}
        for plan in folding.plans(records, LIMIT):
            for row in folding.fold(plan, found).rows:
                found[row.key] = row.value
                kind, owner, id_ = row.key
                raw = msgspec.json.encode(row.value)
                key = (source.place, kind.name, owner, id_)
                rows[key] = StoredRow(*key, raw)
        positions[source.place, source.topic] = folding.mark.position
    return view(name, positions, rows.values())
