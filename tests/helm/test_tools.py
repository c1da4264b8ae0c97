"""What judges the chart finds what is planted, and is silent about what is sound."""

import json
import re
import shutil
from pathlib import Path
from subprocess import CalledProcessError
from typing import Any

import pytest
import yaml

from tests import tools
from tests.helm.crds import schemas
from tests.helm.tools import (
    KUBERNETES,
    MARKS,
    MODULE,
    ROOT,
    STRIMZI,
    conform,
    known,
    lint,
    scan,
    tool,
)

pytestmark = list(MARKS)

HERE = ROOT / "helm" / "orderstream"
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  namespace: shop
spec:
  replicas: 1
  selector: {matchLabels: {app: web}}
  template:
    metadata: {labels: {app: web}}
    spec:
      automountServiceAccountToken: false
      securityContext: {runAsNonRoot: true, runAsUser: 10001, seccompProfile: {type: RuntimeDefault}}
      containers:
        - name: web
          image: example.org/web:1@sha256:0000000000000000000000000000000000000000000000000000000000000000
          imagePullPolicy: Always
          livenessProbe: {httpGet: {path: /, port: 80}}
          readinessProbe: {httpGet: {path: /, port: 80}}
          resources: {requests: {cpu: 1, memory: 1Gi}, limits: {cpu: 1, memory: 1Gi}}
          securityContext:
            privileged: false
            allowPrivilegeEscalation: false
            readOnlyRootFilesystem: true
            capabilities: {drop: [ALL]}
---
apiVersion: networking.k8s.io/v1
kind: NetworkPolicy
metadata: {name: web, namespace: shop}
spec: {podSelector: {matchLabels: {app: web}}, policyTypes: [Ingress, Egress]}
"""
KAFKA = """
apiVersion: kafka.strimzi.io/v1
kind: Kafka
metadata: {name: log}
spec:
  kafka:
    version: 4.3.1
    listeners: [{name: plain, port: 9092, type: internal, tls: false}]
    config: {auto.create.topics.enable: "false"}
  entityOperator: {topicOperator: {}}
---
apiVersion: kafka.strimzi.io/v1
kind: KafkaNodePool
metadata: {name: brokers, labels: {strimzi.io/cluster: log}}
spec:
  replicas: 3
  roles: [controller, broker]
  storage: {type: jbod, volumes: [{id: 0, type: persistent-claim, size: 10Gi}]}
---
apiVersion: kafka.strimzi.io/v1
kind: KafkaTopic
metadata: {name: orders, labels: {strimzi.io/cluster: log}}
spec: {partitions: 8, replicas: 3, config: {retention.ms: "-1"}}
"""
PLANTED = [
    (DEPLOYMENT, "replicas: 1", "replica: 1", "Deployment web: at '/spec': .*'replica'"),
    (DEPLOYMENT, "replicas: 1", "replicas: one", "Deployment web: at '/spec/replicas': .*integer"),
    (DEPLOYMENT, "replicas: 1", "replicas: 1\n  replicas: 2", '"replicas" already set'),
    (DEPLOYMENT, "selector: .*", "minReadySeconds: 1", "Deployment web: .*'selector'"),
    (DEPLOYMENT, "drop:", "drops:", "Deployment web: .*'drops'"),
    (DEPLOYMENT, "kind: Deployment", "kind: Deploiment", "no.* schema for Deploiment"),
    (DEPLOYMENT, "apps/v1", "apps/v1beta1", "no.* schema for Deployment"),
    (DEPLOYMENT, "kind: Deployment", "", "missing 'kind'"),
    (DEPLOYMENT, "policyTypes", "policyType", "NetworkPolicy web: .*'policyType'"),
    (DEPLOYMENT, "automount", "hostnameOverride: web\n      automount", "'hostnameOverride'"),
    (DEPLOYMENT, r"[\s\S]*", "", "there is no resource"),
    (KAFKA, "listeners", "listener", "Kafka log: .*'listener'"),
    (KAFKA, "port: 9092", 'port: "9092"', "Kafka log: .*integer"),
    (KAFKA, r"labels: \{(.*)\}\}\nspec:\n", r"label: {\1}}\nspec:\n", "KafkaNodePool.*'label'"),
    (KAFKA, "controller, broker", "controller, brokers", "KafkaNodePool brokers: .*controller"),
    (KAFKA, "partitions: 8", "partitions: 0", "KafkaTopic orders: .*minimum"),
    (KAFKA, "partitions: 8", "partition: 8", "KafkaTopic orders: .*'partition'"),
    (KAFKA, "name: orders", "name: order_events", "KafkaTopic order_events: .*pattern"),
    (KAFKA, "v1\nkind: KafkaTopic", "v1beta2\nkind: KafkaTopic", "no.* schema for KafkaTopic"),
]
"""Of which manifests what is replaced by what, and what is then said. Only 1.34 and newer know hostnameOverride."""
CRD = """
spec:
  group: example.org
  names: {kind: Thing}
  versions:
    - name: v1
      schema:
        openAPIV3Schema:
          type: object
          required: [spec]
          properties:
            metadata: {type: object}
            status: {type: object}
            spec:
              type: object
              description: told
              properties:
                description: {type: string, description: told}
                free: {type: object, x-kubernetes-preserve-unknown-fields: true}
                map: {type: object, additionalProperties: {type: object, properties: {a: {type: string}}}}
                list: {type: array, items: {type: object, properties: {a: {type: string}}}}
                one: {type: object, properties: {a: {type: string}}, oneOf: [{properties: {a: {}}}]}
