"""The chart: each process told its settings and nothing else, partitions owned once, wrong values refused by name."""

import base64
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from gateway.keys import load_keys
from infra.process.server import Admin
from infra.process.service import ShellSettings
from infra.process.settings import SECRETS
from ops.provision import differences
from ops.stack.processes import ENTRIES, SHELL_SERVICES, settings_of
from tests.helm.chart import (
    CHART,
    ENVIRONMENTS,
    NAME,
    ROOT,
    Manifest,
    Refused,
    container,
    manifests,
    of_kind,
    pods,
    processes,
    rendered,
    secret_files,
    told,
    unsafe,
)
from tests.helm.tools import MARKS, conform, lint, scan
from tests.told import packaged_broker, variables

pytestmark = list(MARKS)
COORDINATES = {"POD_INDEX"}
MOST = 12
EVERY = (*ENTRIES, "demo", "valkey", "dynamodb")
ARGUED = {
    "CKV_K8S_11": (EVERY, "a limit on CPU stops a process that could run; requests share it out"),
    "CKV_K8S_15": (EVERY, "tags are exact: what is there need not be asked for at each start"),
    "CKV_K8S_43": (EVERY, "image.digest takes one; there is none before an image is in a registry"),
    "CKV_K8S_40": (("valkey", "dynamodb"), "the users of other people's images are theirs"),
    "CKV_K8S_8": (("demo",), "it runs once and ends"),
    "CKV_K8S_9": (("demo",), "nobody is served by it"),
}
"""What checkov finds and is meant, for which parts, and why."""
every = pytest.mark.parametrize("environment", ENVIRONMENTS)


@every
def test_what_is_rendered_is_what_kubernetes_and_strimzi_take(environment: str) -> None:
    assert conform(rendered(environment)) == []


@every
def test_helm_and_the_scanner_find_nothing(environment: str) -> None:
    assert lint(CHART, CHART / f"values-{environment}.yaml") == []
    found = [line.partition(" ")[::2] for line in scan(rendered(environment))]
    assert [line for check, line in found if not is_argued(check, line)] == []


def is_argued(check: str, line: str) -> bool:
    part = line.partition(":")[0].rpartition(f"{NAME}-")[2]
    parts, _ = ARGUED.get(check, ((), ""))
    return part in parts


def test_nothing_is_argued_that_is_not_found() -> None:
    found = {line.partition(" ")[0] for each in ENVIRONMENTS for line in scan(rendered(each))}
    assert found == set(ARGUED)


@every
def test_a_process_is_told_its_settings_and_nothing_else(
    environment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = processes(manifests(environment))
    assert found.keys() == ENTRIES.keys()
    for name, pod in found.items():
        fields, given, files = variables(name), told(pod), secret_files(pod)
        assert given.keys() - COORDINATES == fields - {file.upper() for file in files}, name
        assert {file.upper() for file in files} <= fields, name
        with monkeypatch.context() as patch:
            for variable, value in given.items():
                patch.setenv(variable, value)
            for file in files:
                patch.setenv(file.upper(), "b0" * 20)
            settings_of(name)()


@every
def test_secrets_are_where_they_are_looked_for(environment: str) -> None:
    pod = processes(manifests(environment))["gateway"]
    mounts = {mount["name"]: mount for mount in container(pod)["volumeMounts"]}
    assert mounts["secrets"]["mountPath"] == str(SECRETS)
    assert mounts["signing-keys"]["mountPath"] == f"{told(pod)['ORDERSTREAM_RUN_DIR']}/keys"
    assert all(mount["readOnly"] for mount in mounts.values())


def test_secrets_that_the_chart_makes_can_be_used(tmp_path: Path) -> None:
    secrets = {s["metadata"]["name"]: s["data"] for s in manifests("dev") if s["kind"] == "Secret"}
    for name, data in secrets[f"{NAME}-signing-keys"].items():
        (tmp_path / name).write_bytes(base64.b64decode(data))
    assert load_keys(tmp_path)
    key = base64.b64decode(secrets[f"{NAME}-secrets"]["orderstream_cursor_key"])
    assert len(key) == 48


@pytest.mark.parametrize("partitions", range(1, MOST + 1))
def test_owners_cover_every_partition_once(
    partitions: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for owners in range(1, partitions + 1):
        sets = [f'services.{name}={{"owners": {owners}}}' for name in SHELL_SERVICES]
        among = manifests("production", f"partitions={partitions}", *sets)
        sets_of_owners = of_kind("StatefulSet", among)
        assert sets_of_owners.keys() == set(SHELL_SERVICES)
        for name, stateful_set in sets_of_owners.items():
            assert stateful_set["spec"]["replicas"] == owners
            owned: list[int] = []
            for ordinal in range(owners):
                for variable, value in told(pods(among)[name], ordinal).items():
                    monkeypatch.setenv(variable, value)
                owned += ShellSettings().owned
            assert sorted(owned) == list(range(partitions)), (name, owners)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("partitons=12", "partitons"),
        ("partitions=0", "/partitions"),
        ('partitions="12"', "/partitions"),
        ('services.order={"owners": 13}', "services.order.owners is 13, more than the 12"),
        ('services.tape={"owners": 0}', "/services/tape/owners"),
        ('services.order={"owner": 3}', "owner"),
        ('services.shipping={"owners": 1}', "shipping"),
        ('environment="staging"', "/environment"),
        ('logLevel="TRACE"', "/logLevel"),
        ('kafka.bootstrap="kafka"', "/kafka/bootstrap"),
        ('kafka.bootstrap=""', "ORDERSTREAM_KAFKA has no value"),
        ('redis.live="localhost:6379"', "/redis/live"),
        ('redis.sessions=""', "name orderstream_sessions in secrets.keys"),
        ('dynamodb.url=""', "ORDERSTREAM_DYNAMODB has no value"),
        ('secrets.existing=""', "secrets.existing must name a Secret"),
        ('secrets.signingKeys=""', "secrets.signingKeys must name a Secret"),
        ('secrets.keys=["password"]', "/secrets/keys"),
        ("secrets.keys=[]", "/secrets/keys"),
        ("secrets.create=true", "secrets.create is for development"),
        ("stores.enabled=true", "stores.enabled is for development"),
        ('gateway.service.port="http"', "/gateway/service/port"),
        ("gateway.service.port=70000", "/gateway/service/port"),
        ('gateway.autoscaling.max=2', "gateway.autoscaling.min is 3, more than the 2 of max"),
        ('gateway.ingress.host=""', "gateway.ingress.host must be set"),
        ('image.digest="sha256:12"', "/image/digest"),
        ('image.pullPolicy="Sometimes"', "/image/pullPolicy"),
        ("network.kafka.ports=[]", "/network/kafka/ports"),
        ("network.redis.peers=[]", "network.redis.peers names nobody"),
        ('serviceAccountAnnotations={"gatway": {}}', "gatway"),
        ("strimzi={\"enabled\": true, \"brokers\": 2}", "kafka.replication is 3, more than the 2"),
    ],
)  # fmt: skip
def test_wrong_values_are_refused_by_name(value: str, said: str) -> None:
    with pytest.raises(Refused) as refused:
        rendered("production", value)
    message = str(refused.value).replace(".", "/")
    assert said.replace(".", "/") in message


