"""The chart rendered by Helm itself, and what its manifests say."""

import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from ops.stack.processes import ENTRIES
from tests.helm.tools import tool

ROOT = Path(__file__).parents[2]
CHART = ROOT / "helm" / "orderstream"
ENVIRONMENTS = ("dev", "staging", "production")
RELEASE, NAMESPACE = "r", "orderstream"
NAME = f"{RELEASE}-orderstream"
Manifest = Mapping[str, Any]


class Refused(Exception):
    """Helm renders nothing of such values; the message says why."""


@cache
def rendered(environment: str, *sets: str) -> str:
    """Returns all manifests. sets: further values as `--set-json` takes them. Raises: Refused."""
    command = [str(tool("helm")), "template", RELEASE, str(CHART), "--namespace", NAMESPACE]
    command += ["--values", str(CHART / f"values-{environment}.yaml")]
    command += [word for one in sets for word in ("--set-json", one)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    if ran.returncode != 0:
        raise Refused(ran.stderr)
    return ran.stdout


def manifests(environment: str, *sets: str) -> list[Manifest]:
    """Returns what `rendered` does, parsed."""
    return [one for one in yaml.safe_load_all(rendered(environment, *sets)) if one]


def of_kind(kind: str, among: list[Manifest]) -> dict[str, Manifest]:
    """Returns the manifests of the kind by the part that they belong to."""
    return {
        one["metadata"]["labels"]["app.kubernetes.io/component"]: one
        for one in among
        if one["kind"] == kind
    }


def pods(among: list[Manifest]) -> dict[str, Manifest]:
    """Returns the pod of every part, whatever makes it: its labels and its spec."""
    found = {}
    for one in among:
        if one["kind"] in ("Deployment", "StatefulSet", "Job"):
            template = one["spec"]["template"]
            found[template["metadata"]["labels"]["app.kubernetes.io/component"]] = template
        elif one["kind"] == "Pod":
            found[one["metadata"]["labels"]["app.kubernetes.io/component"]] = one
    return found


def processes(among: list[Manifest]) -> dict[str, Manifest]:
    """Returns the pods of the product's processes."""
    return {name: pod for name, pod in pods(among).items() if name in ENTRIES}


def container(pod: Manifest) -> Manifest:
    (found,) = pod["spec"]["containers"]
    return dict(found)


def told(pod: Manifest, ordinal: int = 0) -> dict[str, str]:
    """Returns the environment as the pod with that ordinal of its set has it."""
    given: dict[str, str] = {}
    for variable in container(pod)["env"]:
        if "valueFrom" in variable:
            assert "pod-index" in variable["valueFrom"]["fieldRef"]["fieldPath"]
            given[variable["name"]] = str(ordinal)
        else:
            value = variable["value"]
            for name, before in list(given.items()):  # Kubernetes knows what stands above
                value = value.replace(f"$({name})", before)
            given[variable["name"]] = value
    return given


def secret_files(pod: Manifest) -> set[str]:
    """Returns the names of the files in the folder of secrets."""
    return {
        item["path"]
        for volume in pod["spec"].get("volumes", ())
        if volume["name"] == "secrets"
        for item in volume["secret"]["items"]
    }


def unsafe(pod: Manifest) -> list[str]:
    """Returns what is not as it must be: a pod has nothing that it does not need."""
    return [*unsafe_pod(pod["spec"]), *unsafe_container(container(pod))]


def unsafe_pod(spec: Manifest) -> Iterator[str]:
    context = spec.get("securityContext", {})
    if not context.get("runAsNonRoot") or context.get("runAsUser", 0) < 1:
        yield "may be root"
    if context.get("seccompProfile", {}).get("type") != "RuntimeDefault":
        yield "has no seccomp profile"
    if spec.get("automountServiceAccountToken") is not False:
        yield "has a token of the cluster"
    if any(spec.get(shared) for shared in ("hostNetwork", "hostPID", "hostIPC")):
        yield "shares the host's own"
    if any("hostPath" in volume for volume in spec.get("volumes", ())):
        yield "has a folder of the host"


def unsafe_container(its: Manifest) -> Iterator[str]:
    own = its.get("securityContext", {})
    if own.get("privileged") or own.get("allowPrivilegeEscalation") is not False:
        yield "may gain privileges"
    if not own.get("readOnlyRootFilesystem"):
        yield "may write to its root file system"
    if own.get("capabilities") != {"drop": ["ALL"]}:
        yield "has capabilities"
    if not its.get("resources", {}).get("limits", {}).get("memory"):
        yield "has no limit"
    if its["image"].endswith(":latest") or ":" not in its["image"]:
        yield "is no exact image"
    if any("secretKeyRef" in variable.get("valueFrom", {}) for variable in its.get("env", ())):
        yield "has a secret in its environment"
