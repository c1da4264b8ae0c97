"""Who may reach whom: nobody, but for the edges of a table that is the settings' own."""

from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from ops.stack.processes import ENTRIES, settings_of
from tests.helm.chart import CHART, ENVIRONMENTS, NAME, RELEASE, Manifest, manifests, pods
from tests.helm.tools import MARKS

pytestmark = list(MARKS)
REACHED = {
    name: {"kafka", "redis", "dynamodb"} & settings_of(name).model_fields.keys() for name in ENTRIES
}
"""Whoever is told where a server is may reach it."""
PORTS = {9092: "kafka", 6379: "redis", 443: "dynamodb", 53: "dns"}
every = pytest.mark.parametrize("environment", ENVIRONMENTS)


def values_of(environment: str) -> dict[str, Any]:
    """Returns what the environment's file says of the network."""
    both: dict[str, Any] = {}
    for name in ("values", f"values-{environment}"):
        both |= yaml.safe_load((CHART / f"{name}.yaml").read_text()).get("network", {})
    return both


def reached(policies: list[Manifest], ports: Mapping[int, str]) -> dict[str, dict[str, Any]]:
    """Returns for each part the servers that its policies let it reach, and as whom; names are asked of `dns`."""
    found: dict[str, dict[str, Any]] = {}
    for policy in policies:
        part = policy["spec"]["podSelector"]["matchLabels"].get("app.kubernetes.io/component")
        for rule in policy["spec"].get("egress", ()):
            for number in {port["port"] for port in rule["ports"]}:
                found.setdefault(part, {})[ports.get(number, str(number))] = rule.get("to")
    return found


@pytest.mark.parametrize("environment", ["staging", "production"])
def test_only_servers_that_are_named_are_reached(environment: str) -> None:
    policies = [one for one in manifests(environment) if one["kind"] == "NetworkPolicy"]
    named = values_of(environment)
    found = reached(policies, PORTS)
    for part, servers in REACHED.items():
        assert found[part] == {name: named[name]["peers"] for name in (*servers, "dns")}, part


def test_a_server_of_the_charts_own_is_reached_by_its_marks() -> None:
    among = manifests("dev")
    policies = [one for one in among if one["kind"] == "NetworkPolicy"]
    found = reached(policies, PORTS | {8000: "dynamodb"})
    for part, servers in REACHED.items():
        assert found[part].keys() == {*servers, "dns"}
        for server in servers - {"kafka"}:
            (peer,) = found[part][server]
            store = {"redis": "valkey", "dynamodb": "dynamodb"}[server]
            labels = pods(among)[store]["metadata"]["labels"]
            assert peer["podSelector"]["matchLabels"].items() <= labels.items()


@pytest.mark.parametrize(
    "planted",
    [
        'network.kafka={"peers": [{"ipBlock": {"cidr": "0.0.0.0/0"}}]}',
        "network.redis.ports=[6379, 22]",
        'network.dns={"peers": [{"podSelector": {}}]}',
    ],
)
def test_an_edge_too_many_is_found(planted: str) -> None:
    policies = [one for one in manifests("production", planted) if one["kind"] == "NetworkPolicy"]
    named = values_of("production")
    assert reached(policies, PORTS)["gateway"] != {
        name: named[name]["peers"] for name in (*REACHED["gateway"], "dns")
    }


@every
def test_nobody_enters_but_who_is_named(environment: str) -> None:
    among = manifests(environment)
    policies = [one for one in among if one["kind"] == "NetworkPolicy"]
    nothing = next(p for p in policies if p["metadata"]["name"] == f"{NAME}-nothing")
    assert nothing["spec"].keys() == {"podSelector", "policyTypes"}
    assert set(nothing["spec"]["policyTypes"]) == {"Ingress", "Egress"}
    for name, pod in pods(among).items():
        labels = pod["metadata"]["labels"].items()
        assert nothing["spec"]["podSelector"]["matchLabels"].items() <= labels, name
    entered = {
        p["metadata"]["name"].removeprefix(f"{NAME}-"): p["spec"]["ingress"]
        for p in policies
        if "Ingress" in p["spec"]["policyTypes"] and p is not nothing
    }
    named = values_of(environment)
    doors = {"clients": 8080, "metrics": 9464}
    for door, port in doors.items():
        if named[door]:
            (rule,) = entered.pop(door)
            assert rule["from"] == named[door]
            assert [one["port"] for one in rule["ports"]] == [port]
    own = {"valkey", "dynamodb"} if environment == "dev" else set()
    assert entered.keys() == own | ({"demo-client"} if environment != "production" else set())
    for rules in entered.values():
        for rule in rules:
            for peer in rule["from"]:
                marks = peer["podSelector"]["matchLabels"]
                assert marks["app.kubernetes.io/instance"] == RELEASE
                assert marks["app.kubernetes.io/component"] in {*ENTRIES, "demo"}
