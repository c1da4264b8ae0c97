"""/auth: register, log in, stay so, log out."""

from typing import Annotated, Literal

from fastapi import Query, Request, Response
from pydantic import BaseModel, Field, SecretStr
from uuid_utils import uuid7

from events.user import LoggedOut, UserRegistered
from gateway.audit import event, mark, unpublished
from gateway.auth import MAX_TOKEN, TOKEN_LIFE
from gateway.cookies import (
    ACCESS_COOKIE,
    REFRESH_COOKIE,
    clear,
    require_same_origin,
    set_cookie,
)
from gateway.deps import PUBLIC, Customer, PartsDep, RequestId, whence
from gateway.logins import BROWSER_LIFE, Device, Logins, Pair
from gateway.problems import Refused, refusals
from gateway.route import Body, resource
from gateway.users import (
    Email,
    NewPassword,
    Password,
    PersonName,
    Username,
    UserView,
    require_uncommon,
    view,
)
from infra.stores.users import User

router = resource("auth")
InCookies = Annotated[
    bool,
    Query(alias="cookie", description="For a browser: the tokens are cookies, not in the body"),
]


class Registration(Body):
    username: Username
    email: Email
    password: NewPassword
    first_name: PersonName | None = None
    last_name: PersonName | None = None


class Login(Body):
    username: str = Field(max_length=254, examples=["ada"])
    password: Password


class Refresh(Body):
    """refresh_token: absent from a browser, whose cookie has it."""

    refresh_token: SecretStr | None = Field(default=None, max_length=MAX_TOKEN)


class TokensView(BaseModel):
    """Both tokens are null for a browser, whose cookies have them. expires_in: s until the access token ends; the
    refresh token is good once, for the next two.
    """

    access_token: str | None
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 (a name of RFC 6750)
    expires_in: int = TOKEN_LIFE
    refresh_token: str | None


class LoggedInView(TokensView):
    user: UserView


@router.post(
    "/register",
    status_code=201,
    dependencies=[PUBLIC],
    responses=refusals("username_taken", "email_taken", "password_too_common", "overloaded"),
)
async def register(body: Registration, parts: PartsDep, request_id: RequestId) -> UserView:
    """Returns the new user; money and orders belong to its `id`.

    Raises: Refused with username_taken or email_taken, or with password_too_common.
    """
    password = body.password.get_secret_value()
    require_uncommon(password, body.username)
    user = User(
        account_id=str(uuid7()),
        username=body.username,
        email=body.email,
        password_hash=await parts.passwords.hash(password),
        created_at=parts.now(),
        first_name=body.first_name,
        last_name=body.last_name,
    )
    told = event(UserRegistered, user.account_id, user.created_at, request_id)
    if taken := await parts.users.register(user, unpublished(told)):
        raise Refused(taken)
    await parts.trail.deliver(told)
    return view(user)


@router.post(
    "/login", dependencies=[PUBLIC], responses=refusals("invalid_credentials", "overloaded")
)
async def login(
    *,
    body: Login,
    parts: PartsDep,
    request: Request,
    response: Response,
    request_id: RequestId,
    cookie: InCookies = False,
) -> LoggedInView:
    """Returns the tokens of a new session; of more than ten the oldest ends.

    Raises: Refused with invalid_credentials, whichever of the two was wrong, as late for one as the other; with
    rate_limited after five failures under a name, longer each time.
    """
    logins = Logins(parts, request_id)
    user = await logins.check(body.username, body.password.get_secret_value())
    agent = request.headers.get("user-agent")
    pair = await logins.open(user, Device(whence(request), agent, browser=cookie))
    given = give(pair, response, browser=cookie)
    return LoggedInView(**given, user=view(user))


@router.post(
    "/refresh",
    dependencies=[PUBLIC],
    responses=refusals(
        "authentication_required",
        "invalid_token",
        "session_revoked",
        "refresh_reused",
        "refresh_in_progress",
        "csrf",
    ),
)
async def refresh(
    body: Refresh, parts: PartsDep, request: Request, response: Response, request_id: RequestId
) -> TokensView:
    """Returns the session's next tokens: the one that was shown is good no more.

    Raises: Refused with refresh_in_progress if another tab was a moment faster: its tokens hold; with refresh_reused
    if it is an old one: the session is over then, for one of two is a thief.
    """
    token = body.refresh_token.get_secret_value() if body.refresh_token else None
    if token is None and (token := request.cookies.get(REFRESH_COOKIE)):
        require_same_origin(request, parts.door.origins)
    if not token:
        raise Refused("authentication_required")
    session, pair = await Logins(parts, request_id).refresh(token)
    return TokensView(**give(pair, response, browser=session.browser))


@router.post("/logout", status_code=204, response_class=Response)
async def logout(
    account: Customer, parts: PartsDep, request_id: RequestId, response: Response
) -> None:
    """Ends the session: its tokens are refused everywhere from now on."""
    ended = await parts.sessions.end(account.id, account.session_id)
    if ended:  # of two at once, one tells
        await parts.trail.record(
            LoggedOut, account.id, request_id, session=mark(account.session_id)
        )
    if account.browser:
        clear(response)


def give(pair: Pair, response: Response, *, browser: bool) -> dict[str, str | None]:
    """Returns the tokens for the body; a browser's are cookies, and none in the body."""
    if not browser:
        return {"access_token": pair.access, "refresh_token": pair.refresh}
    set_cookie(response, ACCESS_COOKIE, pair.access, TOKEN_LIFE)
    set_cookie(response, REFRESH_COOKIE, pair.refresh, BROWSER_LIFE // 1000)
    return {"access_token": None, "refresh_token": None}
