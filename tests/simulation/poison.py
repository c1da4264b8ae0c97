"""What no gateway of ours would write into a command topic, and a rogue producer may."""

from random import Random

from events.codec import encode, stamp
from events.ids import partition_of
from events.topics import BALANCE_COMMANDS
from infra.log.port import TP, Draft
from tests.simulation.workload import Asking, deposit

HEADERS = (("content-type", b"application/json"), ("trace", b""))


def poison(rng: Random, account_id: str, now: int, partitions: int) -> tuple[TP, Draft]:
    """Returns a record that must be set aside, and where it is put."""
    command = deposit(rng, Asking(rng).envelope(account_id, now))
    raw, key, p = encode(command), account_id.encode(), partition_of(account_id, partitions)
    kinds: tuple[tuple[bytes | None, bytes | None, int], ...] = (
        (b"\xff\x00 garbage", key, p),
        (None, key, p),
        (raw[:-1], key, p),
        (raw.replace(b'"deposit"', b'"deposit_twice"'), key, p),
        (raw.replace(b'"version":1', b'"version":99'), key, p),
        (raw.replace(b'"amount":', b'"amount":-1'), key, p),
        (encode(stamp(command, id="z" * 36)), key, p),
        (raw, None, p),
        (raw, b"somebody", p),
        (raw, key, (p + 1) % partitions),
    )
    value, key_, number = rng.choice(kinds)
    return (BALANCE_COMMANDS.name, number), Draft(key_, value, HEADERS)
