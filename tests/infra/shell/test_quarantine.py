"""Poison: set aside once, with its reason; an account whose event is poison is held in order, nobody else is."""

import asyncio
from typing import Any

import pytest

from events.codec import Poison, encode, stamp
from events.control import RecordQuarantined
from events.ids import partition_of
from events.reasons import Unreadable
from events.topics import CONTROL, ORDER_EVENTS, PORTFOLIO_EVENTS
from infra.log.clock import VirtualClock
from infra.log.life import Crashed, Faults, Life
from infra.log.memory import BATCH_HEADER, MemoryLog
from infra.log.port import MAX_BATCH, Draft, Record, size_of
from infra.shell.partition import Partition
from infra.shell.quarantine import LIMIT, MINUTE_MS, SetAside, TooMuchPoison, judged
from infra.shell.reading import is_control
from infra.shell.snapshot import Side
from ops.provision import topic_specs
from services.portfolio.app import SERVICE
from tests.infra.shell.stepper import Bench
from tests.messages.balances import deposit
from tests.messages.envelope import ACCOUNT, NOW, OTHER_ACCOUNT, stamped
from tests.messages.orders import accepted, place

P = 1
ORDERS = (ORDER_EVENTS.name, 0)
DEAD = SERVICE.dead_letters(ORDER_EVENTS.name, 0)


class World:
    """The portfolio service alone, on a spine that the test writes."""

    def __init__(self) -> None:
        self.log = MemoryLog(topic_specs(P), VirtualClock(NOW))
        self.n = 0

    def sell(self, account_id: str, **change: bytes) -> None:
        """Puts an accepted sell into the spine, the change made in its bytes."""
        self.n += 1
        order = place("sell", quantity=1_000_000, n=self.n, account_id=account_id)
        raw = encode(stamped(accepted(order, hold=1_000_000), n=self.n))
        for old, new in change.items():
            raw = raw.replace(old.encode(), new)
        self.put(raw, account_id.encode())

    def put(self, raw: bytes | None, key: bytes | None) -> None:
        self.log.put(ORDERS, [Draft(key, raw)])

    async def live(self, faults: Faults | None = None) -> int:
        """Returns the crash points passed."""
        stop, life = asyncio.Event(), Life(self.log, faults)
        partition = Partition(SERVICE, 0, life, self.log.clock, partitions=P, write_versions={})
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(partition.run(stop))
            await self.log.clock.sleep(3_000)
            stop.set()
        return life.points

    def run(self) -> int:
        return asyncio.run(self.live())

    def crash(self, point: int) -> None:
        with pytest.raises(BaseExceptionGroup) as raised:
            asyncio.run(self.live(Faults(crash_at=point)))
        assert raised.group_contains(Crashed)

    def own(self) -> list[Any]:
        """Returns the own events and the notes of what was set aside."""
        found: list[Any] = []
        for record in self.log.read(SERVICE.output(0)):
            raw = record.value or b""
            if not is_control(record):
                found.append(PORTFOLIO_EVENTS.decode(raw))
            elif isinstance(note := CONTROL(raw), RecordQuarantined):
                found.append(note)
        return found

    def dead(self) -> list[tuple[str, str]]:
        """Returns the origin's offset and the reason of each dead letter."""
        letters = [record for record in self.log.read(DEAD) if not is_control(record)]
        headers = [dict(record.headers) for record in letters]
        return [(h["origin"].decode().split(":")[-1], h["reason"].decode()) for h in headers]


def test_an_account_is_held_behind_its_poison_and_nobody_else_is() -> None:
    world = World()
    world.sell(ACCOUNT, order_accepted=b"order_accepted_sideways")
    world.sell(OTHER_ACCOUNT)
    world.sell(ACCOUNT)
    world.run()
    world.sell(ACCOUNT)
    world.run()
    world.run()
    first, other, second, third = world.own()
    assert (first.reason, first.account_id, first.follows) == ("unknown_type", ACCOUNT, False)
    assert (other.type, other.account_id) == ("assets_refused", OTHER_ACCOUNT)
    assert (second.reason, second.account_id, second.follows) == ("follows", ACCOUNT, True)
    assert (third.offset, third.follows) == (3, True)
    assert world.dead() == [("0", "unknown_type"), ("2", "follows"), ("3", "follows")]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({'"version":2': b'"version":3'}, "newer_version"),
        ({'"hold":1000000': b'"hold":-1'}, "malformed"),
        ({'"hold":1000000': b'"hold":1e400'}, "malformed"),
        ({'"type":"order_accepted"': b'"type":"place_order"'}, "unknown_type"),
        ({"}": b""}, "malformed"),
    ],
)
def test_what_cannot_be_read_says_why(change: dict[str, bytes], reason: str) -> None:
    world = World()
    world.sell(ACCOUNT, **change)
    world.run()
    assert world.dead() == [("0", reason)]
    assert [note.reason for note in world.own()] == [reason]


