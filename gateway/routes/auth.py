"""/auth: register, log in, log out, who am I."""

import unicodedata
from hashlib import sha256
from typing import Annotated, Literal

from fastapi import Response
from pydantic import AfterValidator, BaseModel, Field, SecretStr
from pydantic_core import PydanticCustomError
from uuid_utils import uuid7

from events.user import LoggedIn, LoggedOut, UserRegistered
from gateway.audit import unpublished
from gateway.auth import TOKEN_LIFE
from gateway.common_passwords import too_common
from gateway.deps import PUBLIC, Customer, Parts, PartsDep, RequestId
from gateway.problems import Fault, Refused, refusals
from gateway.route import Body, resource
from gateway.times import Timestamp
from infra.stores.sessions import Session
from infra.stores.users import Role, User

SESSION_LIFE = 12 * 3_600_000  # ms
router = resource("auth")


def plain(text: str) -> str:
    """Returns text without control or direction characters as it is. Raises: ValueError."""
    if any(unicodedata.category(character) in ("Cc", "Cf", "Zl", "Zp") for character in text):
        raise PydanticCustomError("control_character", "Control characters are not allowed")
    return text


def one_spelling(email: str) -> str:
    """Returns an e-mail address in Unicode's composed form with its domain in lower case."""
    local, _, domain = unicodedata.normalize("NFC", email).rpartition("@")
    return f"{local}@{domain.lower()}"


Username = Annotated[
    str, Field(pattern=r"^[A-Za-z0-9_.-]{3,32}$", examples=["ada"]), AfterValidator(str.lower)
]
Email = Annotated[
    str,
    Field(
        max_length=254,
        pattern=r'^[^\s@<>()\[\],;:"\\]{1,64}@([A-Za-z0-9-]{1,63}\.)+[A-Za-z0-9-]{2,63}$',
        examples=["ada@example.org"],
    ),
    AfterValidator(plain),
    AfterValidator(one_spelling),
]
PersonName = Annotated[str, Field(min_length=1, max_length=64), AfterValidator(plain)]


class Registration(Body):
    """password: any characters, taken exactly as sent; its length counts code points."""

    username: Username
    email: Email
    password: SecretStr = Field(min_length=8, max_length=128, examples=["correct horse battery"])
    first_name: PersonName | None = None
    last_name: PersonName | None = None


class Login(Body):
    username: str = Field(max_length=254, examples=["ada"])
    password: SecretStr = Field(max_length=128, examples=["correct horse battery"])


class UserView(BaseModel):
    id: str
    username: str
    email: str
    first_name: str | None
    last_name: str | None
    role: Role
    created_at: Timestamp


class LoggedInView(BaseModel):
    """expires_in: s until the access token ends."""

    access_token: str
    token_type: Literal["bearer"] = "bearer"  # noqa: S105 (a name of RFC 6750)
    expires_in: int = TOKEN_LIFE
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
    if too_common(password, body.username):
        fault = Fault(pointer="#/password", code="password_too_common", message="Choose another")
        raise Refused("password_too_common", errors=[fault])
    user = User(
        account_id=str(uuid7()),
        username=body.username,
        email=body.email,
        password_hash=await parts.passwords.hash(password),
        created_at=parts.now(),
        first_name=body.first_name,
        last_name=body.last_name,
    )
    event = UserRegistered(
        id=str(uuid7()),
        account_id=user.account_id,
        occurred_at=user.created_at,
        correlation_id=request_id,
    )
    if taken := await parts.users.register(user, unpublished(event)):
        raise Refused(taken)
    await parts.trail.deliver(event)
    return view(user)


@router.post(
    "/login", dependencies=[PUBLIC], responses=refusals("invalid_credentials", "overloaded")
)
async def login(body: Login, parts: PartsDep, request_id: RequestId) -> LoggedInView:
    """Returns an access token of a new session.

    Raises: Refused with invalid_credentials, whichever of the two was wrong, as late for one as the other.
    """
    user = await parts.users.by_name(body.username.lower())
    password = body.password.get_secret_value()
    checked = await parts.passwords.check(password, user.password_hash if user else None)
    if user is None or not checked.right:
        raise Refused("invalid_credentials")
    if checked.better:
        await parts.users.replace_hash(user.account_id, old=user.password_hash, new=checked.better)
    session_id = await open_session(user, parts, request_id)
    token = parts.tokens.issue(user.account_id, session_id)
    return LoggedInView(access_token=token, user=view(user))


async def open_session(user: User, parts: Parts, request_id: str) -> str:
    """Returns the id of a new session, of which the audit trail knows."""
    session = Session(
        account_id=user.account_id,
        username=user.username,
        role=user.role,
        created_at=parts.now(),
    )
    session_id = await parts.sessions.open(session, SESSION_LIFE)
    await parts.trail.record(
        LoggedIn(
            id=str(uuid7()),
            account_id=user.account_id,
            occurred_at=session.created_at,
            correlation_id=request_id,
            session=mark(session_id),
        )
    )
    return session_id


@router.post("/logout", status_code=204, response_class=Response)
async def logout(account: Customer, parts: PartsDep, request_id: RequestId) -> None:
    """Ends the session: its token is refused everywhere from now on."""
    ended = await parts.sessions.end(account.session_id)
    if ended:  # of two at once, one tells
        await parts.trail.record(
            LoggedOut(
                id=str(uuid7()),
                account_id=account.id,
                occurred_at=parts.now(),
                correlation_id=request_id,
                session=mark(account.session_id),
            )
        )


@router.get("/me")
async def me(account: Customer, parts: PartsDep) -> UserView:
    """Returns the user whose session it is."""
    user = await parts.users.by_id(account.id)
    if user is None:
        raise Refused("session_revoked")
    return view(user)


def view(user: User) -> UserView:
    """Returns what may be seen of a user: never the hash."""
    return UserView(
        id=user.account_id,
        username=user.username,
        email=user.email,
        first_name=user.first_name,
        last_name=user.last_name,
        role=user.role,
        created_at=user.created_at,
    )


def mark(session_id: str) -> str:
    """Returns what tells sessions apart in the audit trail and opens none."""
    return sha256(session_id.encode()).hexdigest()[:16]
