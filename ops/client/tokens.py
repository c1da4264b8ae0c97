"""A session's tokens: where they are kept, and that they are renewed in time, by one at a time."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

import httpx2
from pydantic import BaseModel

from .asking import Wire
from .errors import Problem
from .models import LoggedInView, TokensView

Ask = Callable[[dict[str, str]], Awaitable[httpx2.Response]]
EARLY = 30  # s before its end an access token is renewed
RACE, PAUSE = 20, 0.1
"""How often, and every how many s, another process is waited for that renews the same tokens."""


class Tokens(BaseModel):
    """access_ends: s since the epoch, by this machine's clock; username: whose they are."""

    username: str
    access: str
    refresh: str
    access_ends: float


class Keeper(Protocol):
    """Keeps the tokens of one session, for one process or several."""

    def load(self) -> Tokens | None:
        """Returns what was saved last, None if nothing was or it is over."""

    def save(self, tokens: Tokens | None) -> None:
        """Keeps them in place of the ones before; None: nothing."""


class InMemory:
    """The keeper that forgets with its process."""

    def __init__(self) -> None:
        self._tokens: Tokens | None = None

    def load(self) -> Tokens | None:
        return self._tokens

    def save(self, tokens: Tokens | None) -> None:
        self._tokens = tokens


class Session:
    """Whoever needs an access token gets one that lasts, though many ask at once. now: s since the epoch."""

    def __init__(self, wire: Wire, keeper: Keeper, now: Callable[[], float]) -> None:
        self.wire, self.keeper, self.now = wire, keeper, now
        self._renewing = asyncio.Lock()

    @property
    def username(self) -> str:
        """Returns who is logged in. Raises: Problem with authentication_required."""
        return self._held().username

    def begin(self, answer: LoggedInView) -> None:
        self.keeper.save(kept(answer, answer.user.username, self.now()))

    async def access(self, *, not_this: str | None = None) -> str:
        """Returns an access token. not_this: one that the edge has refused as expired. Raises: Problem; NoAnswer."""
        if not self._is_spent(self._held(), not_this):
            return self._held().access
        async with self._renewing:
            held = self._held()
            if self._is_spent(held, not_this):
                held = await self._renewed(held)
            return held.access

    async def answered(self, ask: Ask) -> httpx2.Response:
        """Returns what its user is answered; a token that ended early, by the edge's clock, is renewed once.

        ask(headers): asks in his name. Raises: Problem; NoAnswer.
        """
        token = await self.access()
        try:
            return await ask(bearer(token))
        except Problem as refused:
            if refused.code != "token_expired":
                raise
        return await ask(bearer(await self.access(not_this=token)))

    async def renew(self) -> None:
        """Renews the tokens, though they last. Raises: Problem; NoAnswer."""
        async with self._renewing:
            await self._renewed(self._held())

    async def _renewed(self, held: Tokens) -> Tokens:
        for _ in range(RACE):
            try:
                answer = await self.wire.ask(
                    "POST",
                    "/auth/refresh",
                    body={"refresh_token": held.refresh},
                    repeatable=False,  # the token is good once: shown twice it is a thief's
                )
            except Problem as refused:
                if refused.code != "refresh_in_progress":
                    raise
                await asyncio.sleep(PAUSE)  # another process has them, and saves them in a moment
                if (other := self._held()).refresh != held.refresh:
                    return other
            else:
                held = kept(
                    TokensView.model_validate_json(answer.content), held.username, self.now()
                )
                self.keeper.save(held)
                return held
        raise Problem(409, "refresh_in_progress", "Another process took the next tokens for itself")

    def _held(self) -> Tokens:
        held = self.keeper.load()
        if held is None:
            raise Problem(401, "authentication_required", "Log in first")
        return held

    def _is_spent(self, held: Tokens, not_this: str | None) -> bool:
        return self.now() > held.access_ends - EARLY or held.access == not_this


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def kept(answer: TokensView | LoggedInView, username: str, now: float) -> Tokens:
    """Returns what is to be kept of the answer. Raises: ValueError for a browser's, which are cookies."""
    if answer.access_token is None or answer.refresh_token is None:
        raise ValueError("no tokens in the answer")
    return Tokens(
        username=username,
        access=answer.access_token,
        refresh=answer.refresh_token,
        access_ends=now + answer.expires_in,
    )
