"""The security audit trail: what people did at the edge, told on user.events, each once the log is there.

An event whose topic can't be reached waits in the user store's outbox; so does a registration's, always.
A reader may see an event twice, with the same id, never not at all.
"""

import asyncio
from collections.abc import Callable

import structlog

from events.topics import USER_EVENTS
from events.user import UserMessage
from infra.publisher import Publisher
from infra.stores.users import Unpublished, Users
from infra.unavailable import Unavailable

PAGE = 100  # events a sweep
EVERY = 5  # s
GRACE = 5_000  # ms that an event's own request has before the sweeper takes it on
log = structlog.get_logger()


class Trail:
    def __init__(self, users: Users, publisher: Publisher) -> None:
        self.users = users
        self.publisher = publisher

    async def record(self, event: UserMessage) -> None:
        """Returns when the event is in its topic or, if that is away, in the outbox. Raises: Unavailable."""
        try:
            await self.publisher.publish(USER_EVENTS, event)
        except Unavailable:
            await self.users.keep(unpublished(event))

    async def deliver(self, event: UserMessage) -> None:
        """Publishes an event of the outbox; if that fails, the sweeper does it later."""
        try:
            await self.publisher.publish(USER_EVENTS, event)
            await self.users.forget(event.id)
        except Unavailable as failure:
            log.warning("event_waits_in_outbox", event_id=event.id, away=failure.component)

    async def sweep(self, before: int) -> int:
        """Returns how many events that came before a time (ms) it took from the outbox to the topic.

        Raises: Unavailable.
        """
        count = 0
        for waiting in await self.users.unpublished(PAGE):
            event = USER_EVENTS.decode(waiting.event)
            if event.occurred_at < before:
                await self.publisher.publish(USER_EVENTS, event)
                await self.users.forget(waiting.id)
                count += 1
        return count

    async def keep_sweeping(self, now: Callable[[], int]) -> None:
        """Sweeps until it is canceled."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                if count := await self.sweep(now() - GRACE):
                    log.info("outbox_swept", events=count)
            except Unavailable as failure:
                log.warning("outbox_waits", away=failure.component)


def unpublished(event: UserMessage) -> Unpublished:
    return Unpublished(event.id, USER_EVENTS.encode(event))
