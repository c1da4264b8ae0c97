"""What an audit asks of a broker that is not at rest."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from events.topics import ORDER_COMMANDS, ORDER_EVENTS
from infra.log.admin import ensure
from infra.raw.batches import Ends, RawReader
from ops.audit import asking
from ops.audit.auditor import Auditor
from ops.audit.run import reading
from ops.audit.where import Where
from ops.provision import contract_topic
from tests.faults.rogue import Raw, write
from tests.stack import serve

pytestmark = pytest.mark.stack
TP = (ORDER_EVENTS.name, 0)


@pytest.fixture
async def kafka() -> str:
    """Returns a broker whose topics nobody writes."""
    broker = serve("asked", "kafka").endpoints()["kafka"]
    await ensure([contract_topic(topic, 1, 1) for topic in (ORDER_COMMANDS, ORDER_EVENTS)], broker)
    return broker


async def left_open(reader: RawReader, stable: int) -> list[str]:
    """Returns what is said of a transaction that was open at the offset, after two looks at it."""
    auditor = Auditor(1)
    await asking.transactions(auditor, reader, {TP: Ends(0, stable + 1, stable)}, 2 * asking.POLL_S)
    return [violation.what for violation in auditor.healthy.told]


async def test_what_does_not_rest_in_time_is_not_at_rest(kafka: str) -> None:
    async with reading(kafka) as reader:
        assert not await asking.rested(reader, [TP], 0)
        assert await asking.rested(reader, [TP], 60)


async def test_a_transaction_that_does_not_end_is_told(kafka: str) -> None:
    async with reading(kafka) as reader:
        assert await left_open(reader, 5) == []  # it has ended: nothing is open there any more
        [told] = await left_open(reader, 0)
        assert told.startswith(f"a transaction of {TP} open at 0 for ")


@asynccontextmanager
async def at_work_when_first_asked(kafka: str) -> AsyncIterator[int]:
    """Returns the admin port of a service that appends something before it first tells of its rows."""
    told = ["as they are now", "as they were for a moment"]

    async def tell(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        if len(told) > 1:
            await write(kafka, TP, [Raw(b"account", b"{}")])
        said = b'{"0":"%s"}' % told.pop().encode()
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n" + said)
        writer.close()

    server = await asyncio.start_server(tell, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


async def test_views_and_processes_are_asked_again_if_something_came_meanwhile(kafka: str) -> None:
    async with reading(kafka) as reader, at_work_when_first_asked(kafka) as port:
        before = (await reader.ends([TP]))[TP]
        rest = await asking.rest(Where(kafka, admins={"order": port}), reader, [TP], 60)
        assert rest is not None
        assert rest.ends[TP].end == before.end + 1
        assert rest.processes == {("order", 0): "as they are now"}
