"""What a decision becomes: events with their envelopes, derived from the input alone, as records to append."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from events.codec import encode, stamp
from events.envelope import Control
from events.ids import event_id
from events.topics import Topic
from infra.log.port import Draft, Record

from .rows import RowStore

CONTENT_TYPE = ("content-type", b"application/json")
KIND = "kind"
CONTROL = (KIND, b"control")


def control(record: Control) -> Draft:
    """Returns the record of a topic's writer's own bookkeeping."""
    return Draft(f"control:{record.type}".encode(), encode(record), (CONTROL,))


class Input(NamedTuple):
    """A record and the message in it. command: whether it asks; name_space: of the ids of what it leads to."""

    record: Record
    message: Any
    command: bool
    name_space: str


class Emitted(NamedTuple):
    event: Any
    draft: Draft


class Emission:
    """Stamps and encodes the events of one partition."""

    def __init__(self, topic: Topic[Any], store: RowStore, held_back: Mapping[str, int]) -> None:
        self.topic, self.store, self.held_back = topic, store, held_back

    def emit(self, given: Input, events: Sequence[Any], step: int) -> list[Emitted]:
        """Returns the events as they are written. A second processing of the input gives the same bytes."""
        record, message = given.record, given.message
        cause = ("cause", f"{record.topic}:{record.partition}:{record.offset}".encode())
        headers = (CONTENT_TYPE, cause)
        counts: dict[tuple[str, str], int] = {}
        sequences: dict[str, int] = {}
        emitted = []
        for event in events:
            account = event.account_id
            n = counts[account, event.type] = counts.get((account, event.type), 0) + 1
            sequence = sequences.get(account) or self.store.next_sequence(account)
            sequences[account] = sequence + 1
            stamped = stamp(
                event,
                id=event_id(given.name_space, account, event.type, n, step),
                occurred_at=record.timestamp,
                sequence=sequence,
                causation_id=message.id,
                **self._carried(given, event),
            )
            raw = self.topic.encode(stamped, self.held_back)
            # An older version may say less: the rows are what readers can know.
            if self.held_back:
                stamped = self.topic.decode(raw)
            emitted.append(Emitted(stamped, Draft(account.encode(), raw, headers)))
        return emitted

    @staticmethod
    def _carried(given: Input, event: Any) -> dict[str, str]:
        """Returns the ids of the client's command and request that the event carries on."""
        message = given.message
        if given.command:
            return {"command_id": message.id, "correlation_id": message.correlation_id}
        if hasattr(message, "command_id"):
            return {"command_id": message.command_id, "correlation_id": message.correlation_id}
        return {"command_id": event.order_id, "correlation_id": event.order_id}  # a tick's
