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
WRITABLE = {"kafka": "its settings are written into its own folder"}
"""Servers whose root file system can't be read-only, and why."""
ROOT_IN_IT = {"dynamodb": "a volume is root's, and its image has no folder to give it away"}
"""Servers that run as root, with the capability to use another user's files, and why."""
SHARED = ("privileged", "network_mode", "pid", "ipc", "userns_mode", "devices", "uts")
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


def unsafe(name: str, service: Service) -> list[str]:
    """Returns what is not as it must be: each runs with nothing that it does not need."""
    kind = name.rstrip("-0123456789")
    return [*powers(kind, service), *openings(kind, service)]


def powers(kind: str, service: Service) -> Iterator[str]:
    allowed = ["DAC_OVERRIDE"] if kind in ROOT_IN_IT else []
    if service.get("cap_drop") != ["ALL"] or service.get("cap_add", []) != allowed:
        yield "has capabilities"
    if service.get("security_opt") != ["no-new-privileges:true"]:
        yield "may gain privileges, or call what it likes"
    if service.get("user", "its image's") in ("root", "0", 0) and kind not in ROOT_IN_IT:
        yield "is root"
    if any(service.get(shared) for shared in SHARED):
        yield "shares the machine's own"


def openings(kind: str, service: Service) -> Iterator[str]:
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
