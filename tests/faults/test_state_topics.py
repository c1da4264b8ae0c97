"""A state topic that is lost: the service comes back from its own events alone, and shows how far it is."""

import json
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient

from events.topics import state_topic
from infra.log.admin import ensure
from ops.provision import topic_specs
from ops.stack.processes import SHELL_SERVICES
from tests.faults.lives import PARTITIONS, living, now_ms
from tests.faults.load import flood, under_load
from tests.faults.table import RUNS, row
from tests.faults.verdict import verdict
from tests.faults.witness import witnessing
from tests.stack import serve

HISTORY = 110_000
"""Events in one partition: more than a restart folds before it says how far it is."""

pytestmark = [pytest.mark.stack, pytest.mark.faults, pytest.mark.timeout(900)]


async def test_a_lost_state_topic_costs_a_full_replay_and_nothing_else(tmp_path: Path) -> None:
    kafka = serve("lost-state", "kafka").endpoints()["kafka"]
    times: list[float] = []
    async with living(kafka, tmp_path) as lives:
        async with witnessing(kafka) as witness, under_load(kafka):
            await flood(kafka, HISTORY)
            for service in SHELL_SERVICES * RUNS:
                begun = now_ms()
                await witness.spoke(service, 0)
                await lose(kafka, state_topic(service))
                assert await lives[service].ended() == 1, "it went on without its snapshots"
                died = now_ms()
                await lives[service].start()
                times.append(await witness.spoke(service, died))
                print(f"{service}: noticed after {(died - begun) / 1_000:.2f} s, {times[-1]:.2f} s")
        await verdict({"kafka": kafka})
    log = lives["balance"].log.read_text().splitlines()
    shown = [json.loads(line)["folded"] for line in log if '"message": "restoring"' in line]
    assert shown, "a long replay shows no progress"
    print(f"progress of {HISTORY} events and more: {shown}")
    row(50, "a state topic deleted", len(times), 0, times)


async def lose(kafka: str, topic: str) -> None:
    """Deletes the topic, and makes it anew as every start of a stack does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.delete_topics([topic])
    finally:
        await admin.close()
    await ensure(topic_specs(PARTITIONS), kafka)
