"""A browser's tokens: in cookies that no script reads, and that no other site's page can make use of."""

from collections.abc import Set

from fastapi import Request, Response

from .problems import Refused

ACCESS_COOKIE, REFRESH_COOKIE = "__Host-access", "__Host-refresh"
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


def set_cookie(response: Response, name: str, token: str, life: int) -> None:
    """Has the browser keep the token for so many seconds, 0: not any more."""
    response.set_cookie(
        name, token, max_age=life, path="/", secure=True, httponly=True, samesite="strict"
    )


def clear(response: Response) -> None:
    """Has the browser forget all it had of a session."""
    for name in (ACCESS_COOKIE, REFRESH_COOKIE):
        set_cookie(response, name, "", 0)
    response.headers["Clear-Site-Data"] = '"cache", "storage"'


def require_same_origin(request: Request, origins: Set[str]) -> None:
    """Raises: Refused with csrf, if a request that may change something was not made by a page of ours.

    Fetch metadata tells; of a browser without it the Origin must be listed.
    """
    if request.method in SAFE:
        return
    site = request.headers.get("sec-fetch-site")
    trusted = site == "same-origin" if site else request.headers.get("origin") in origins
    if not trusted:
        raise Refused("csrf")
