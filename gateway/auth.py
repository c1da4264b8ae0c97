"""Passwords and access tokens. The only module that hashes the one and signs the other.

A token says whose session it belongs to; whether that session still exists, and what it may do, is looked up
at each request. Only the signature's check is remembered: it can't change.
"""

import asyncio
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from threading import get_native_id
from typing import Annotated, Any, NamedTuple

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from passlib.hash import argon2
from pydantic import BaseModel, ConfigDict, Field
from uuid_utils import uuid7

from .problems import Refused
from .strict_json import parse

THREADS = 2
NICE = 10  # of those: where all cores are at work, whoever is logged in comes first
QUEUE = 32
PATIENCE = 2  # s in the queue
HASHER = argon2.using(type="ID", memory_cost=19_456, time_cost=2, parallelism=1, salt_size=16)

ISSUER = "orderstream"
AUDIENCE = "orderstream-api"
TOKEN_LIFE = 600  # s
LEEWAY = 5  # s
MAX_TOKEN = 4096  # characters
REMEMBERED = 8192  # tokens
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")  # base64url, unpadded


class Checked(NamedTuple):
    """better: the password's hash at today's parameters, if the stored one has weaker ones."""

    right: bool
    better: str | None = None


class Passwords:
    """argon2id on two threads of its own, so that a flood of logins leaves the event loop alone. hasher: passlib's, at
    today's parameters.
    """

    def __init__(self, hasher: Any = HASHER) -> None:
        self._hasher = hasher
        self._threads = ThreadPoolExecutor(THREADS, "argon2", initializer=step_back)
        self._free = asyncio.Semaphore(THREADS)
        self._waiting = self._attempts = 0
        self._nobody: str = hasher.hash("nobody has this password")

    @contextmanager
    def attempt(self) -> Iterator[None]:
        """Lets a login in if its password's turn may come: whoever is turned away has asked no store anything.

        Raises: Refused if there are as many as can wait and be hashed.
        """
        if self._attempts >= QUEUE + THREADS:
            raise Refused("overloaded")
        self._attempts += 1
        try:
            yield
        finally:
            self._attempts -= 1

    async def hash(self, password: str) -> str:
        """Returns the hash in PHC's string format. Raises: Refused if too many wait before it."""
        hashed: str = await self._run(self._hasher.hash, password)
        return hashed

    async def check(self, password: str, stored: str | None) -> Checked:
        """Returns whether it is the password. No hash at all takes as long as a wrong one.

        Raises: Refused if too many wait before it.
        """
        checked = await self._run(self._check, password, stored or self._nobody)
        return checked if stored else Checked(right=False)

    def _check(self, password: str, stored: str) -> Checked:
        if not self._hasher.verify(password, stored):
            return Checked(right=False)
        is_old = self._hasher.needs_update(stored)
        return Checked(right=True, better=self._hasher.hash(password) if is_old else None)

    async def _run(self, work: Callable[..., Any], *arguments: str) -> Any:
        if self._waiting >= QUEUE:
            raise Refused("overloaded")
        self._waiting += 1
        try:
            async with asyncio.timeout(PATIENCE):
                await self._free.acquire()
        except TimeoutError as error:
            raise Refused("overloaded") from error
        finally:
            self._waiting -= 1
        loop = asyncio.get_running_loop()
        job = self._threads.submit(work, *arguments)

        def done(
            _: Future[Any],
        ) -> None:  # not before the thread is: it outlives a client that left
            loop.call_soon_threadsafe(self._free.release)

        job.add_done_callback(done)
        return await asyncio.wrap_future(job)

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def step_back() -> None:
    """Has this thread come after the others, where threads have priorities of their own."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, get_native_id(), NICE)


Seconds = Annotated[int, Field(ge=0, lt=2**53)]


class Claims(BaseModel):
    """sub: the account's id; sid: the session's. Times in seconds since the epoch."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    iss: str
    aud: str
    sub: str
    sid: str
    iat: Seconds
    nbf: Seconds
    exp: Seconds
    jti: str


class Tokens:
    """Access tokens (RFC 9068): Ed25519 only, signed with one key, checked with any of them.

    keys: by their ids; now: ms since the epoch; signer: the id of the one that signs, the last by name if it is None.
    """

    def __init__(
        self,
        keys: Mapping[str, Ed25519PrivateKey],
        now: Callable[[], int],
        signer: str | None = None,
    ) -> None:
        self._now = now
        self._checkers: dict[str, Ed25519PublicKey] = {}
        self._read = lru_cache(REMEMBERED)(self._read_anew)  # what raises is not remembered
        self.use(keys, signer or max(keys))

    def use(self, keys: Mapping[str, Ed25519PrivateKey], signer: str) -> None:
        """Signs with that key from now on, and takes no token but of these keys."""
        self._kid, self._signer = signer, keys[signer]
        checkers = {_header(kid, key): key.public_key() for kid, key in keys.items()}
        if checkers != self._checkers:
            self._checkers = checkers
            self._read.cache_clear()  # a token of a key that is gone is none any more

    def issue(self, account_id: str, session_id: str) -> str:
        """Returns a token of TOKEN_LIFE seconds."""
        now = self._now() // 1000
        claims = Claims(
            iss=ISSUER,
            aud=AUDIENCE,
            sub=account_id,
            sid=session_id,
            iat=now,
            nbf=now,
            exp=now + TOKEN_LIFE,
            jti=str(uuid7()),
        )
        return sign(claims.model_dump(), self._kid, self._signer)

    def verify(self, token: str) -> Claims:
        """Returns the claims of a token that is ours and valid now. Raises: Refused."""
        claims, now = self._read(token), self._now()
        if now > (claims.exp + LEEWAY) * 1000:
            raise Refused("token_expired")
        if now < (max(claims.nbf, claims.iat) - LEEWAY) * 1000:
            raise Refused("invalid_token")
        return claims

    def _read_anew(self, token: str) -> Claims:
        if len(token) > MAX_TOKEN or not COMPACT.fullmatch(token):
            raise Refused("invalid_token")
        header = token.partition(".")[0]
        if (key := self._checkers.get(header)) is None:  # ours to the byte, or none of ours
            raise Refused("invalid_token")
        try:
            claims = Claims.model_validate(parse(_payload(token, key)))
        except (jwt.PyJWTError, ValueError) as error:
            raise Refused("invalid_token") from error
        if (claims.iss, claims.aud) != (ISSUER, AUDIENCE) or claims.exp - claims.iat > TOKEN_LIFE:
            raise Refused("invalid_token")
        return claims


def sign(claims: dict[str, Any], kid: str, key: Ed25519PrivateKey) -> str:
    return jwt.encode(claims, key, "EdDSA", headers={"typ": "at+jwt", "kid": kid})


def _header(kid: str, key: Ed25519PrivateKey) -> str:
    """Returns the first part of every token that the key signs."""
    return sign({}, kid, key).partition(".")[0]


def _payload(token: str, key: Ed25519PublicKey) -> bytes:
    payload: bytes = jwt.PyJWS(algorithms=["EdDSA"]).decode(token, key, algorithms=["EdDSA"])
    return payload
