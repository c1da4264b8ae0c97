"""/auth/me, /auth/password, /auth/sessions: what a user sees and changes of himself, and where he is logged in."""

from hashlib import sha256
from typing import Annotated

from fastapi import Header, Path, Response
from pydantic import BaseModel

from events.user import PasswordChanged, ProfileChanged, SessionEnded
from gateway.audit import event, mark, unpublished
from gateway.deps import Account, Customer, Parts, PartsDep, RequestId
from gateway.logins import Logins
from gateway.problems import Refused, refusals
from gateway.route import Body, resource
from gateway.times import Timestamp
from gateway.users import Email, NewPassword, Password, PersonName, UserView, require_uncommon, view
from infra.stores.users import User

router = resource("auth")
IfMatch = Annotated[str | None, Header(alias="If-Match", max_length=64)]


class Profile(Body):
    """What is absent stays as it is; a name that is null goes."""

    email: Email | None = None
    first_name: PersonName | None = None
    last_name: PersonName | None = None


class NewPasswordBody(Body):
    current_password: Password
    password: NewPassword


class SessionView(BaseModel):
    """last_seen: a minute early at most; address: the network of where it was opened."""

    id: str
    created_at: Timestamp
    last_seen: Timestamp
    user_agent: str | None
    address: str | None
    current: bool


class SessionsView(BaseModel):
    """The newest first."""

    items: list[SessionView]


@router.get("/me")
async def me(account: Customer, parts: PartsDep, response: Response) -> UserView:
    """Returns the user whose session it is; the ETag is good for If-Match."""
    user = await known(parts, account)
    response.headers["ETag"] = tag(user)
    return view(user)


@router.patch("/me", responses=refusals("email_taken", "changed_meanwhile"))
async def change_me(
    *,
    body: Profile,
    account: Customer,
    parts: PartsDep,
    request_id: RequestId,
    response: Response,
    if_match: IfMatch = None,
) -> UserView:
    """Returns the user as it is now. Raises: Refused with email_taken, changed_meanwhile."""
    user = await known(parts, account)
    if if_match not in (None, "*", tag(user)):
        raise Refused("changed_meanwhile")
    asked = body.model_dump(exclude_unset=True)
    if asked.get("email", "") is None:
        del asked["email"]  # a user has one
    new = user._replace(**asked)
    if new != user:
        fields = ",".join(sorted(name for name in asked if asked[name] != getattr(user, name)))
        told = event(ProfileChanged, account.id, parts.now(), request_id, fields=fields)
        if refused := await parts.users.change(user, new, unpublished(told)):
            raise Refused(refused)
        await parts.trail.deliver(told)
        new = new._replace(version=user.version + 1)
    response.headers["ETag"] = tag(new)
    return view(new)


@router.post(
    "/password",
    status_code=204,
    response_class=Response,
    responses=refusals(
        "invalid_credentials", "password_too_common", "changed_meanwhile", "overloaded"
    ),
)
async def change_password(
    body: NewPasswordBody, account: Customer, parts: PartsDep, request_id: RequestId
) -> None:
    """Ends all other sessions. Raises: Refused with invalid_credentials, password_too_common."""
    password = body.password.get_secret_value()
    require_uncommon(password, account.username)
    user = await Logins(parts, request_id).check(
        account.username, body.current_password.get_secret_value()
    )
    told = event(
        PasswordChanged, user.account_id, parts.now(), request_id, session=mark(account.session_id)
    )
    new = await parts.passwords.hash(password)
    if not await parts.users.replace_hash(
        user.account_id, old=user.password_hash, new=new, event=unpublished(told)
    ):
        raise Refused("changed_meanwhile")
    await parts.sessions.end_all(user.account_id, but=account.session_id)
    await parts.trail.deliver(told)


@router.get("/sessions")
async def list_sessions(account: Customer, parts: PartsDep) -> SessionsView:
    """Returns where the user is logged in."""
    return SessionsView(
        items=[
            SessionView(
                id=public_id(one.id),
                created_at=one.session.created_at,
                last_seen=one.seen,
                user_agent=one.session.user_agent,
                address=one.session.address,
                current=one.id == account.session_id,
            )
            for one in await parts.sessions.of(account.id)
        ]
    )


@router.delete(
    "/sessions/{session}", status_code=204, response_class=Response, responses=refusals("not_found")
)
async def end_session(
    session: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")],
    account: Customer,
    parts: PartsDep,
    request_id: RequestId,
) -> None:
    """Ends one of the user's sessions. Raises: Refused with not_found."""
    for one in await parts.sessions.of(account.id):
        if public_id(one.id) == session and await parts.sessions.end(account.id, one.id):
            await parts.trail.record(SessionEnded, account.id, request_id, session=mark(one.id))
            return
    raise Refused("not_found")


async def known(parts: Parts, account: Account) -> User:
    """Returns the user whose session it is. Raises: Refused if there is none any more."""
    user = await parts.users.by_id(account.id)
    if user is None:
        raise Refused("session_revoked")
    return user


def tag(user: User) -> str:
    return f'"{user.version}"'


def public_id(session_id: str) -> str:
    """Returns a name of the session that opens nothing."""
    return sha256(session_id.encode()).hexdigest()[:32]