"""


def references(schema: Any) -> set[str]:
    return set(re.findall(r'"\$ref": "([^"]*)"', json.dumps(schema)))


@pytest.mark.parametrize("sound", [DEPLOYMENT, KAFKA])
def test_what_is_sound_conforms(sound: str) -> None:
    assert conform(sound) == []


@pytest.mark.parametrize(("manifests", "old", "new", "said"), PLANTED)
def test_what_does_not_conform_is_named(manifests: str, old: str, new: str, said: str) -> None:
    planted, count = re.subn(old, new, manifests, count=1)
    assert count == 1
    (found,) = conform(planted)
    assert re.search(said, found)


def test_the_oldest_kubernetes_is_the_charts() -> None:
    chart = yaml.safe_load((HERE / "Chart.yaml").read_text())
    assert chart["kubeVersion"] == f">={KUBERNETES[0]}-0"


def test_a_schema_stands_alone() -> None:
    for folder in (*map(known, KUBERNETES), STRIMZI):
        found = [json.loads(file.read_text()) for file in folder.iterdir()]
        assert found
        for schema in found:
            assert "$id" not in schema
            assert references(schema) <= {f"#/$defs/{name}" for name in schema.get("$defs", ())}


def test_a_custom_resources_schema_is_as_closed_as_its_definition() -> None:
    found = schemas(yaml.safe_load(CRD), "a comment")["thing-example-v1.json"]
    assert found["required"] == ["apiVersion", "kind", "metadata", "spec"]
    assert found["properties"].keys() == {"apiVersion", "kind", "metadata", "spec"}
    assert found["properties"]["apiVersion"] == {"enum": ["example.org/v1"]}
    a = {"type": "object", "properties": {"a": {"type": "string"}}, "additionalProperties": False}
    assert found["properties"]["spec"] == {
        "type": "object",
        "properties": {
            "description": {"type": "string"},
            "free": {"type": "object"},
            "map": {"type": "object", "additionalProperties": a},
            "list": {"type": "array", "items": a},
            "one": a | {"oneOf": [{"properties": {"a": {}}}]},
        },
        "additionalProperties": False,
    }


def test_the_scanner_finds_what_is_unsafe_and_nothing_else() -> None:
    privileged = DEPLOYMENT.replace("privileged: false", "privileged: true")
    root = DEPLOYMENT.replace("runAsNonRoot: true, runAsUser: 10001", "runAsUser: 0")
    found = scan(
        "---".join([DEPLOYMENT, *(
            planted.replace("name: web", f"name: {name}").replace("app: web", f"app: {name}")
            for name, planted in (("privileged", privileged), ("root", root))
        )])
    )  # fmt: skip
    assert [line.partition(":")[0] for line in found] == [
        "CKV_K8S_16 Deployment.shop.privileged",
        "CKV_K8S_23 Deployment.shop.root",
        "CKV_K8S_40 Deployment.shop.root",
    ]


@pytest.mark.parametrize("unread", ["", f"{DEPLOYMENT}---\na: ["])
def test_the_scanner_does_not_pass_over_what_it_can_not_read(unread: str) -> None:
    with pytest.raises(ValueError, match="read nothing"):
        scan(unread)


@pytest.mark.parametrize(
    ("values", "said"),
    [("kafka: {replication: none}", "replication"), ("kafkas: {}", "kafkas")],
)
def test_helm_finds_wrong_values(values: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "values.yaml"
    file.write_text(values)
    assert any(said in line for line in lint(HERE, HERE / "values-dev.yaml", file))


def test_helm_finds_a_broken_template(tmp_path: Path) -> None:
    broken = shutil.copytree(HERE, tmp_path / "orderstream")
    (broken / "templates" / "broken.yaml").write_text("{{ .Values.a.b.c }}")
    assert any("broken.yaml" in line for line in lint(broken, broken / "values-dev.yaml"))


def test_a_tool_of_another_hash_is_not_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    module = shutil.copytree(MODULE, tmp_path / "go")
    sums = module / "go.sum"
    text, count = re.subn(r"(kubeconform v\S+ h1:)\w{4}", r"\1AAAA", sums.read_text(), count=1)
    assert count == 1
    sums.write_text(text)
    with pytest.raises(CalledProcessError):
        tools.go(module, "kubeconform")
    assert "checksum mismatch" in capfd.readouterr().err


def test_a_tool_that_go_mod_does_not_name_is_refused() -> None:
    with pytest.raises(LookupError, match="conform is none of the tools"):
        tool("conform")


def test_an_environment_of_another_hash_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    lock = tmp_path / "policy.lock"
    lock.write_text(f"idna==3.20 --hash=sha256:{'0' * 64}\n")
    for _ in range(2):  # what failed once is not taken for made
        with pytest.raises(CalledProcessError):
            tools.environment(lock)
    assert "mismatch" in capfd.readouterr().err
