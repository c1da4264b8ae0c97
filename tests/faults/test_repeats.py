"""Commands sent again and again: in one batch, across batches, across a restart, late and too late."""

import asyncio
import os
from collections import Counter, defaultdict
from pathlib import Path
from random import Random
from typing import Any

import pytest

from events.balance import Deposit, FundsDeposited
from events.codec import encode, stamp
from events.ids import partition_of
from events.order import PlaceOrder
from events.reasons import Reason
from events.topics import BALANCE_COMMANDS, BALANCE_EVENTS, ORDER_COMMANDS, ORDER_EVENTS, Topic
from infra.publisher import HEADERS
from infra.shell.repeats import SLACK, WINDOW
from tests.books import Books
from tests.e2e.reader import read_books
from tests.faults.brokers import Behind
from tests.faults.lives import PARTITIONS, now_ms
from tests.faults.load import asking
from tests.faults.rogue import Raw, write
from tests.faults.table import row
from tests.faults.world import World, busy
from tests.infra.shell.stepper import Bench
from tests.messages.envelope import NOW

REPEATS = int(os.environ.get("FAULT_REPEATS", "400"))
BATCH = 50  # commands of one partition
LATE = (0, WINDOW - 20_000, WINDOW + 5_000)  # ms before it is sent for the first time
SERVICES = {ORDER_COMMANDS.name: "order", BALANCE_COMMANDS.name: "balance"}
Commands = dict[tuple[str, int], list[Any]]


def commands(accounts: list[str], rng: Random) -> Commands:
    """Returns commands by the partition that they belong to; of each three one is late, one is too late."""
    made: Commands = {}
    for n in range(REPEATS // 3):
        account_id = rng.choice(accounts)
        said = asking(account_id)
        said["created_at"] -= LATE[n % 3]
        topic: Topic[Any] = (BALANCE_COMMANDS, ORDER_COMMANDS)[n % 2]
        command = Deposit(**said, amount=1) if n % 2 == 0 else order(said)
        made.setdefault((topic.name, partition_of(account_id, PARTITIONS)), []).append(command)
    return made


def order(said: dict[str, Any]) -> PlaceOrder:
    return PlaceOrder(**said, asset_id="BTC", side="buy", order_type="market", notional=100)


async def send(kafka: str, made: Commands, times: int) -> None:
    """Writes every command so many times, all in one batch with others."""
    headers = [(name.encode(), value) for name, value in HEADERS]
    for tp, some in made.items():
        for first in range(0, len(some), BATCH):
            raws = [
                Raw(command.account_id.encode(), encode(command), headers)
                for command in some[first : first + BATCH] * times
            ]
            await write(kafka, tp, raws)


def answers(books: Books) -> dict[str, list[str | None]]:
    """Returns the reasons of all answers to each command, None where it was done or begun."""
    found = defaultdict(list)
    for event in (*books.of(ORDER_EVENTS), *books.of(BALANCE_EVENTS)):
        if event.causation_id == event.command_id:
            found[event.command_id].append(getattr(event, "reason", None))
    return found


@pytest.mark.stack
@pytest.mark.faults
@pytest.mark.timeout(600)
async def test_a_repeat_has_no_second_outcome(tmp_path: Path, broker: Behind) -> None:
    kafka = broker.address
    async with busy(kafka, tmp_path) as world:
        made = commands(world.load.accounts, Random(1))
        await send(kafka, made, times=2)
        await send(kafka, made, times=1)
        for service in SERVICES.values():
            await world.lives[service].kill()
            await world.lives[service].start()
        await send(kafka, made, times=1)
        await all_taken(kafka, world)
    answered = answers(await read_books(kafka))
    sent = [command for some in made.values() for command in some]
    violations = 0
    for command in sent:
        late = command.occurred_at - command.created_at > WINDOW
        (reason,) = answered[command.id]
        violations += (reason == Reason.COMMAND_EXPIRED) != late
    row(41, "repeats in a batch, across batches and a restart", 3 * len(sent), violations)
    assert not violations


async def all_taken(kafka: str, world: World) -> None:
    """Returns once each service answered something that came after all that was sent."""
    begun = now_ms()
    for service in SERVICES.values():
        await world.witness.spoke(service, begun)


@pytest.mark.parametrize(
    ("later", "refused"),
    [(WINDOW - 1_000, 0), (WINDOW + 1, 0), (WINDOW + 2 * SLACK, REPEATS)],
    ids=["before its end", "known a little longer", "long forgotten"],
)
def test_a_repeat_at_the_windows_edge_and_after_it_changes_nothing(
    later: int, refused: int
) -> None:
    async def case() -> None:
        bench = Bench()
        sent = bench.ask(*(1,) * REPEATS)
        await bench.live()
        await bench.clock.sleep(NOW + later - bench.clock.now_ms())
        sent += bench.ask(1, first=REPEATS + 1, at=bench.clock.now_ms())
        await bench.live()
        for command in sent[:-1]:
            bench.put(encode(stamp(command, occurred_at=bench.clock.now_ms())), command.account_id)
        await bench.live()
        events = bench.events()
        done = Counter(e.command_id for e in events if isinstance(e, FundsDeposited))
        assert done == Counter(command.id for command in sent)
        reasons = Counter(e.reason for e in events if not isinstance(e, FundsDeposited))
        assert reasons == Counter({"command_expired": refused} if refused else {})

    asyncio.run(case())
    row(41, f"repeats {later // 1_000} s after the first, twin", REPEATS, 0)
