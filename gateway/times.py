"""Times at the edge: RFC 3339 in UTC outside, milliseconds since the epoch inside."""

import re
import time
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated

from pydantic import AwareDatetime, BeforeValidator, PlainSerializer, WithJsonSchema
from pydantic_core import PydanticCustomError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RFC3339 = re.compile(
    r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII
)


def now() -> int:
    """Returns the milliseconds since the epoch by this machine's clock."""
    return time.time_ns() // 1_000_000


def milliseconds(moment: datetime) -> int:
    """Returns the milliseconds since the epoch, rounded down."""
    return (moment - EPOCH) // timedelta(milliseconds=1)


def rfc3339(ms: int) -> str:
    """Returns the time with milliseconds: 2026-11-24T23:29:00.120Z."""
    seconds, rest = divmod(ms, 1000)
    return f"{_to_the_second(seconds)}.{rest:03d}Z"


@lru_cache(256)  # most answers are of this very second
def _to_the_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def in_words(text: str) -> str:
    """Returns an RFC 3339 time as it is. Raises: ValueError; a bare number is none, whatever it counts."""
    if not _RFC3339.fullmatch(text):
        raise PydanticCustomError("value_error", "Must be a time such as 2026-11-24T23:29:00Z")
    return text


Moment = Annotated[AwareDatetime, BeforeValidator(in_words)]
"""A time that a client says, with its offset."""

Timestamp = Annotated[
    int,
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
