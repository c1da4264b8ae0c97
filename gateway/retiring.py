"""Routes on their way out: each answer says since when it is deprecated (RFC 9745), until when it works (RFC 8594), and
what to use instead. The policy is in docs/api.md.
"""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, NamedTuple, TypeVar

F = TypeVar("F", bound=Callable[..., Any])
Headers = list[tuple[bytes, bytes]]
NOTICE = timedelta(days=180)
"""The least that clients are given."""


class Retiring(NamedTuple):
    """since: when it was deprecated; until: when it goes; instead: the path of what replaces it, None: nothing does."""

    since: datetime
    until: datetime
    instead: str | None

    def headers(self) -> Headers:
        """Returns what each answer of the route says."""
        told = [
            (b"deprecation", b"@%d" % self.since.timestamp()),
            (b"sunset", format_datetime(self.until, usegmt=True).encode()),
        ]
        if self.instead is not None:
            told.append((b"link", f'<{self.instead}>; rel="successor-version"'.encode()))
        return told


RETIRING: dict[Callable[..., Any], Retiring] = {}


def deprecated(*, since: str, sunset: str, instead: str | None = None) -> Callable[[F], F]:
    """Returns a decorator, to stand below the route's, that has its answers say so. since, sunset: ISO dates, UTC.

    Raises: ValueError if that leaves clients less than NOTICE.
    """
    start, end = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in (since, sunset))
    if end - start < NOTICE:
        raise ValueError(f"{since} to {sunset} is less than {NOTICE.days} days")

    def declare(endpoint: F) -> F:
        RETIRING[endpoint] = Retiring(start, end, instead)
        return endpoint

    return declare
