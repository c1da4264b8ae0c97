"""What must hold after a run: exact books, and rows that are what the events say."""

from collections import Counter, defaultdict
from typing import Any

from events.balance import Deposit, FundsDeposited
from events.control import RecordQuarantined
from events.decider import Rows
from events.topics import BALANCE_COMMANDS, CONTROL, ORDER_COMMANDS, ORDER_EVENTS
from infra.shell.reading import is_control
from infra.shell.service import Service
from ops.provision import SHELL_SERVICES
from tests import books
from tests.books import Books, holds
from tests.simulation.replays import Replay, Versions
from tests.simulation.steps import STEPPER, STEPS, length
from tests.simulation.world import OLD_VERSIONS, PARTITIONS, World

VERSIONS: Versions = ({}, OLD_VERSIONS)
OLD = b'"type":"order_accepted","version":1,'


async def check(world: World) -> None:
    """Raises: Violation if the log, or what is restored from it, is not as it must be."""
    records = world.records()
    read = Books(records)
    commands = {c.id for topic in (ORDER_COMMANDS, BALANCE_COMMANDS) for c in read.of(topic)}
    holds(
        commands == {sending.command.id for sending in world.case.sendings},
        "a command was not sent",
    )
    books.check(read)
    for service in world.services:
        poison_is_set_aside_once(world, service)
        for p in range(PARTITIONS):
            rows = Replay(service, p, records, VERSIONS).run().rows
            await rows_are_the_fold_of_own_events(world, service, p, rows)
    if STEPPER in world.services:
        every_step_is_taken_once(read)
    note_what_was_seen(world, read)


async def rows_are_the_fold_of_own_events(
    world: World, service: Service, p: int, rows: Rows
) -> None:
    """The rows that lived, those folded from the first event on, and those of a new owner are the same."""
    process = next(one for one in world.processes if one.service is service and p in one.owned)
    assert process.shell
    lived = process.shell.partitions[p].store.rows
    holds(lived == rows, f"{service.name}-{p}: the rows that lived are not the events' fold")
    restored = (await world.restored(service, p)).store
    holds(restored.rows == rows, f"{service.name}-{p}: snapshot + events since are not the fold")


def poison_is_set_aside_once(world: World, service: Service) -> None:
    """It stands in the dead-letter topic once, and the own log says so once; nothing else does."""
    letters: Counter[Any] = Counter()
    notes: Counter[Any] = Counter()
    for p in range(PARTITIONS):
        for name in service.topics:
            for record in world.log.read(service.dead_letters(name, p)):
                if not is_control(record):
                    topic, number, offset = dict(record.headers)["origin"].decode().split(":")
                    letters[topic, int(number), int(offset)] += 1
        for record in world.log.read(service.output(p)):
            if is_control(record):
                note = CONTROL(record.value or b"")
                if isinstance(note, RecordQuarantined):
                    notes[note.topic, note.partition, note.offset] += 1
    wanted = Counter(one for one in world.poisoned if one[0] in service.topics)
    holds(letters == wanted, f"{service.name}: dead letters {letters} are not {wanted}")
    holds(notes == wanted, f"{service.name}: notes {notes} are not {wanted}")


def every_step_is_taken_once(read: Books) -> None:
    """A deposit is answered by all of its events, in order, or by a refusal."""
    answers: dict[str, list[int]] = defaultdict(list)
    refused = set()
    for event in read.of(STEPS):
        if isinstance(event, FundsDeposited):
            answers[event.command_id].append(event.held)
        else:
            refused.add(event.command_id)
    for command in read.of(BALANCE_COMMANDS):
        whole = list(range(length(command) - 1, -1, -1)) if isinstance(command, Deposit) else []
        said = answers[command.id]
        holds(said == whole or (not said and command.id in refused), f"{said} is not {whole}")


def note_what_was_seen(world: World, read: Books) -> None:
    for service in SHELL_SERVICES:
        for event in read.of(service.writes):
            if reason := getattr(event, "reason", None):
                world.seen[reason] += 1
            world.seen["a limit of the day"] += getattr(event, "limit", None) is not None
            world.seen["a thawed account"] += getattr(event, "frozen", True) is False
    for tp, records in read.records.items():
        old = tp[0] == ORDER_EVENTS.name and any(OLD in (r.value or b"") for r in records)
        world.seen["an old version written"] += old
    for process in world.processes:
        assert process.shell
        for partition in process.shell.partitions.values():
            world.seen["a repeat dropped"] += partition.figures.repeats
    world.seen["commands deleted"] += any(map(bool, world.deleted.values()))
