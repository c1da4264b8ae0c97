"""A client of a server that speaks Redis's protocol, which gives up in time."""

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ConnectionError as Cut


def connect(url: str, within: int) -> Redis:
    """Returns a client that gives up after so many ms. A connection that a restarted server cut is replaced once."""
    return Redis.from_url(
        url,
        socket_timeout=within / 1000,
        socket_connect_timeout=within / 1000,
        retry=Retry(NoBackoff(), retries=1, supported_errors=(Cut,)),
    )
