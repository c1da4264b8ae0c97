"""A process killed at each moment of turn, snapshot and take-over: the next one goes on as if nothing had been."""

from itertools import product
from pathlib import Path
from signal import SIGKILL
from typing import Any

import pytest

from events.topics import BALANCE_COMMANDS, ORDER_COMMANDS, Topic
from infra.crash import Point
from ops.stack.processes import SHELL_SERVICES
from tests.faults.brokers import Behind
from tests.faults.lives import Life, now_ms
from tests.faults.proxy import Api, Cut, Exchange, Proxy, strike
from tests.faults.rogue import Raw, write
from tests.faults.table import RUNS, row
from tests.faults.world import World, busy

TURN = (Point.FETCHED, Point.DECIDED, Point.ENCODED, Point.ACKNOWLEDGED, Point.BEFORE_FETCH)
SNAPSHOT = (Point.SNAPSHOT_HALF, Point.SNAPSHOT_UNCLOSED, Point.SNAPSHOT_CLOSED)
REFENCE = (Point.REFENCE_BEGUN, Point.REFENCE_HALF)
FENCE = (Point.INITIALISED, Point.MARKED)
RESTORE = (Point.CLAIMED, Point.READING, Point.ROWS_READ, Point.EVENTS_READ, Point.SOUGHT)
IN_LIFE = (*product(TURN, (1, 50)), *product(SNAPSHOT, (1, 3)), *product(REFENCE, (1,)))
"""By name and at which passing."""
AT_ITS_START = (*product(FENCE, (1, 3)), *product(RESTORE, (1, 2)))
"""A side's fence is passed first, that of the events thereafter."""
CRASHES = {
    1: ("kill -9 at each phase of a turn", IN_LIFE),
    2: ("kill -9 while taking over", AT_ITS_START),
}
"""By the row of the table."""

FENCING = (Api.INIT_PRODUCER_ID, Api.ADD_PARTITIONS_TO_TXN, Api.END_TXN)

AROUND_AN_APPEND = (Point.ENCODED, Point.ACKNOWLEDGED)

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]


@pytest.mark.faults
@pytest.mark.parametrize("number", CRASHES, ids=("turn", "take-over"))
@pytest.mark.parametrize("service", SHELL_SERVICES)
async def test_a_crash_at_any_point_is_healed_by_the_next_life(
    tmp_path: Path, broker: Behind, service: str, number: int
) -> None:
    fault, crashes = CRASHES[number]
    async with busy(broker.address, tmp_path) as world:
        times = [await crashed(world, service, *crash) for crash in crashes * RUNS]
    row(number, f"{fault}: {service}", len(times), 0, times)


async def test_a_crash_before_and_after_an_append_is_healed(tmp_path: Path, broker: Behind) -> None:
    async with busy(broker.address, tmp_path) as world:
        times = [await crashed(world, "order", point, 1) for point in AROUND_AN_APPEND]
    row(1, "kill -9 before and after an append: order", len(times), 0, times)


async def crashed(world: World, service: str, point: Point, n: int) -> float:
    """Returns the s from the death at that passing of the point to the next life's first event."""
    await world.lives[service].kill()
    await world.lives[service].start(crash=f"{point}:{n}")
    took = await dead_and_back(world, service)
    print(f"{service}, {point}:{n}: {took:.2f} s")
    return took


@pytest.mark.faults
@pytest.mark.parametrize(
    ("service", "topic"), [("order", ORDER_COMMANDS), ("balance", BALANCE_COMMANDS)]
)
async def test_poison_stands_once_after_a_death_between_dead_letter_and_event(
    tmp_path: Path, broker: Behind, service: str, topic: Topic[Any]
) -> None:
    times = []
    async with busy(broker.address, tmp_path) as world:
        for _ in range(RUNS):
            await world.lives[service].kill()
            await world.lives[service].start(crash=f"{Point.SET_ASIDE}:1")
            await write(broker.address, (topic.name, 0), [Raw(None, b"poison")])
            times.append(await dead_and_back(world, service))
    row(1, f"kill -9 between dead letter and event: {service}", len(times), 0, times)


class Death:
    """A fault: whoever sent the request dies before it is answered; it gets through, or it does not."""

    def __init__(self, life: Life, *, through: bool) -> None:
        self.life, self.through = life, through

    async def __call__(self, exchange: Exchange) -> None:
        self.life.send(SIGKILL)
        if self.through:
            await exchange.broker.put(exchange.request)
            await exchange.broker.take()
        raise Cut


@pytest.mark.faults
@pytest.mark.parametrize("service", SHELL_SERVICES)
async def test_a_death_with_a_request_under_way_is_healed_by_the_next_life(
    tmp_path: Path, broker: Behind, service: str
) -> None:
    """With an append; then, taking over, with each request of the fence and with a claim."""
    times: dict[int, list[float]] = {1: [], 2: []}
    async with (
        Proxy(broker.inside, broker.outside) as proxy,
        busy(broker.address, tmp_path, **{service: proxy.address}) as world,
    ):
        life = world.lives[service]
        for api, through in [(Api.PRODUCE, True), (Api.PRODUCE, False)] * RUNS:
            proxy.choice = strike(Death(life, through=through), api, times=1)
            times[1].append(await dead_and_back(world, service))
        for api, through in [*product((*FENCING, Api.PRODUCE), (True, False))] * RUNS:
            await life.kill()
            proxy.choice = strike(Death(life, through=through), api, times=1)
            await life.start()
            times[2].append(await dead_and_back(world, service))
    row(1, f"kill -9 with an append sent, no answer: {service}", len(times[1]), 0, times[1])
    row(2, f"kill -9 with a fence open, a claim sent: {service}", len(times[2]), 0, times[2])


async def dead_and_back(world: World, service: str) -> float:
    """Returns the s from the death that awaits the service to the next life's first event."""
    life = world.lives[service]
    assert await life.ended() == -SIGKILL, "it never came to where it should die"
    died = now_ms()
    await life.start()
    return await world.witness.spoke(service, died)
