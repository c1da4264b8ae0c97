"""docker-compose.yml as it is written, and what every service in it must be."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).parents[2]
COMPOSE = ROOT / "docker-compose.yml"
OURS = "orderstream"
DEFAULT = re.compile(r"\$\{\w+:-([^}]*)\}")
EXACT = re.compile(r"[\w./-]+:\d+(\.\d+)+")
WRITABLE = {
    "kafka": "its settings are written into its own folder",
    "dynamodb": "its SQLite unpacks machine code",
}
"""Servers whose root file system can't be read-only, and why."""
Service = Mapping[str, Any]


def read() -> dict[str, Any]:
    """Returns the file with the defaults of its variables in place."""
    loaded: dict[str, Any] = yaml.safe_load(DEFAULT.sub(r"\1", COMPOSE.read_text()))
    return loaded


def services(profile: str) -> dict[str, Service]:
    """Returns what starts under the profile."""
    return {
        name: service
        for name, service in read()["services"].items()
        if profile in service.get("profiles", [profile])
    }


def process_of(service: Service) -> str | None:
    """Returns the name of our process that the service runs, None if it runs none of ours."""
    if not service["image"].startswith(f"{OURS}:"):
        return None
    run, name = service["command"]
    assert run == "run"
    return str(name)


def told(service: Service) -> dict[str, str]:
    """Returns the service's environment."""
    return {name: str(value) for name, value in service["environment"].items()}


def unsafe(name: str, service: Service) -> Iterator[str]:
    """Yields what is not as it must be: each runs with nothing that it does not need."""
    kind = name.rstrip("-0123456789")
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add"):
        yield "has capabilities"
    if "no-new-privileges:true" not in service.get("security_opt", []):
        yield "may gain privileges"
    if service.get("privileged") or service.get("network_mode") or service.get("pid"):
        yield "shares the machine's own"
    if not service.get("read_only") and kind not in WRITABLE:
        yield "may write to its root file system"
    if not EXACT.fullmatch(service["image"]):
        yield f"{service['image']} is no exact tag"
    for port in service.get("ports", []):
        if not port.startswith("127.0.0.1:"):
            yield f"{port} is open to the network"
    for volume in service.get("volumes", []):
        if volume.startswith((".", "/")) and not volume.endswith(":ro"):
            yield f"{volume} is the machine's own"
