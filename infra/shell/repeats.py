"""Which commands were answered: each takes effect once, however often it is sent."""

from collections.abc import Iterable

from events.reasons import Reason

WINDOW = 15 * 60_000
"""How long after its first try a command may still be sent, ms."""
SLACK = 60_000
"""How far a client's clock may run ahead of the log's, ms."""
SKEW = 60_000
"""How far the clock of a broker may run behind those of the inputs' brokers, ms."""


class Answered:
    """The ids of answered commands with what `now` was when their batch was appended, oldest first.

    An id may be forgotten once `now` is WINDOW + SLACK past that: its command was first tried at most SLACK after it,
    so any repeat of it is expired by then. Only the log's time counts: clocks of brokers may lie apart.
    """

    def __init__(self) -> None:
        self._times: dict[str, int] = {}

    def __contains__(self, command_id: str) -> bool:
        return command_id in self._times

    def __len__(self) -> int:
        return len(self._times)

    def add(self, command_ids: Iterable[str], time: int) -> None:
        """Takes in what a batch answered, and the batch's `now`, ms."""
        note = self._times.setdefault
        for command_id in command_ids:
            note(command_id, time)

    def forget(self, now: int) -> None:
        """Drops the ids whose repeats would be refused as expired anyway."""
        oldest = window_start(now)
        while self._times:
            command_id, time = next(iter(self._times.items()))
            if time >= oldest:
                return
            del self._times[command_id]


def window_start(now: int) -> int:
    """Returns the time from which on answers are remembered at `now`, ms."""
    return now - WINDOW - SLACK


def reading_start(now: int) -> int:
    """Returns the append time from which on own events tell all that is remembered at `now`, ms."""
    return window_start(now) - SKEW


def untimely(created_at: int, now: int) -> Reason | None:
    """Returns why a command that is no known repeat must not be decided, None if it may. now: its append time, or
    the log's if that is later.
    """
    if now - created_at > WINDOW:
        return Reason.COMMAND_EXPIRED
    if created_at - now > SLACK:
        return Reason.COMMAND_FROM_FUTURE
    return None
