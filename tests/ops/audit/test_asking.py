"""What an audit asks of a broker that is not at rest."""

import pytest

from events.topics import ORDER_COMMANDS, ORDER_EVENTS
from infra.log.admin import ensure
from infra.raw.batches import Ends, RawReader
from ops.audit import asking
from ops.audit.auditor import Auditor
from ops.audit.run import reading
from ops.provision import contract_topic
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
