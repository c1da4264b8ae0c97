"""Times at the edge: RFC 3339 in UTC outside, milliseconds since the epoch inside."""

import time
from datetime import UTC, datetime, timedelta
from typing import Annotated

from pydantic import PlainSerializer, WithJsonSchema

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def now() -> int:
    """Returns the milliseconds since the epoch by this machine's clock."""
    return time.time_ns() // 1_000_000


def milliseconds(moment: datetime) -> int:
    """Returns the milliseconds since the epoch, rounded down."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def rfc3339(ms: int) -> str:
    """Returns the time with milliseconds: 2026-11-24T23:29:00.120Z."""
    seconds, rest = divmod(ms, 1000)
    return f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(seconds))}.{rest:03d}Z"


Timestamp = Annotated[
    int,
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
