"""What must hold after a run: exact books, and rows that are what the events say."""

from events.topics import BALANCE_COMMANDS, ORDER_COMMANDS
from infra.shell.restore import own_event
from infra.shell.rows import RowStore
from infra.shell.service import Service
from ops.provision import SHELL_SERVICES
from tests import books
from tests.books import Books, holds
from tests.simulation.world import PARTITIONS, World


async def check(world: World) -> None:
    """Raises: Violation if the log, or what is restored from it, is not as it must be."""
    read = Books({tp: world.log.read(tp) for tp in world.log.partitions})
    commands = {c.id for topic in (ORDER_COMMANDS, BALANCE_COMMANDS) for c in read.of(topic)}
    holds(commands == {sending.command.id for sending in world.sent}, "a command was not sent")
    books.check(read)
    for service in SHELL_SERVICES:
        for p in range(PARTITIONS):
            await rows_are_the_fold_of_own_events(world, service, p)


async def rows_are_the_fold_of_own_events(world: World, service: Service, p: int) -> None:
    """The rows that lived, those folded from the first event on, and those of a new owner are the same."""
    store = RowStore(service)
    for record in world.log.read(service.output(p)):
        event = own_event(service, record)
        if event is not None:
            store.fold(event, record.offset)
    process = next(process for process in world.processes if process.service is service)
    assert process.shell
    lived = process.shell.partitions[p].store.rows
    holds(lived == store.rows, f"{service.name}-{p}: the rows that lived are not the events' fold")
    restored = (await world.restored(service, p)).store
    holds(
        restored.rows == store.rows, f"{service.name}-{p}: snapshot + events since are not the fold"
    )
