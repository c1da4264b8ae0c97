"""What every command's request says beside its body: who asks, under which name, how long he will wait for it.

A route that publishes a command takes `Asking`, which is a policy, its parts and its answer's headers at once.
"""

import json
import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Annotated, Any, NamedTuple, TypeVar

from fastapi import Depends, Header, Request, Response
from pydantic import BaseModel, Field
from uuid_utils import uuid7

from events.envelope import Command
from events.ids import command_id
from events.topics import Topic

from . import repeats
from .deps import Account, Parts, admin, customer, parts_of
from .edge import Taken
from .limits import Allowed
from .problems import Refused
from .route import BASE, Body, policy
from .waiting import Matter

C = TypeVar("C", bound=Command)
NAME = r"^[A-Za-z0-9_-]{1,64}$"
DEFAULT_WAIT, LONGEST_WAIT = 1, 30  # s
Key = Annotated[str | None, Field(pattern=NAME)]
WAIT = re.compile(r'wait="?([0-9]{1,9})"?')


class Preference(NamedTuple):
    """wait: s for an outcome; applied: what of the header holds."""

    wait: int
    applied: str | None


@lru_cache(maxsize=64)
def preference(header: str | None) -> Preference:
    """Returns what the Prefer header asks of a command (RFC 7240). What it says else is ignored."""
    applied: list[str] = []
    wait = None
    asked = [part.strip().lower() for part in (header or "").split(",")]
    for found in filter(None, map(WAIT.fullmatch, asked)):
        wait = min(int(found[1]), LONGEST_WAIT)
        applied.append(f"wait={wait}")
        break
    if "respond-async" in asked:
        applied.append("respond-async")
        wait = wait or 0
    return Preference(DEFAULT_WAIT if wait is None else wait, ", ".join(applied) or None)


@dataclass(frozen=True, kw_only=True)
class Asker:
    """target: method and path; key: the Idempotency-Key; response: whose headers tell how it was answered."""

    account: Account
    parts: Parts
    request_id: str
    target: str
    key: str | None
    preference: Preference
    response: Response

    def envelope(
        self, body: Body, client_order_id: str | None = None, about: str | None = None
    ) -> dict[str, Any]:
        """Returns what each command says of itself. about: the account that it concerns, if not the asker's."""
        id_ = next(iter(self.ids(client_order_id)), None)
        about = about or self.account.id
        return envelope(
            about, self.parts.now(), self.request_id, fingerprint(self.target, body), id_
        )

    @property
    def allowed(self) -> Allowed:
        """Returns what whoever asks may move and order."""
        return self.parts.limits[self.account.role]

    def ids(self, client_order_id: str | None) -> tuple[str, ...]:
        """Returns the ids by the client's names for the command; the first is the command's."""
        by_order = command_id(self.account.id, client_order_id=client_order_id, key=None)
        by_key = command_id(self.account.id, client_order_id=None, key=self.key)
        return tuple(id_ for id_ in (by_order, by_key) if id_)

    async def submit(
        self, topic: Topic[Any], matter: Matter, command: C, client_order_id: str | None = None
    ) -> Taken[C]:
        """Returns what became of the command in the time that the client waits. Raises as Edge.submit does."""
        if self.preference.applied:
            self.response.headers["Preference-Applied"] = self.preference.applied
        taken = await self.parts.edge.submit(
            repeats.Request(
                topic=topic,
                command=command,
                matter=matter,
                ids=self.ids(client_order_id),
                wait=self.preference.wait,
            )
        )
        if taken.replayed:
            self.response.headers["Idempotency-Replayed"] = "true"
        return taken

    def accept(self, location: str) -> None:
        """Answers 202: the command is in the log, and at the location is what it comes to."""
        self.response.status_code = 202
        self.response.headers["Location"] = f"{BASE}{location}"

    def refused(self, reason: str, resource: BaseModel, detail: str | None = None) -> Refused:
        """Returns the refusal that the command met."""
        return Refused(reason, detail, resource=resource, headers=self.response.headers)


def envelope(
    account_id: str, now: int, request_id: str, fingerprint: str, id_: str | None = None
) -> dict[str, Any]:
    """Returns what a command of now (ms) says of itself. id_: None: one that no other has."""
    return {
        "id": id_ or str(uuid7()),
        "account_id": account_id,
        "occurred_at": now,
        "created_at": now,
        "correlation_id": request_id,
        "fingerprint": fingerprint,
    }


def fingerprint(target: str, body: Body) -> str:
    """Returns what tells requests apart, however they are spelled: 64 characters."""
    said = json.dumps(body.model_dump(mode="json", exclude_unset=True), sort_keys=True)
    return sha256(f"{target}\n{said}".encode()).hexdigest()


Named = Annotated[Key, Header(alias="Idempotency-Key")]
Preferred = Annotated[str | None, Header(alias="Prefer", examples=["wait=5", "respond-async"])]


@policy("customer")
async def asker(
    request: Request, response: Response, key: Named = None, prefer: Preferred = None
) -> Asker:
    """Returns who asks, and how. Raises: Refused, Unavailable as `customer` does."""
    return asks(request, response, key, prefer, await customer(request))


@policy("admin")
async def admin_asker(
    request: Request, response: Response, key: Named = None, prefer: Preferred = None
) -> Asker:
    """Returns which admin asks, and how. Raises: Refused, Unavailable as `admin` does."""
    return asks(request, response, key, prefer, await admin(request))


def asks(
    request: Request, response: Response, key: str | None, prefer: str | None, account: Account
) -> Asker:
    return Asker(
        account=account,
        parts=parts_of(request),
        request_id=request.state.request_id,
        target=f"{request.method} {request.scope['path']}",
        key=key,
        preference=preference(prefer),
        response=response,
    )


Asking = Annotated[Asker, Depends(asker)]
AdminAsking = Annotated[Asker, Depends(admin_asker)]