def test_a_record_in_the_wrong_place_holds_nobody() -> None:
    world = World()
    world.sell(ACCOUNT, **{ACCOUNT: OTHER_ACCOUNT.encode()})
    world.put(b"garbage", None)
    world.put(None, ACCOUNT.encode()[:5])
    world.sell(ACCOUNT)
    world.sell(OTHER_ACCOUNT)
    world.run()
    assert [reason for _, reason in world.dead()] == ["misplaced", "malformed", "malformed"]
    assert [event.type for event in world.own()][3:] == ["assets_refused", "assets_refused"]
    assert partition_of(ACCOUNT, P) == 0


def test_a_flood_of_poison_stops_the_process() -> None:
    world = World()
    for _ in range(LIMIT + 1):
        world.put(b"garbage", b"key")
    with pytest.raises(BaseExceptionGroup) as raised:
        world.run()
    assert raised.group_contains(TooMuchPoison)


def test_the_largest_record_that_a_topic_takes_fits_its_dead_letter_topic() -> None:
    world = World()
    world.put(b"x" * 1_040_000, ACCOUNT.encode())
    world.run()
    assert world.dead() == [("0", "malformed")]


def test_poison_now_and_then_stops_nobody() -> None:
    world = World()

    async def case() -> None:
        for _ in range(2):
            for _ in range(LIMIT):
                world.put(b"garbage", b"key")
            await world.log.clock.sleep(MINUTE_MS + 1)
        await world.live()

    asyncio.run(case())
    assert len(world.dead()) == 2 * LIMIT


def test_however_many_follow_an_accounts_poison_nobody_else_is_stopped() -> None:
    world = World()
    world.put(b"garbage", ACCOUNT.encode())
    for _ in range(LIMIT + 1):
        world.sell(ACCOUNT)
    world.sell(OTHER_ACCOUNT)
    world.run()
    assert len(world.dead()) == LIMIT + 2
    assert world.own()[-1].type == "assets_refused"


def test_a_command_from_whose_id_nothing_can_be_derived_is_poison() -> None:
    bench = Bench()
    bench.put(encode(stamp(deposit(1), id="x" * 36)), ACCOUNT)
    bench.ask(2, first=2)
    asyncio.run(bench.live())
    assert [dict(letter.headers)["reason"] for letter in bench.dead_letters()] == [b"malformed"]
    assert len(bench.events()) == 2


def test_a_key_in_a_partition_that_is_not_its_accounts_holds_nobody() -> None:
    elsewhere = 1 - partition_of(ACCOUNT, 2)
    for partition, account_id in ((elsewhere, None), (1 - elsewhere, ACCOUNT)):
        record = Record(ORDER_EVENTS.name, partition, 0, NOW, ACCOUNT.encode(), b"garbage")
        poison = Poison(Unreadable.MALFORMED, "")
        assert judged(SERVICE, record, 2, poison).account_id == account_id


def test_a_header_without_a_value_is_set_aside_too() -> None:
    null: Any = None  # what a client of the wire may write, whatever our types say
    record = Record(*ORDERS, 0, NOW, None, b"garbage", (("trace", null),))
    letter = SetAside(record, "malformed", None).dead_letter()
    assert size_of(letter) > 0
    assert dict(letter.headers)["origin-trace"] == b""


@pytest.mark.parametrize(
    "headers", [(("h", b""),) * 330_000, (("\ufffd" * 1_000_000, b""),), (("h", b"x" * 1_000_000),)]
)
def test_whatever_headers_a_record_has_its_dead_letter_fits(
    headers: tuple[tuple[str, bytes], ...],
) -> None:
    record = Record(*ORDERS, 0, NOW, None, b"garbage", headers)
    letter = SetAside(record, "malformed", None).dead_letter()
    assert size_of(letter) < 2 * MAX_BATCH - BATCH_HEADER
    told = dict(letter.headers)
    assert int(told.get("headers-left-out", b"0")) == max(0, len(headers) - 100)
    assert any(name.startswith("origin-" + headers[0][0][:200]) for name in told)


def test_a_dead_letter_does_not_wait_for_a_whole_snapshot() -> None:
    async def case() -> None:
        log, claim = MemoryLog(topic_specs(P), VirtualClock(NOW)), Draft(b"control:claim", b"")
        life = Life(log, Faults(transit_ms=5))
        side = Side(await life.take_over("side", SERVICE.sides(0), claim))
        rows = asyncio.ensure_future(
            side.append(SERVICE.state(0), [Draft(b"row", b"x" * 400_000)] * 20)
        )
        await log.clock.sleep(0)
        await side.append(DEAD, [Draft(None, b"poison")])
        assert not rows.done()
        await rows
        assert len([r for r in log.read(SERVICE.state(0)) if r.key == b"row"]) == 20

    asyncio.run(case())


def held() -> World:
    world = World()
    world.sell(ACCOUNT, order_accepted=b"order_accepted_sideways")
    world.sell(ACCOUNT)
    world.sell(OTHER_ACCOUNT)
    world.sell(ACCOUNT)
    return world


def test_an_account_stays_held_through_a_crash_at_any_point() -> None:
    calm = held()
    points = calm.run()
    for point in range(1, points + 1):
        world = held()
        world.crash(point)
        world.run()
        assert world.own() == calm.own()
        assert world.dead() == calm.dead()
