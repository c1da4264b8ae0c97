"""What routes ask for: who calls, the request's id, and the parts that the edge is made of.

A route takes one policy, `PUBLIC`, `Customer` or `Admin` (a new one is a function under @policy), and then what it
needs: a new part is a field of `Parts` and, if many routes need it, an alias such as `RequestId`.
"""

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from fastapi import Depends, Request

from infra.stores.failures import Failures
from infra.stores.limits import Allowance, Buckets
from infra.stores.sessions import Knock, Sessions
from infra.stores.users import Role, Users
from infra.unavailable import Unavailable
from infra.views.port import Reading, View

from .address import Network, address
from .audit import Trail
from .auth import Passwords, Tokens
from .catalogue import Catalogue
from .cookies import ACCESS_COOKIE, require_same_origin
from .cursors import Cursors
from .edge import Edge
from .limits import Limits
from .problems import Refused
from .rates import Class, Rates, seconds
from .route import policy
from .streaming import Hub
from .ticker import Ticker


class Streams(NamedTuple):
    """live, history: what an account's streams read; hub: holds all streams; ticker: what the market's tell."""

    live: Reading
    history: Reading
    hub: Hub
    ticker: Ticker


@dataclass(frozen=True, kw_only=True)
class Door:
    """How many may come in, and from where. buckets: of this process, while the sessions' store is away; proxies: whose
    word on whence a request comes counts; origins: of browsers' pages, beside the edge's own; hosts: the edge's names,
    none: any; https: clients come by nothing else; patience_s: for a
    body; docs, admin: whether the contracts and /admin are there at all.
    """

    rates: Rates
    buckets: Buckets
    proxies: Sequence[Network] = ()
    origins: Set[str] = frozenset()
    hosts: Set[str] = frozenset()
    https: bool = False
    patience_s: int = 10
    docs: bool = True
    admin: bool = True


@dataclass(frozen=True, kw_only=True)
class Parts:
    """view: of accounts' things, live and history as one; now: ms since the epoch; ready: says of each
    component whether it answers.
    """

    users: Users
    sessions: Sessions
    failures: Failures
    door: Door
    passwords: Passwords
    tokens: Tokens
    trail: Trail
    edge: Edge
    view: View
    streams: Streams
    catalogue: Catalogue
    cursors: Cursors
    limits: Limits
    now: Callable[[], int]
    ready: Callable[[], Mapping[str, bool]]


class Account(NamedTuple):
    """Who calls. id: the only name under which anything is kept or looked up; token_ends: s since the epoch."""

    id: str
    username: str
    role: Role
    session_id: str
    token_ends: int
    browser: bool = False


async def parts(request: Request) -> Parts:
    return parts_of(request)


async def request_id(request: Request) -> str:
    named: str = request.state.request_id
    return named


PartsDep = Annotated[Parts, Depends(parts)]
RequestId = Annotated[str, Depends(request_id)]


@policy("public")
async def public(request: Request) -> None:
    """Anybody may call. Raises: Refused with rate_limited."""
    await admit_anybody(request)


@policy("customer")
async def customer(request: Request) -> Account:
    """Returns whose session the token names. Raises: Refused; Unavailable if that can't be known."""
    parts = parts_of(request)
    try:
        claims = parts.tokens.verify(credential(request))
    except Refused:
        await admit_anybody(request)  # who guesses is limited too
        raise
    buckets = parts.door.rates.buckets(request.scope["route"].limit, whence(request), claims.sub)
    entry = await parts.sessions.admit(Knock(claims.sid, buckets))
    take(request, entry.allowance)
    session = entry.session
    if session is None:
        raise Refused("session_revoked")
    if session.account_id != claims.sub:
        raise Refused("invalid_token")
    return Account(
        session.account_id,
        session.username,
        session.role,
        claims.sid,
        claims.exp,
        browser=session.browser,
    )


@policy("admin")
async def admin(request: Request) -> Account:
    """Returns the admin whose session the token names. Raises as `customer` does; Refused with forbidden."""
    account = await customer(request)
    if account.role != "admin":
        raise Refused("forbidden")
    return account


async def admit_anybody(request: Request) -> None:
    """Counts a request that names no session. Raises: Refused with rate_limited.

    While the store is away, this process counts alone: what is public goes on.
    """
    parts = parts_of(request)
    limit: Class | None = getattr(request.scope.get("route"), "limit", "public")
    if limit is None:
        return
    buckets = parts.door.rates.buckets(limit, whence(request), None)
    try:
        entry = await parts.sessions.admit(Knock(None, buckets))
        allowance = entry.allowance
    except Unavailable:
        allowance = parts.door.buckets.take(buckets)
    take(request, allowance)


def take(request: Request, allowance: Allowance | None) -> None:
    """Notes what the answer's headers are to tell. Raises: Refused with rate_limited."""
    request.state.allowance = allowance
    if allowance and not allowance.allowed:
        raise rate_limited(allowance.retry)


def rate_limited(micros: int) -> Refused:
    """Returns the refusal of what may come again in so many µs."""
    return Refused("rate_limited", headers={"Retry-After": str(seconds(micros))})


def whence(request: Request) -> str:
    """Returns the address that the request counts for."""
    return address(request.scope, parts_of(request).door.proxies)


def parts_of(request: Request) -> Parts:
    made: Parts = request.app.state.parts
    return made


def credential(request: Request) -> str:
    """Returns the access token: of the one Authorization header, or of a browser's cookie. Raises: Refused."""
    given = request.headers.getlist("authorization")
    cookie = request.cookies.get(ACCESS_COOKIE) if "cookie" in request.headers else None
    if cookie is not None and given:
        raise Refused("bad_request", "A cookie and an Authorization header at once")
    if cookie is not None:
        require_same_origin(request, parts_of(request).door.origins)
        return cookie
    if not given:
        raise Refused("authentication_required")
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer":
        raise Refused("invalid_token")
    return token


PUBLIC = Depends(public)
Customer = Annotated[Account, Depends(customer)]
ADMIN = Depends(admin)
Admin = Annotated[Account, Depends(admin)]
