"""The profile cluster: three brokers, two owners a service. Any one of them may die in the midst of orders."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from itertools import cycle

import httpx2
import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from tests.containers.deployment import Deployment, deployed
from tests.e2e.customer import Customer
from tests.e2e.reader import closed_books
from tests.stand import until

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]
CUSTOMERS, ORDERS = 6, 8  # orders while one is down
HEALTHY = ["python", "-P", "-m", "infra.process.healthy"]
VICTIMS = ("kafka-1", "order-0", "kafka-2", "balance-1", "kafka-3", "portfolio-0", "tape-1")


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(tmp_path_factory.mktemp("cluster"), "cluster") as running:
        yield running
    assert running.left() == []


async def in_sync(bootstrap: str) -> set[int]:
    """Returns on how many brokers partitions stand whole; none if no broker answers."""
    admin = AIOKafkaAdminClient(bootstrap_servers=bootstrap)
    try:
        await admin.start()
        topics = await admin.describe_topics()
    except KafkaError:
        return set()
    finally:
        await admin.close()
    return {len(partition["isr"]) for topic in topics for partition in topic["partitions"]}


async def test_every_topic_stands_on_three_brokers(deployment: Deployment) -> None:
    assert await in_sync(deployment.endpoints["kafka"]) == {3}


async def test_both_owners_work_and_any_one_may_be_killed(deployment: Deployment) -> None:
    async with httpx2.AsyncClient(base_url=deployment.endpoints["gateway"], timeout=35) as http:
        customers = [await Customer.registered(http) for _ in range(CUSTOMERS)]
        for customer in customers:
            await customer.deposit("1000.00")
        turns = cycle(customers)
        for victim in VICTIMS:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(killed_and_back(deployment, victim))
                for _ in range(ORDERS):
                    order = next(turns).order(asset_id="BTC", side="buy", notional="5.00")
                    tasks.create_task(order)
        answers = [answer for one in customers for answer in one.outcomes.values()]
        refused = Counter(body["code"] for status, body in answers if status != 201)
        print(f"{len(answers)} commands, refused {dict(refused)}")
        assert refused.keys() <= {"price_stale"}  # while the market finds the new leader
        for customer in customers:
            assert (await customer.get("/balance"))["held"] == "0.00"
    read = await closed_books(deployment.endpoints["kafka"])
    written = {partition for (_, partition), records in read.records.items() if records}
    assert written == {0, 1}


async def killed_and_back(deployment: Deployment, victim: str) -> None:
    """Kills the service's container and starts it again: no engine starts what was killed by hand."""
    container = deployment.container(victim)
    await asyncio.to_thread(container.kill)
    await asyncio.to_thread(container.start)

    async def is_back() -> bool:
        if victim.startswith("kafka"):
            return await in_sync(deployment.endpoints["kafka"]) == {3}
        asked = await asyncio.to_thread(container.exec_run, HEALTHY)
        return bool(asked.exit_code == 0)

    await until(is_back, victim)
