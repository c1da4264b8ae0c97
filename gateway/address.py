"""Whence a request comes: the peer or, if that is a proxy of ours, whom it speaks for."""

from collections.abc import Sequence
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any

from starlette.types import Scope

Network = IPv4Network | IPv6Network
UNKNOWN = "unknown"
FORWARDED = b"x-forwarded-for"


def address(scope: Scope, proxies: Sequence[Network]) -> str:
    """Returns who is limited as one: an IPv4 address, or an IPv6 network of 64 bits.

    Of X-Forwarded-For counts what our own proxies wrote: the right-most hop that is none of them.
    """
    peer = (scope.get("client") or (UNKNOWN,))[0]
    if proxies and trusted(peer, tuple(proxies)):
        for hop in reversed(hops(scope)):
            if (
                known(hop) is None
            ):  # whoever wrote that is not to be believed, nor what stands before
                break
            peer = hop
            if not trusted(hop, tuple(proxies)):
                break
    return grouped(peer)


def hops(scope: Scope) -> list[str]:
    given = [value for name, value in scope["headers"] if name == FORWARDED]
    return [hop.strip() for hop in b",".join(given).decode("latin-1").split(",") if hop.strip()]


@lru_cache(maxsize=4096)
def trusted(peer: str, proxies: tuple[Network, ...]) -> bool:
    at = known(peer)
    return at is not None and any(at in network for network in proxies)


def known(peer: str) -> Any:
    """Returns the address, None if it is none."""
    try:
        at = ip_address(peer)
    except ValueError:
        return None
    return getattr(at, "ipv4_mapped", None) or at


@lru_cache(maxsize=4096)
def grouped(peer: str) -> str:
    at = known(peer)
    if at is None:
        return UNKNOWN
    return str(ip_network((at, 64), strict=False)) if at.version == 6 else str(at)


def prefix(address: str) -> str | None:
    """Returns what may be shown of an address: its network, enough to recognize a place by."""
    if address == UNKNOWN:
        return None
    return address if "/" in address else str(ip_network((address, 24), strict=False))
