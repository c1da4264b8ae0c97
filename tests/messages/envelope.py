"""Who, when and why of the messages that tests make. Constant, so that a failure reads the same twice."""

from typing import Any, TypeVar

from events.codec import stamp
from events.envelope import Event
from events.ids import event_id

E = TypeVar("E", bound=Event)

ACCOUNT = "01900000-0000-7000-8000-00000000000a"
OTHER_ACCOUNT = "01900000-0000-7000-8000-00000000000b"
NOW = 1_800_000_000_000


def numbered(n: int) -> str:
    """Returns the n-th id: of a command, and so of an order."""
    return f"00000000-0000-4000-8000-{n:012d}"


def asking(n: int, account_id: str = ACCOUNT, at: int = NOW) -> dict[str, Any]:
    """Returns what the n-th command has in common with all others."""
    return {
        "id": numbered(n),
        "account_id": account_id,
        "occurred_at": at,
        "created_at": at,
        "correlation_id": f"request-{n}",
        "fingerprint": f"fingerprint-{n}",
    }


def stamped(
    event: E,
    *,
    cause_id: str = numbered(1),
    command_id: str = numbered(1),
    n: int = 1,
    at: int = NOW,
) -> E:
    """Returns the event as the shell writes it: the n-th of its account, of that cause and command."""
    return stamp(
        event,
        id=event_id(cause_id, event.account_id, event.type, n),
        occurred_at=at,
        sequence=n,
        causation_id=cause_id,
        command_id=command_id,
        correlation_id="request-1",
    )
