"""Where a stack listens: servers named in the environment, or its own; and how children hear it."""

from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from ops.stack.folder import RunFolder

SERVERS: Mapping[str, str] = {
    "kafka": "127.0.0.1:{}",
    "dynamodb": "http://127.0.0.1:{}",
    "redis": "redis://127.0.0.1:{}",
}
GATEWAY = "http://127.0.0.1:{}"
MARK = "ORDERSTREAM_STACK"  # every process of a stack carries it, with the run folder


def given(environ: Mapping[str, str]) -> dict[str, str]:
    """Returns the servers that the environment names in place of the packaged ones."""
    named = {name: environ.get(f"ORDERSTREAM_{name.upper()}") for name in SERVERS}
    return {name: address for name, address in named.items() if address}


def endpoints(ports: Mapping[str, int], outside: Mapping[str, str]) -> dict[str, str]:
    """Returns the addresses by name: gateway if it has a port, and every server."""
    forms = {"gateway": GATEWAY, **SERVERS}
    inside = {name: form.format(ports[name]) for name, form in forms.items() if name in ports}
    return inside | dict(outside)


def environ(
    caller: Mapping[str, str],
    folder: RunFolder,
    ports: Mapping[str, int],
    addresses: Mapping[str, str],
) -> dict[str, str]:
    """Returns the environment of every child: the caller's, and the contract of a process."""
    contract = {
        f"ORDERSTREAM_{name.upper()}": addresses[name] for name in SERVERS if name in addresses
    }
    if "redis" in addresses:
        contract["ORDERSTREAM_SESSIONS"] = caller.get("ORDERSTREAM_SESSIONS") or database(
            addresses["redis"], 1
        )
    if "gateway" in ports:
        contract["ORDERSTREAM_GATEWAY_PORT"] = str(ports["gateway"])
    return {
        "ORDERSTREAM_ENV": "development",
        "ORDERSTREAM_PARTITION_COUNT": "2",
        **caller,
        **contract,
        "ORDERSTREAM_RUN_DIR": str(folder.path),
        "PYTHONUNBUFFERED": "1",
        MARK: str(folder.path),
    }


def database(url: str, number: int) -> str:
    """Returns the URL of the numbered database on the same Redis server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{number}"))
