"""docker compose up: the whole product as containers, used as a customer and an operator would."""

import asyncio
import json
from collections.abc import Iterator
from io import StringIO
from time import monotonic
from uuid import uuid4

import httpx2
import pytest
from rich.console import Console

from ops.demo.run import walk
from ops.demo.screen import Screen
from tests.containers.compose_file import services
from tests.containers.deployment import Deployment, deployed, engine
from tests.e2e.customer import Customer
from tests.e2e.reader import closed_books

pytestmark = [pytest.mark.containers, pytest.mark.timeout(900)]
LARGEST = 200_000_000  # bytes
USER = "65532"
DRAIN_S = 10
TOOLS = ("sh", "bash", "apt-get", "dpkg", "gcc", "cc", "ld", "pip", "pip3", "curl", "perl")
PATH = "/bin:/usr/bin:/sbin:/usr/sbin:/usr/local/bin:/opt/orderstream/bin"
BILL = "/usr/share/sbom/orderstream.cdx.json"


@pytest.fixture(scope="module")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployment]:
    with deployed(tmp_path_factory.mktemp("single")) as running:
        yield running
    assert running.left() == []


def ask(running: Deployment, service: str, code: str) -> str:
    """Returns what Python inside the service's container prints."""
    done = running.container(service).exec_run(["python", "-c", code])
    assert done.exit_code == 0, done.output
    return str(done.output.decode().strip())


def test_the_image_is_small_and_holds_nothing_but_the_product(deployment: Deployment) -> None:
    image = engine().images.get(services("single")["order"]["image"])
    print(
        f"{image.tags[0]}: {image.attrs['Size'] / 1e6:.0f} MB, user {image.attrs['Config']['User']}"
    )
    assert image.attrs["Size"] < LARGEST
    assert image.attrs["Config"]["User"] == f"{USER}:{USER}"
    code = (
        f"from shutil import which; print([name for name in {TOOLS} if which(name, path='{PATH}')])"
    )
    assert ask(deployment, "order", code) == "[]"
    commit = image.labels["org.opencontainers.image.revision"]
    code = "from importlib.metadata import version; print(version('orderstream'))"
    assert ask(deployment, "order", code).endswith(f"+{commit}")
    bill = json.loads(ask(deployment, "order", f"print(open('{BILL}').read())"))
    assert {"aiokafka", "pydantic", "granian"} <= {part["name"] for part in bill["components"]}


def test_a_process_is_nobody_and_writes_nowhere(deployment: Deployment) -> None:
    code = "import os\ntry: open('/written', 'w')\nexcept OSError as error: print(os.getuid(), error.strerror)"
    for name in deployment.processes():
        assert ask(deployment, name, code) == f"{USER} Read-only file system"


async def test_the_walk_of_a_new_customer(deployment: Deployment) -> None:
    walked = await walk(deployment.endpoints, Screen(Console(file=StringIO())))
    assert [step.name for step, _, _ in walked.steps][-3:] == ["sell", "portfolio", "withdraw"]
    assert walked.books
    assert walked.books.are_exact


async def test_a_killed_gateway_is_passed_by(deployment: Deployment) -> None:
    async with httpx2.AsyncClient(base_url=deployment.endpoints["gateway"], timeout=35) as http:
        customer = await Customer.registered(http)
        await customer.deposit("1000.00")
        victim = deployment.container("gateway-1")
        for n in range(40):
            if n == 10:
                await asyncio.to_thread(victim.kill)
            await customer.order(asset_id="BTC", side="buy", notional="5.00")
        await asyncio.to_thread(victim.start)
        assert all(status == 201 for status, _ in customer.outcomes.values())
        assert len((await customer.get("/orders?limit=100"))["items"]) == 40


async def test_all_drain_and_what_was_is_there_after_a_second_start(deployment: Deployment) -> None:
    name = uuid4().hex[:16]
    who = {"username": name, "password": f"of {name} alone"}
    async with httpx2.AsyncClient(base_url=deployment.endpoints["gateway"], timeout=35) as http:
        customer = await Customer.registered(http)
        await customer.deposit("123.45")
        mail = {"email": f"{name}@example.org"}
        (await http.post("/api/v1/auth/register", json=who | mail)).raise_for_status()
    for service, container in deployment.processes().items():
        begun = monotonic()
        await asyncio.to_thread(container.stop, timeout=DRAIN_S)
        container.reload()
        print(f"{service}: drained in {monotonic() - begun:.2f} s")
        assert container.attrs["State"]["ExitCode"] == 0, service
        assert b'"process_drained"' in container.logs(tail=1), service
    begun = monotonic()
    await asyncio.to_thread(deployment.compose.start)
    print(f"all healthy again in {monotonic() - begun:.1f} s")
    async with httpx2.AsyncClient(base_url=deployment.endpoints["gateway"], timeout=35) as http:
        customer.http = http
        assert (await customer.get("/balance"))["total"] == "123.45"
        (await http.post("/api/v1/auth/login", json=who)).raise_for_status()
    read = await closed_books(deployment.endpoints["kafka"])
    assert read.records
