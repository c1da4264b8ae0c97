"""Logs of the simulation as raw batches, for the auditor's pure side."""

from collections.abc import Iterator, Sequence

from events.topics import TOPICS
from infra.log.port import TP, Record
from infra.raw.batch import RawBatch
from ops.audit.batches import CLAIM, OWNED
from ops.audit.outcomes import header
from ops.audit.run import in_order
from tests.simulation.world import World

Log = dict[TP, list[RawBatch]]
KNOWN = frozenset(topic.name for topic in TOPICS)


def raw_of(world: World) -> Log:
    """Returns what stands in the world's topics, with the headers that a broker would have written."""
    names = {name for name in world.log.partitions if name[0] in KNOWN or ours(name[0])}
    return {tp: list(batched(tp, world.deleted[tp] + world.log.read(tp))) for tp in in_order(names)}


def ours(topic: str) -> bool:
    services = ("order", "balance", "portfolio", "tape")
    return topic.endswith(tuple(f".{name}.dlq.v1" for name in services)) or topic.startswith(
        tuple(f"{name}.state.v1" for name in services)
    )


def batched(tp: TP, records: Sequence[Record]) -> Iterator[RawBatch]:
    """Yields the records in the batches that they were appended in; a marker before each claim."""
    epoch, some = 0, list[Record]()
    for record in records:
        if record.key == CLAIM:
            epoch += 2
            yield batch(tp, [], record.offset - 1, epoch - 1, control=True)
        some.append(record)
        if tp[0] not in OWNED or record.key == CLAIM or header(record.headers, "checkpoint"):
            yield batch(tp, some, some[0].offset, epoch)
            some = []
    assert not some, f"{tp} ends without a checkpoint"


def batch(
    tp: TP, records: Sequence[Record], offset: int, epoch: int, *, control: bool = False
) -> RawBatch:
    return RawBatch(
        *tp,
        offset=offset,
        end=records[-1].offset + 1 if records else offset + 1,
        leader_epoch=0,
        producer_id=1,
        epoch=epoch,
        sequence=0,
        time=records[-1].timestamp if records else 0,
        transactional=control,
        control=control,
        records=records,
    )
