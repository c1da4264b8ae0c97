"""Histories drawn from a seed: owners that take over, append, fence anew and end, while others write and delete."""

from collections.abc import Sequence
from random import Random
from typing import Any, NamedTuple

from infra.log.port import TP, Draft, Lost, Writer
from tests.contracts.log_worlds import World, append, own, read

OWNERS = ("a", "b", "c")
STEPS = 12
KINDS = ("take over", "append", "append", "append", "append", "fence anew", "end", "put", "delete")


class Step(NamedTuple):
    """What somebody does, to which partition; size: records, or how many are deleted."""

    kind: str
    owner: str
    p: int
    size: int


def history(seed: int) -> tuple[Step, ...]:
    """Returns a seed's: its first owner takes over first."""
    rng = Random(seed)
    steps = (
        Step(rng.choice(KINDS), rng.choice(OWNERS), rng.randrange(2), rng.randint(1, 4))
        for _ in range(STEPS)
    )
    return (Step("take over", rng.choice(OWNERS), 0, 1), *steps)


async def told(world: World, steps: Sequence[Step]) -> list[Any]:
    """Returns all that anybody can see of it: what became of each step, where it stands, and what is read at last."""
    topic = await world.topic(2)
    tps = ((topic, 0), (topic, 1))
    writers: dict[str, Writer] = {}
    seen: list[Any] = []
    for n, step in enumerate(steps):
        try:
            seen.append(await done(world, writers, tps, n, step))
        except Lost as lost:
            seen.append(type(lost).__name__)
    for tp in tps:
        bounds = (await world.log().bounds([tp]))[tp]
        records = await read(world.log(), tp, bounds.start)
        seen.append((tuple(bounds), [(r.offset, r.key, r.value, r.headers) for r in records]))
    for writer in writers.values():
        await writer.stop()
    return seen


async def done(
    world: World, writers: dict[str, Writer], tps: Sequence[TP], n: int, step: Step
) -> object:
    """Returns what the one who does it learns. Raises: Lost."""
    tp, drafts = tps[step.p], [Draft(b"k", b"%d of %d" % (i, n)) for i in range(step.size)]
    match step.kind:
        case "put":
            await world.put(tp, drafts)
            return None
        case "delete":
            start, end = (await world.log().bounds([tp]))[tp]
            await world.delete_before(tp, min(end, start + step.size))
            return None
        case "take over":
            if step.owner in writers:
                await writers[step.owner].stop()
            writers[step.owner] = await own(world.log(), *tps)
            return sorted(p for _, p in writers[step.owner].claims), list(
                writers[step.owner].claims.values()
            )
    writer = writers.get(step.owner)
    if writer is None:
        return "nobody"
    if step.kind == "append":
        return (await append(writer, tp, drafts)).offset, writer.next_offset(tp)
    await (writer.refence() if step.kind == "fence anew" else writer.stop())
    return None
