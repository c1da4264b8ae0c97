"""What a request must be before anybody looks at what it asks for: short enough, for this host, framed in one way."""

import re
from collections.abc import Set
from types import MappingProxyType

from starlette.types import Scope

from .problems import Refused

MAX_URL, MAX_HEADERS = 4_096, 16_384  # bytes
CLOSE = MappingProxyType({"Connection": "close"})
HOST = re.compile(rb"([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")


def require_proper(scope: Scope, hosts: Set[str]) -> None:
    """Raises: Refused with uri_too_long, headers_too_large, bad_request; with bad_host unless there is one Host, among
    the hosts. None: any will do.
    """
    if len(scope["raw_path"]) + len(scope["query_string"]) > MAX_URL:
        raise Refused("uri_too_long", headers=CLOSE)
    size, named = 0, []
    for name, value in scope["headers"]:
        size += len(name) + len(value)
        if name == b"host":
            named.append(value)
        elif name == b"transfer-encoding" and value.lower() != b"chunked":
            raise Refused("bad_request", "A body may be chunked and no more", headers=CLOSE)
    if size > MAX_HEADERS:
        raise Refused("headers_too_large", headers=CLOSE)
    if len(named) != 1 or not is_among(hosts, named[0]):
        raise Refused("bad_host", headers=CLOSE)


def is_among(hosts: Set[str], named: bytes) -> bool:
    """Returns whether it is a host, with or without a port, and one of those if there are any."""
    found = HOST.fullmatch(named)
    return found is not None and (not hosts or found[1].decode().lower() in hosts)
