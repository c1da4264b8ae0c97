"""What a decision becomes: events with their envelopes, derived from the input alone, as records to append."""

from collections.abc import Mapping, Sequence
from typing import Any

from events.codec import encode, stamp
from events.envelope import Control
from events.ids import event_id
from infra.log.port import Draft, Record

from .rows import RowStore
from .service import Service

CONTENT_TYPE = ("content-type", b"application/json")
KIND = "kind"
CONTROL = (KIND, b"control")


def control(record: Control) -> Draft:
    """Returns the record of a topic's writer's own bookkeeping."""
    return Draft(f"control:{record.type}".encode(), encode(record), (CONTROL,))


Emitted = tuple[Any, Draft]
"""An event as readers will know it, and its record."""


class Emission:
    """Stamps and encodes the events of one partition."""

    def __init__(self, service: Service, store: RowStore, held_back: Mapping[str, int]) -> None:
        self.topic, self.commands = service.writes, service.commands
        self.store, self.held_back = store, held_back

    def emit(
        self, record: Record, message: Any, events: Sequence[Any], *, step: int, name_space: str
    ) -> list[Emitted]:
        """Returns the events that the message in the record led to, as they are written: a second processing gives
        the same bytes. name_space: of their ids.
        """
        cause = f"{record.topic}:{record.partition}:{record.offset}".encode()
        headers = (CONTENT_TYPE, ("cause", cause))
        counts: dict[tuple[str, str], int] = {}
        sequences: dict[str, int] = {}
        emitted = []
        for event in events:
            account, kind = event.account_id, event.type
            n = counts[account, kind] = counts.get((account, kind), 0) + 1
            sequence = sequences.get(account) or self.store.next_sequence(account)
            sequences[account] = sequence + 1
            command_id, correlation_id = self.carried(message, event)
            stamped = stamp(
                event,
                id=event_id(name_space, account, kind, n, step),
                occurred_at=record.timestamp,
                sequence=sequence,
                causation_id=message.id,
                command_id=command_id,
                correlation_id=correlation_id,
            )
            raw = self.topic.encode(stamped, self.held_back)
            # An older version may say less: the rows are what readers can know.
            if self.held_back:
                stamped = self.topic.decode(raw)
            emitted.append((stamped, Draft(account.encode(), raw, headers)))
        return emitted

    def carried(self, message: Any, event: Any) -> tuple[str, str]:
        """Returns the ids of the client's command and request that the event carries on: of the command that the
        message is, of the one that it carries itself, or, for a tick, which nobody asked for, the order's.
        """
        if type(message) in self.commands:
            return message.id, message.correlation_id
        if hasattr(message, "command_id"):
            return message.command_id, message.correlation_id
        return event.order_id, event.order_id
