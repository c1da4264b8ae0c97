"""A state topic that is lost, damaged or compacted at once: its service comes back with the same rows, and the audit
notices what is wrong.
"""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from events.topics import state_topic
from infra.log.admin import ensure, settings
from infra.log.kafka import KafkaLog
from infra.log.port import TP
from infra.shell.reading import stretch
from ops.audit.run import audit
from ops.audit.where import Where
from ops.provision import topic_specs
from ops.stack.processes import SHELL_SERVICES
from tests.contracts.log_worlds import EAGER
from tests.faults.lives import PARTITIONS, Life, living, now_ms
from tests.faults.load import flood, under_load
from tests.faults.rogue import Raw, write
from tests.faults.table import RUNS, row
from tests.faults.verdict import verdict
from tests.faults.witness import Witness, witnessing
from tests.stack import serve

DAMAGED = "balance"
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


async def test_a_damaged_row_is_noticed_and_goes_with_its_topic(tmp_path: Path) -> None:
    kafka = serve("damaged-state", "kafka").endpoints()["kafka"]
    async with living(kafka, tmp_path) as lives:
        async with witnessing(kafka) as witness, under_load(kafka):
            await witness.spoke(DAMAGED, 0)
        await lives[DAMAGED].end()  # it leaves a snapshot
        state = state_topic(DAMAGED)
        account, offset = await damage(kafka, (state, 0))
        ours = frozenset({(state, 0, offset)})
        report = await audit(Where.of({"kafka": kafka}), foreign=ours)
        noticed = [v.what for v in report.violations if v.invariant == "I11"]
        assert noticed
        assert all(account in what for what in noticed), noticed
        await lose(kafka, state)
        died = now_ms()
        await lives[DAMAGED].start()
        async with witnessing(kafka) as witness, under_load(kafka):
            took = await witness.spoke(DAMAGED, died)
        await verdict({"kafka": kafka})
    row(50, "a state row damaged, its topic deleted", 1, 0, [took])


async def test_snapshots_that_were_compacted_tell_the_same(tmp_path: Path) -> None:
    kafka = serve("compacted-state", "kafka").endpoints()["kafka"]
    own = {spec.name: settings(spec) for spec in topic_specs(PARTITIONS)}
    topics = {state_topic(service): own[state_topic(service)] for service in SHELL_SERVICES}
    times: list[float] = []
    async with living(kafka, tmp_path) as lives:
        async with witnessing(kafka) as witness, under_load(kafka):
            await alter(kafka, {topic: set_ | EAGER for topic, set_ in topics.items()})
            for service in SHELL_SERVICES * RUNS:
                await snapshots_compacted(kafka, lives[service], witness)
                await witness.progress(service, now_ms())
                await lives[service].kill()
                died = now_ms()
                await lives[service].start()
                times.append(await witness.spoke(service, died))
        await alter(kafka, topics)
        await verdict({"kafka": kafka})
    row(50, "a state topic compacted at once, again and again", len(times), 0, times)


async def snapshots_compacted(kafka: str, life: Life, witness: Witness) -> None:
    """Returns once each of the service's partitions has lost rows of its snapshots for newer ones."""
    log, topic = KafkaLog(kafka), state_topic(life.name)
    states = [(topic, p) for p in range(PARTITIONS)]
    for state in states:
        end = (await log.bounds([state]))[state].end
        stood = len([r async for r in stretch(log, state, 0, end)])
        while stood <= len([r async for r in stretch(log, state, 0, end)]):
            await witness.progress(life.name, now_ms())
            await life.end()  # it leaves a snapshot, and so a new segment
            await life.start()
    await log.stop()


async def alter(kafka: str, topics: Mapping[str, Mapping[str, str]]) -> None:
    """Gives the topics these settings and no others."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.alter_configs(
            [ConfigResource(ConfigResourceType.TOPIC, *topic) for topic in topics.items()]
        )
    finally:
        await admin.close()


async def damage(kafka: str, state: TP) -> tuple[str, int]:
    """Has one cent more in the newest row of an account. Returns whose, and where that stands."""
    log = KafkaLog(kafka)
    end = (await log.bounds([state]))[state].end
    rows = [
        r async for r in stretch(log, state, 0, end) if (r.key or b"").startswith(b'["balance"')
    ]
    await log.stop()
    body = json.loads(rows[-1].value or b"")
    body["row"]["available"] += 1
    offset = await write(kafka, state, [Raw(rows[-1].key, json.dumps(body).encode())])
    return json.loads(rows[-1].key or b"")[1], offset


async def lose(kafka: str, topic: str) -> None:
    """Deletes the topic, and makes it anew as every start of a stack does."""
    admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
    await admin.start()
    try:
        await admin.delete_topics([topic])
    finally:
        await admin.close()
    await ensure(topic_specs(PARTITIONS), kafka)
