"""What judges the chart: Helm, kubeconform and checkov, each with all it knows beside it; nothing is fetched.

`python -m tests.helm.tools` makes them all, `… helm` prints where one is.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from ops.stack import flock
from tests import tools

ROOT = Path(__file__).parents[2]
MODULE = ROOT / "requirements" / "go" / "chart"
POLICY = ROOT / "requirements" / "policy.lock"
STRIMZI = ROOT / "helm" / "schemas"
KUBERNETES = ("1.32.0", "1.37.0")
"""The oldest that the chart installs on, the newest that there are schemas of."""
MARKS = (pytest.mark.chart, pytest.mark.timeout(1200))
"""The marks of a test that needs a tool: the first has to build it, in 3 minutes on two idle cores."""
NOWHERE = "http://127.0.0.1:9"
SHUT_IN = {"CKV_SKIP_PACKAGE_UPDATE_CHECK": "TRUE", "HTTP_PROXY": NOWHERE, "HTTPS_PROXY": NOWHERE}
"""checkov's environment: it does not ask for a newer one, and whatever else would reach out fails."""
HEAD = re.compile(r"^problem validating schema.* with 'file:[^']*' - ")
REFERENCE = re.compile(r'"\$ref": "#/\$defs/([^"]+)"')
FILE = "{{ .ResourceKind }}{{ .KindSuffix }}.json"
Schema = dict[str, Any]


def tool(name: str) -> Path:
    """Returns the program of that name: helm, kubeconform or checkov."""
    return tools.environment(POLICY) / name if name == "checkov" else tools.go(MODULE, name)


def lint(chart: Path, *values: Path) -> list[str]:
    """Returns what Helm finds wrong with the chart under those values, warnings too; empty if all is well."""
    given = [f"--values={file}" for file in values]
    ran = run(tool("helm"), "lint", "--strict", "--quiet", *given, chart)
    found = [line.strip() for line in (ran.stdout + ran.stderr).splitlines() if line.strip()]
    return found or (["helm lint failed and said nothing"] if ran.returncode else [])


def conform(rendered: str) -> list[str]:
    """Returns what is against the schemas of Kubernetes, oldest and newest, and of Strimzi; empty if all is well."""
    return list(dict.fromkeys(line for each in KUBERNETES for line in against(each, rendered)))


def against(kubernetes: str, rendered: str) -> Iterator[str]:
    """Yields kubeconform's complaints: kind, name, what. A kind without a schema is one, and so is no resource."""
    places = [f"-schema-location={folder}/{FILE}" for folder in (known(kubernetes), STRIMZI)]
    options = ("-strict", "-summary", "-output=json", f"-kubernetes-version={kubernetes}")
    ran = run(tool("kubeconform"), *options, *places, given=rendered)
    said: dict[str, Any] = json.loads(ran.stdout)
    for resource in said["resources"]:
        yield f"{resource['kind']} {resource['name']}: {HEAD.sub('', resource['msg'])}"
    if not any(said["summary"].values()):
        yield "there is no resource"


def known(kubernetes: str) -> Path:
    """Returns the folder of the schemas of that Kubernetes, made once a user."""
    shipped = version("kubernetes-validate")
    target = tools.place(f"kubernetes-{kubernetes}-{shipped}", Path(__file__))
    partial = target.with_name(f"{target.name}.partial")
    with flock.holding(target.with_name(f"{target.name}.flock")):
        if not target.exists():
            shutil.rmtree(partial, ignore_errors=True)  # what an interrupted run left
            partial.mkdir()
            for file, schema in standalone(kubernetes):
                (partial / file).write_text(json.dumps(schema))
            partial.replace(target)
    return target


def standalone(kubernetes: str) -> Iterator[tuple[str, Schema]]:
    """Yields each resource's schema, by the name of its file, with the definitions that it uses inside.

    As they are shipped, each names a file of all definitions, by its address in the web.
    """
    shipped = (
        files("kubernetes_validate") / "kubernetes-json-schema" / f"v{kubernetes}-local-strict"
    )
    definitions = plain(json.loads((shipped / "_definitions.json").read_text())["$defs"])
    for file in shipped.iterdir():
        schema = json.loads(file.read_text().replace("/api/_definitions.json#", "#"))
        if "x-kubernetes-group-version-kind" in schema:
            del schema["$id"]
            schema = plain(schema)
            yield file.name, schema | {"$defs": used(schema, definitions)}


def plain(schema: Schema) -> Schema:
    """Returns the schema without its texts, nine tenths of it."""
    return {
        key: plain(value) if isinstance(value, dict) else value
        for key, value in schema.items()
        if key != "description" or isinstance(value, dict)  # a property of that name stays
    }


def used(schema: Schema, definitions: Schema) -> Schema:
    """Returns the definitions that the schema refers to, and those that they refer to."""
    found: Schema = {}
    left = [schema]
    while left:
        for name in REFERENCE.findall(json.dumps(left.pop())):
            if name not in found:
                found[name] = definitions[name]
                left.append(found[name])
    return found


def scan(rendered: str) -> list[str]:
    """Returns checkov's findings, sorted: id, resource, title. Empty if all is well.

    Raises: ValueError if it could not read what was rendered, or saw no resource in it.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "rendered.yaml")
        file.write_text(rendered)
        options = ("--framework=kubernetes", "--output=json", "--compact", "--skip-download")
        own = {"PATH": os.defpath, "HOME": folder} | SHUT_IN  # nobody's key, nobody's settings
        ran = run(tool("checkov"), *options, f"--file={file}", folder=folder, environment=own)
    said: dict[str, Any] = json.loads(ran.stdout)
    if "results" not in said or said["summary"]["parsing_errors"]:
        raise ValueError(f"checkov read nothing: {ran.stdout}{ran.stderr}")
    return sorted(
        f"{found['check_id']} {found['resource']}: {found['check_name']}"
        for found in said["results"]["failed_checks"]
    )


def run(
    program: Path,
    *options: str | Path,
    given: str | None = None,
    folder: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Returns what it said, whatever it answers."""
    return subprocess.run(
        [program, *options],
        input=given,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


if __name__ == "__main__":
    for wanted in sys.argv[1:] or ("helm", "kubeconform", "checkov"):
        print(tool(wanted))