@every
def test_probes_ask_where_it_is_told(environment: str) -> None:
    admin = Admin("order", lambda: {"partition 0": False}, {})
    for name, pod in processes(manifests(environment)).items():
        its = container(pod)
        assert its["args"] == ["run", name]
        if name == "provision":
            continue
        ports = {port["name"]: port["containerPort"] for port in its["ports"]}
        assert str(ports["admin"]) == told(pod)["ORDERSTREAM_ADMIN_PORT"]
        probes = {
            kind: its[f"{kind}Probe"]["httpGet"] for kind in ("startup", "liveness", "readiness")
        }
        assert {probe["port"] for probe in probes.values()} == {"admin"}
        assert admin.answer(probes["liveness"]["path"])[0] == 200
        assert admin.answer(probes["startup"]["path"])[0] == 200
        assert admin.answer(probes["readiness"]["path"])[0] == 503
        annotations = pod["metadata"]["annotations"]
        assert annotations["prometheus.io/port"] == str(ports["admin"])
        assert admin.answer(annotations["prometheus.io/path"])[0] == 200
        if name == "gateway":
            assert str(ports["http"]) == told(pod)["ORDERSTREAM_GATEWAY_PORT"]


@every
def test_a_service_leads_to_its_pods(environment: str) -> None:
    among = manifests(environment)
    for name, service in of_kind("Service", among).items():
        pod = pods(among)[name]
        assert service["spec"]["selector"].items() <= pod["metadata"]["labels"].items()
        named = {port["name"] for port in container(pod)["ports"]}
        assert {port["targetPort"] for port in service["spec"]["ports"]} <= named
        host = f"{NAME}-{name}"
        assert service["metadata"]["name"] == host
    gateway = of_kind("Service", among)["gateway"]
    if environment == "production":
        assert "demo" not in pods(among)
        return
    assert (
        f"http://{NAME}-gateway:{gateway['spec']['ports'][0]['port']}"
        in container(pods(among)["demo"])["args"]
    )


@every
def test_a_pod_has_nothing_that_it_does_not_need(environment: str) -> None:
    for name, pod in pods(manifests(environment)).items():
        assert unsafe(pod) == [], name


