"""user.events: the security audit trail. Ids only: never a secret, a name or an address."""

from typing import Literal

from .codec import mirror
from .envelope import Token, UserEvent


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


UserMessage = UserRegistered | LoggedIn | LoggedOut
