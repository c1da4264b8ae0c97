"""What routes ask for: who calls, the request's id, and the parts that the edge is made of.

A route takes one policy, `Customer` or `PUBLIC` (a new one is a function under @policy), and then what it
needs: a new part is a field of `Parts` and, if many routes need it, an alias such as `RequestId`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, NamedTuple

from fastapi import Depends, Request

from infra.stores.sessions import Sessions
from infra.stores.users import Role, Users
from infra.views.port import View

from .audit import Trail
from .auth import Passwords, Tokens
from .catalogue import Catalogue
from .cursors import Cursors
from .edge import Edge
from .limits import Limits
from .problems import Refused
from .route import policy


@dataclass(frozen=True, kw_only=True)
class Parts:
    """view: of accounts' things, live and history as one; now: ms since the epoch; ready: says of each
    component whether it answers.
    """

    users: Users
    sessions: Sessions
    passwords: Passwords
    tokens: Tokens
    trail: Trail
    edge: Edge
    view: View
    catalogue: Catalogue
    cursors: Cursors
    limits: Limits
    now: Callable[[], int]
    ready: Callable[[], Mapping[str, bool]]


class Account(NamedTuple):
    """Who calls. id: the only name under which anything is kept or looked up."""

    id: str
    username: str
    role: Role
    session_id: str


async def parts(request: Request) -> Parts:
    return parts_of(request)


async def request_id(request: Request) -> str:
    named: str = request.state.request_id
    return named


PartsDep = Annotated[Parts, Depends(parts)]
RequestId = Annotated[str, Depends(request_id)]


@policy("public")
async def public() -> None:
    """Anybody may call."""


@policy("customer")
async def customer(request: Request) -> Account:
    """Returns whose session the token names. Raises: Refused; Unavailable if that can't be known."""
    parts = parts_of(request)
    claims = parts.tokens.verify(bearer(request))
    session = await parts.sessions.find(claims.sid)
    if session is None:
        raise Refused("session_revoked")
    if session.account_id != claims.sub:
        raise Refused("invalid_token")
    return Account(session.account_id, session.username, session.role, claims.sid)


def parts_of(request: Request) -> Parts:
    made: Parts = request.app.state.parts
    return made


def bearer(request: Request) -> str:
    """Returns the token of the one Authorization header. Raises: Refused."""
    given = request.headers.getlist("authorization")
    if not given:
        raise Refused("authentication_required")
    scheme, _, token = given[0].partition(" ")
    if len(given) > 1 or scheme.lower() != "bearer":
        raise Refused("invalid_token")
    return token


PUBLIC = Depends(public)
Customer = Annotated[Account, Depends(customer)]
