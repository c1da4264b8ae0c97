"""The fence's own rules, on the twin's brokers."""

import pytest

from infra.log.fence import LEASE_MS, ROTATE_AT, TRIES, Identity
from infra.log.life import Life, MemorySession
from infra.log.memory import MemoryLog
from infra.log.port import Draft, Fenced, Lost, TopicSpec, Writer

TP = ("events", 0)
CLAIM = Draft(b"control:claim", b"claim")


@pytest.fixture
def brokers() -> MemoryLog:
    return MemoryLog([TopicSpec("events")])


async def own(brokers: MemoryLog) -> Writer:
    return await Life(brokers).take_over("order-0", [TP], CLAIM)


async def append(writer: Writer, value: bytes) -> int:
    batch = writer.batch(TP)
    batch.add(Draft(b"k", value))
    return (await writer.append(batch)).offset


def values(brokers: MemoryLog) -> list[bytes | None]:
    return [record.value for record in brokers.read(TP)]


@pytest.mark.parametrize(
    ("earlier", "later", "alone"),
    [
        (Identity(1, 4), Identity(1, 5), True),
        (Identity(1, 4), Identity(1, 6), False),
        (Identity(1, 4), Identity(1, 4), False),
        (Identity(1, 32_766), Identity(2, 0), True),
        (Identity(1, 4), Identity(2, 0), False),
        (Identity(1, 32_766), Identity(2, 1), False),
    ],
)
def test_an_epoch_follows_if_nobody_came_between(
    earlier: Identity, later: Identity, alone: bool
) -> None:
    assert later.follows(earlier) is alone


async def test_interleaved_take_overs_would_leave_two_writers_without_the_check(
    brokers: MemoryLog,
) -> None:
    life = Life(brokers)
    for _ in range(2):  # A gets epoch 0 and marks, B gets 1 and marks
        await (await life.begin("order-0", 1_000)).mark([TP])
    first, second = [await life.begin("order-0", 1_000) for _ in range(2)]  # A 2, B 3
    for session in (first, second):
        batch = session.batch(TP)
        batch.add(Draft(b"k", b"%d" % session.identity.epoch))
        await session.produce(batch, 1 << 62)
    assert values(brokers) == [b"2", b"3"]  # 2 got in although 3 was out: so e + 1 is checked


class CrowdedLife(Life):
    """Somebody else initialises before each of its own initialisations."""

    async def begin(self, owner: str, max_batch: int) -> MemorySession:
        self.brokers.begin(owner)
        return await super().begin(owner, max_batch)


async def test_a_take_over_gives_up_and_names_the_epochs(brokers: MemoryLog) -> None:
    with pytest.raises(Lost, match=r"20 tries.*epoch=1\).*epoch=3\).*epoch=79\)"):
        await CrowdedLife(brokers).take_over("order-0", [TP], CLAIM)
    assert TRIES == 20
    assert values(brokers) == []


async def test_an_owner_keeps_no_epoch_near_the_last(brokers: MemoryLog) -> None:
    older = await own(brokers)
    brokers.set_epoch("order-0", ROTATE_AT - 1)
    newer = await own(brokers)
    with pytest.raises(Fenced):
        await append(older, b"zombie")
    await append(newer, b"mine")
    await newer.refence()
    await append(newer, b"again")
    assert values(brokers) == [b"claim", b"claim", b"mine", b"again"]
    assert brokers.begin("order-0") == Identity(2, 3)  # a new id, taken up right after its birth


async def test_a_writer_asleep_for_longer_than_the_lease_refuses(brokers: MemoryLog) -> None:
    writer = await own(brokers)
    await brokers.clock.sleep(LEASE_MS)
    await append(writer, b"in time")
    await brokers.clock.sleep(1)
    with pytest.raises(Lost, match="asleep"):
        await append(writer, b"too late")
    with pytest.raises(Lost, match="asleep"):
        await writer.refence()


async def test_a_fence_renewed_within_the_lease_holds(brokers: MemoryLog) -> None:
    writer = await own(brokers)
    for _ in range(3):
        await brokers.clock.sleep(LEASE_MS - 1)
        await writer.refence()
    await append(writer, b"mine")
    assert values(brokers) == [b"claim", b"mine"]
