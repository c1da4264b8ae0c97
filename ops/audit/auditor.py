"""Shows the log to every check: each record once, decoded once."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from events.codec import Poison
from events.ids import name_space, partition_of
from events.topics import CONTROL as CONTROL_DECODER
from events.topics import TOPICS
from infra.log.port import Record
from infra.raw.batch import RawBatch

from .batches import CONTROL, Foreign, Healthy, InOrder, SeenAlike, Unfenced, Whole
from .check import Check, Handler, Unread
from .conserved import Assets, Bounds, Holds, Money
from .outcomes import Accepted, Asked, Caused, OneOutcome
from .quarantine import Quarantined
from .state import Remembered
from .steering import Steered
from .trading import Lives, SettledOnce
from .views import Projected, View

BY_NAME = {topic.name: topic for topic in TOPICS}


class Auditor:
    """Pure: it is handed batches, partition after partition, and asked what it found."""

    def __init__(
        self,
        partitions: int,
        *,
        journal: Iterable[Asked] | None = None,
        foreign: Foreign | None = None,
        views: Sequence[View] = (),
        more: Sequence[Check] = (),
    ) -> None:
        self.partitions = partitions
        strange = foreign or Foreign()
        self.alike, self.healthy, self.remembered = SeenAlike(), Healthy(), Remembered()
        self.checks: tuple[Check, ...] = (
            Money(),
            Assets(),
            Bounds(strange),
            Holds(),
            OneOutcome(),
            Caused(),
            Accepted(journal),
            SettledOnce(),
            Steered(),
            Lives(),
            InOrder(),
            Whole(strange),
            self.alike,
            Unfenced(strange),
            self.healthy,
            self.remembered,
            Projected(*views),
            Quarantined(partitions),
            *more,
        )
        self.events = 0
        self._handlers: dict[type[Any], tuple[Handler, ...]] = defaultdict(tuple)
        for check in self.checks:
            for kind, handler in check.handlers().items():
                self._handlers[kind] += (handler,)
        self._of_batches = tuple(c.batch for c in self.checks if overrides(c, "batch"))

    def begin(self) -> None:
        for check in self.checks:
            check.begin()

    def take(self, batch: RawBatch) -> None:
        """Shows a batch of the partition that was begun."""
        for see in self._of_batches:
            see(batch)
        read = self.reader(batch.topic)
        handlers = self._handlers
        for record in batch.records:
            message = read(record)
            for handle in handlers[type(message)]:
                handle(record, message)
        self.events += len(batch.records)

    def reader(self, name: str) -> Callable[[Record], Any]:
        """Returns what decodes the records of a topic: to the message, or Unread if the services too must take it for
        poison. The records of a service's own books stay as they are.
        """
        if (topic := BY_NAME.get(name)) is None:
            return lambda record: record
        decode, of_accounts = topic.decode, topic.key == "account_id"
        foreign_id, partitions = not of_accounts or topic.writer == "gateway", self.partitions

        def read(record: Record) -> Any:
            if CONTROL in record.headers:
                return self.note(record)
            try:
                message: Any = decode(record.value or b"")
                if foreign_id:
                    name_space(message.id)
            except Poison as poison:
                return Unread(poison.reason)
            except ValueError:
                return Unread("malformed")
            if of_accounts:
                account = message.account_id
                here = partition_of(account, partitions) == record.partition
                if not here or record.key != account.encode():
                    return Unread("misplaced", message)
            return message

        return read

    @staticmethod
    def note(record: Record) -> Any:
        """Returns the control record, None if it is none: readers skip it unread."""
        try:
            return CONTROL_DECODER(record.value or b"")
        except Poison:
            return None

    def close(self, *, at_rest: bool) -> None:
        """Ends it. at_rest: nothing was on its way any more, so what was begun must be complete."""
        for check in self.checks:
            check.close()
            if at_rest:
                check.settle()


def overrides(check: Check, name: str) -> bool:
    return getattr(type(check), name) is not getattr(Check, name)
