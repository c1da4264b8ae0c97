"""The security audit trail: what people did at the edge, told on user.events, each once the log is there.

An event whose topic can't be reached waits in the user store's outbox; so does a registration's, always.
A reader may see an event twice, with the same id, never not at all.
"""

import asyncio
from collections.abc import Callable
from hashlib import sha256
from typing import Any, TypeVar

import structlog
from uuid_utils import uuid7

from events.envelope import UserEvent
from events.topics import USER_EVENTS
from events.user import UserMessage
from infra.publisher import Publisher
from infra.stores.users import Unpublished, Users
from infra.unavailable import Unavailable

PAGE = 100  # events a sweep
EVERY = 5  # s
PATIENCE = 500  # ms; who logs in does not wait for a log that is away
GRACE = 5_000  # ms that an event's own request has before the sweeper takes it on
E = TypeVar("E", bound=UserEvent)
log = structlog.get_logger()


class Trail:
    """now: ms since the epoch."""

    def __init__(self, users: Users, publisher: Publisher, now: Callable[[], int]) -> None:
        self.users, self.publisher, self.now = users, publisher, now

    async def record(
        self, kind: type[UserMessage], account_id: str, request_id: str, **fields: str
    ) -> None:
        """Returns when what happened is in its topic or, if that is away, in the outbox. Raises: Unavailable."""
        told = event(kind, account_id, self.now(), request_id, **fields)
        try:
            await self._publish(told)
        except Unavailable:
            await self.users.keep(unpublished(told))

    async def deliver(self, event: UserMessage) -> None:
        """Publishes an event of the outbox; if that fails, the sweeper does it later."""
        try:
            await self._publish(event)
            await self.users.forget(event.id)
        except Unavailable as failure:
            log.warning("event_waits_in_outbox", event_id=event.id, away=failure.component)

    async def _publish(self, event: UserMessage) -> None:
        """Raises: Unavailable; it may come to lie in its topic nevertheless."""
        try:
            async with asyncio.timeout(PATIENCE / 1_000):
                await self.publisher.publish(USER_EVENTS, event)
        except TimeoutError as failure:
            raise Unavailable("kafka") from failure

    async def sweep(self, before: int) -> int:
        """Returns how many events that came before a time (ms) it took from the outbox to the topic.

        Raises: Unavailable.
        """
        count = 0
        for waiting in await self.users.unpublished(PAGE):
            event = USER_EVENTS.decode(waiting.event)
            if event.occurred_at < before:
                await self._publish(event)
                await self.users.forget(waiting.id)
                count += 1
        return count

    async def keep_sweeping(self) -> None:
        """Sweeps until it is canceled."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                if count := await self.sweep(self.now() - GRACE):
                    log.info("outbox_swept", events=count)
            except Unavailable as failure:
                log.warning("outbox_waits", away=failure.component)


def event(kind: type[E], account_id: str, now: int, request_id: str, **fields: Any) -> E:
    """Returns an event of now (ms) that has an id of its own."""
    return kind(
        id=str(uuid7()),
        account_id=account_id,
        occurred_at=now,
        correlation_id=request_id,
        **fields,
    )


def mark(session_id: str) -> str:
    """Returns what tells sessions apart in the audit trail and opens none."""
    return sha256(session_id.encode()).hexdigest()[:16]


def unpublished(event: UserMessage) -> Unpublished:
    return Unpublished(event.id, USER_EVENTS.encode(event))
