"""Writes helm/schemas anew, from a checkout of Strimzi: `python -m tests.helm.crds FOLDER VERSION`.

A custom resource's schema as kubeconform reads it, closed as the API server closes it: what it would prune is a fault.
"""

import sys
from pathlib import Path
from typing import Any

import yaml
from pydantic_core import to_json

Schema = dict[str, Any]

SCHEMAS = Path(__file__).parents[2] / "helm" / "schemas"
CRDS = ("040-Crd-kafka", "043-Crd-kafkatopic", "045-Crd-kafkanodepool")
STRINGS = {"type": "object", "additionalProperties": {"type": "string"}}
METADATA = {
    "type": "object",
    "properties": {
        "name": {
            "type": "string",
            "maxLength": 253,
            "pattern": r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$",
        },
        "namespace": {"type": "string"},
        "labels": STRINGS,
        "annotations": STRINGS,
    },
    "required": ["name"],
    "additionalProperties": False,
}
"""What a chart may say there; a CRD leaves it to the API server."""


def schemas(crd: Schema, source: str) -> dict[str, Schema]:
    """Returns the schemas of the resource, each version's by the name of its file. source: said in a comment."""
    group, kind = crd["spec"]["group"], crd["spec"]["names"]["kind"]
    found = {}
    for version in crd["spec"]["versions"]:
        schema = closed(version["schema"]["openAPIV3Schema"])
        properties = schema["properties"] | {
            "apiVersion": {"enum": [f"{group}/{version['name']}"]},
            "kind": {"enum": [kind]},
            "metadata": METADATA,
        }
        properties.pop("status", None)  # the operator's to write
        required = sorted({*schema.get("required", ()), "apiVersion", "kind", "metadata"})
        file = f"{kind.lower()}-{group.split('.')[0]}-{version['name']}.json"
        head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$comment": source}
        found[file] = head | schema | {"properties": properties, "required": required}
    return found


def closed(schema: Schema) -> Schema:
    """Returns the schema without what only explains, and with no room for unknown properties but where it says so."""
    found: Schema = {}
    for key, value in schema.items():
        match key:
            case "properties":
                found[key] = {name: closed(each) for name, each in value.items()}
            case "items" | "additionalProperties" if isinstance(value, dict):
                found[key] = closed(value)
            case _ if key != "description" and not key.startswith("x-kubernetes-"):
                found[key] = value
    is_open = schema.get("x-kubernetes-preserve-unknown-fields") or "additionalProperties" in schema
    if schema.get("type") == "object" and not is_open:
        found["additionalProperties"] = False
    return found


def main(checkout: Path, version: str, target: Path = SCHEMAS) -> None:
    """Writes the files in place of those that are there."""
    for old in target.glob("*.json"):
        old.unlink()
    for name in CRDS:
        path = Path("install", "cluster-operator", f"{name}.yaml")
        crd = yaml.safe_load((checkout / path).read_text())
        for file, schema in schemas(
            crd, f"Strimzi {version} (Apache-2.0), {path.as_posix()}"
        ).items():
            (target / file).write_text(to_json(schema).decode() + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
