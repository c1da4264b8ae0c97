"""A session's beginning and its tokens: the password checked, what to guess made dear, the tokens given out."""

import secrets
from hashlib import sha256
from typing import NamedTuple

from prometheus_client import Counter

from events.user import LoggedIn, LoginFailed, RefreshReuseDetected
from infra.stores.sessions import Knock, Session
from infra.stores.users import User

from .address import prefix
from .audit import mark
from .deps import Parts, rate_limited
from .problems import Refused

HOUR = 3_600_000  # ms
BROWSER_LIFE, LIFE = 12 * HOUR, 30 * 24 * HOUR
NO_ACCOUNT = "00000000-0000-0000-0000-000000000000"
"""Stands in the audit trail for the account of a name that nobody has."""
SECRET_BYTES = 32  # 256 bits
USER_AGENT = 128  # characters
REFUSALS = {
    "racing": "refresh_in_progress",
    "unknown": "invalid_token",
    "over": "session_revoked",
    "reused": "refresh_reused",
}


PASSWORDS = Counter("orderstream_passwords", "Passwords that were given, and how it went.", ["how"])
"""right; failed; waits: not even looked at, after too many that failed."""


class Device(NamedTuple):
    """From where somebody logs in. browser: it keeps its tokens in cookies."""

    address: str
    user_agent: str | None
    browser: bool


class Pair(NamedTuple):
    """A session's tokens."""

    access: str
    refresh: str


class Logins:
    """request_id: of the request that all this is for."""

    def __init__(self, parts: Parts, request_id: str) -> None:
        self.parts, self.request_id = parts, request_id

    async def check(self, username: str, password: str) -> User:
        """Returns the user whose password it is.

        Raises: Refused with invalid_credentials, as late whichever of the two is wrong; with rate_limited after many
        failures under a name, whoever has it; with overloaded if too many are before him.
        """
        parts, name = self.parts, username.lower()
        told = sha256(name.encode()).hexdigest()[:32]
        with parts.passwords.attempt():
            wait = await parts.failures.wait(told)
            user = await parts.users.by_name(name)
            stored = user.password_hash if user and not wait else None
            checked = await parts.passwords.check(password, stored)
        if wait:
            PASSWORDS.labels("waits").inc()
            raise rate_limited(wait * 1000)
        if user is None or not checked.right:
            PASSWORDS.labels("failed").inc()
            await parts.failures.count(told)
            account_id = user.account_id if user else NO_ACCOUNT
            await parts.trail.record(LoginFailed, account_id, self.request_id)
            raise Refused("invalid_credentials")
        PASSWORDS.labels("right").inc()
        await parts.failures.clear(told)
        if checked.better:
            old, new = user.password_hash, checked.better
            await parts.users.replace_hash(user.account_id, old=old, new=new)
        return user

    async def open(self, user: User, device: Device) -> Pair:
        """Returns the tokens of a new session, of which the audit trail knows."""
        session = Session(
            account_id=user.account_id,
            username=user.username,
            role=user.role,
            created_at=self.parts.now(),
            browser=device.browser,
            user_agent=device.user_agent[:USER_AGENT] if device.user_agent else None,
            address=prefix(device.address),
        )
        secret = new_secret()
        life = BROWSER_LIFE if device.browser else LIFE
        session_id = await self.parts.sessions.open(session, life, digest(secret))
        await self.parts.trail.record(
            LoggedIn, user.account_id, self.request_id, session=mark(session_id)
        )
        return self._pair(user.account_id, session_id, secret)

    async def refresh(self, token: str) -> tuple[Session, Pair]:
        """Returns the session and its next tokens.

        Raises: Refused with invalid_token, session_revoked; with refresh_in_progress if another request was a moment
        faster; with refresh_reused if it is an old one: the session is over then, for one of two is a thief.
        """
        session_id, point, secret = token.partition(".")
        if not point or not secret.isascii():
            raise Refused("invalid_token")
        session = (await self.parts.sessions.admit(Knock(session_id))).session
        if session is None:
            raise Refused("session_revoked")
        new, account_id = new_secret(), session.account_id
        rotation = await self.parts.sessions.rotate(
            account_id, session_id, digest(secret), digest(new)
        )
        if rotation == "reused":
            await self.parts.trail.record(
                RefreshReuseDetected, account_id, self.request_id, session=mark(session_id)
            )
        if rotation != "rotated":
            raise Refused(REFUSALS[rotation])
        return session, self._pair(account_id, session_id, new)

    def _pair(self, account_id: str, session_id: str, secret: str) -> Pair:
        access = self.parts.tokens.issue(account_id, session_id)
        return Pair(access, f"{session_id}.{secret}")


def new_secret() -> str:
    return secrets.token_urlsafe(SECRET_BYTES)


def digest(secret: str) -> str:
    """Returns what of a refresh token is kept."""
    return sha256(secret.encode()).hexdigest()
