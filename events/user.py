"""user.events: the security audit trail. Ids only: never a secret, a name or an address."""

from typing import Literal

from .codec import mirror
from .envelope import Id, Token, UserEvent


@mirror
class UserRegistered(UserEvent):
    type: Literal["user_registered"] = "user_registered"
    version: Literal[1] = 1


@mirror
class LoggedIn(UserEvent):
    """session: the first characters of the session's hash, enough to tell sessions apart."""

    type: Literal["logged_in"] = "logged_in"
    version: Literal[1] = 1
    session: Token


@mirror
class LoggedOut(UserEvent):
    type: Literal["logged_out"] = "logged_out"
    version: Literal[1] = 1
    session: Token


@mirror
class LoginFailed(UserEvent):
    """Somebody did not know the password. Of a name that nobody has, account_id is all zeros."""

    type: Literal["login_failed"] = "login_failed"
    version: Literal[1] = 1


@mirror
class SessionEnded(UserEvent):
    """Its owner ended it from another one."""

    type: Literal["session_ended"] = "session_ended"
    version: Literal[1] = 1
    session: Token


@mirror
class RefreshReuseDetected(UserEvent):
    """A refresh token was shown a second time: a thief's or its owner's, so the session is over."""

    type: Literal["refresh_reuse_detected"] = "refresh_reuse_detected"
    version: Literal[1] = 1
    session: Token


@mirror
class PasswordChanged(UserEvent):
    """All other sessions are over."""

    type: Literal["password_changed"] = "password_changed"
    version: Literal[1] = 1
    session: Token


@mirror
class ProfileChanged(UserEvent):
    """fields: the names of those that changed, separated by commas."""

    type: Literal["profile_changed"] = "profile_changed"
    version: Literal[1] = 1
    fields: Token


@mirror
class RoleChanged(UserEvent):
    """actor: the admin's account."""

    type: Literal["role_changed"] = "role_changed"
    version: Literal[1] = 1
    actor: Id
    before: Token
    after: Token


@mirror
class UserErased(UserEvent):
    """Nobody logs into the account any more, and nobody knows whose it was. What the log has of it stays."""

    type: Literal["user_erased"] = "user_erased"
    version: Literal[1] = 1


UserMessage = (
    UserRegistered
    | LoggedIn
    | LoggedOut
    | LoginFailed
    | SessionEnded
    | RefreshReuseDetected
    | PasswordChanged
    | ProfileChanged
    | RoleChanged
    | UserErased
)