OWN = ("containers", "securityContext")
PLANTED: list[tuple[str, tuple[str, ...], Any]] = [
    ("may be root", ("securityContext", "runAsNonRoot"), False),
    ("may be root", ("securityContext", "runAsUser"), 0),
    ("has no seccomp profile", ("securityContext", "seccompProfile"), {"type": "Unconfined"}),
    ("has a token of the cluster", ("automountServiceAccountToken",), True),
    ("shares the host's own", ("hostNetwork",), True),
    ("shares the host's own", ("hostPID",), True),
    ("shares the host's own", ("hostIPC",), True),
    ("has a folder of the host", ("volumes",), [{"name": "v", "hostPath": {"path": "/"}}]),
    ("may gain privileges", (*OWN, "privileged"), True),
    ("may gain privileges", (*OWN, "allowPrivilegeEscalation"), True),
    ("may write to its root file system", (*OWN, "readOnlyRootFilesystem"), False),
    ("has capabilities", (*OWN, "capabilities"), {"drop": ["ALL"], "add": ["NET_ADMIN"]}),
    ("has no limit", ("containers", "resources"), {"requests": {}}),
    ("is no exact image", ("containers", "image"), "orderstream:latest"),
    ("is no exact image", ("containers", "image"), "orderstream"),
    (
        "has a secret in its environment",
        ("containers", "env"),
        [{"name": "K", "valueFrom": {"secretKeyRef": {}}}],
    ),
]


@pytest.mark.parametrize(("said", "path", "value"), PLANTED)
def test_what_would_be_unsafe_is_found(said: str, path: tuple[str, ...], value: Any) -> None:
    pod: Any = deepcopy(pods(manifests("production"))["order"])
    place = pod["spec"]
    for step in path[:-1]:
        place = place[step][0] if step == "containers" else place[step]
    place[path[-1]] = value
    assert unsafe(pod) == [said]


@every
def test_no_kind_is_evicted_whole_and_each_has_an_account(environment: str) -> None:
    among = manifests(environment)
    budgets, accounts = of_kind("PodDisruptionBudget", among), of_kind("ServiceAccount", among)
    for name, pod in processes(among).items():
        assert accounts[name]["metadata"]["name"] == pod["spec"]["serviceAccountName"]
        assert accounts[name]["automountServiceAccountToken"] is False
        if name != "provision":
            selector = budgets[name]["spec"]["selector"]["matchLabels"]
            assert selector.items() <= pod["metadata"]["labels"].items()
            spread = pod["spec"]["topologySpreadConstraints"]
            assert all(s["labelSelector"]["matchLabels"] == selector for s in spread)


@every
def test_nothing_stays_of_a_hook(environment: str) -> None:
    """What Helm's hooks make is not removed with the release: each goes once it has ended, however."""
    hooks = [
        (one["kind"], one["metadata"]["annotations"])
        for one in manifests(environment)
        if "helm.sh/hook" in one["metadata"].get("annotations", {})
    ]
    assert len(hooks) == (3 if environment == "production" else 7)
    for kind, hook in hooks:
        policy = set(hook["helm.sh/hook-delete-policy"].split(","))
        assert policy >= {"before-hook-creation", "hook-succeeded"}
        if kind == "Job":
            assert "hook-failed" in policy
            assert hook["helm.sh/hook-output-log-policy"] == "hook-failed"


@pytest.mark.parametrize("kept", [True, False])
def test_the_log_outlives_the_release_unless_told(kept: bool) -> None:
    among = manifests("dev", f"strimzi.keep={str(kept).lower()}")
    made = [one for one in among if one["apiVersion"].startswith("kafka.strimzi.io/")]
    assert {one["kind"] for one in made} == {"Kafka", "KafkaNodePool", "KafkaTopic"}
    for one in made:
        policy = one["metadata"].get("annotations", {}).get("helm.sh/resource-policy")
        assert policy == ("keep" if kept else None)
        for volume in one["spec"].get("storage", {}).get("volumes", ()):
            assert volume["deleteClaim"] is not kept


def test_no_topic_waits_for_an_operator_that_is_gone() -> None:
    template = kafka_of(manifests("dev"))["spec"]["entityOperator"]["template"]
    unset = {"name": "STRIMZI_USE_FINALIZERS", "value": "false"}
    assert unset in template["topicOperatorContainer"]["env"]


def test_provisioning_comes_before_all_that_needs_it_unless_kafka_comes_along() -> None:
    before, after = "pre-install,pre-upgrade", "post-install,post-upgrade"
    for environment, when in (("production", before), ("dev", after)):
        job = of_kind("Job", manifests(environment))["provision"]
        assert job["metadata"]["annotations"]["helm.sh/hook"] == when


def kafka_of(among: list[Manifest]) -> Manifest:
    return dict(next(one for one in among if one["kind"] == "Kafka"))


def test_strimzis_broker_is_set_up_as_the_packaged_one() -> None:
    config = {k: str(v) for k, v in kafka_of(manifests("dev"))["spec"]["kafka"]["config"].items()}
    assert config.items() <= packaged_broker().items()
    assert list(differences(config)) == []


def test_the_same_versions_everywhere() -> None:
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    compose = (ROOT / "docker-compose.yml").read_text()
    for store in ("valkey", "dynamodb"):
        assert f"image: {values['stores'][store]}\n" in compose
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    project = (ROOT / "pyproject.toml").read_text()
    assert f'\nversion = "{chart["appVersion"]}"\n' in project
    assert chart["version"] == chart["appVersion"]
